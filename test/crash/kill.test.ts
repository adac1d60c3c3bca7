// The short form of `npm run crash`: the binary under load, killed without warning.

import { afterEach, expect, test } from 'vitest'
import { Site } from './harness.ts'
import { killUnderLoad } from './load.ts'

let site: Site | undefined

afterEach(async () => {
  await site?.remove()
})

test('twenty kills under load lose nothing and repeat nothing', { timeout: 240_000 }, async () => {
  site = await Site.create()
  const report = await killUnderLoad(site, 20, 1)
  expect(report.findings).toEqual([])
  expect(report.recoveries).toBeGreaterThanOrEqual(10)
  expect(report.acknowledged).toBeGreaterThan(10)
  expect(report.executions).toBeGreaterThan(20)
  expect(report.readopted + report.lost).toBeGreaterThan(0)
  expect(report.lostCommands).toBe(0)
})
