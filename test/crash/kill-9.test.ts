// The short form of `npm run crash`: the binary under load, killed without warning, judged by what it left.

import { afterEach, expect, test } from 'vitest'
import { checkStorm } from './check.ts'
import { Site } from './harness.ts'
import { runStorm, settleStorm } from './storm.ts'

const KILLS = 20

let site: Site | undefined

afterEach(async () => {
  await site?.remove()
})

test('twenty kills under load lose nothing and repeat nothing', { timeout: 180_000 }, async () => {
  site = await Site.create()
  const storm = await runStorm(site, KILLS, 1)
  await settleStorm(site)
  const { findings, commits, executions, recovered, unknown } = await checkStorm(site, storm.told)
  expect(findings).toEqual([])
  // The faults have to have happened, or nothing was proven.
  expect(Object.values(storm.deaths).reduce((sum, count) => sum + count)).toBe(KILLS)
  expect(commits.get('journal_recovered')).toBeGreaterThanOrEqual(8)
  expect(storm.told.runs.length + storm.told.records.size).toBeGreaterThan(10)
  expect(executions).toBeGreaterThan(20)
  expect(recovered).toBeGreaterThan(0)
  expect(unknown).toBe(0)
})
