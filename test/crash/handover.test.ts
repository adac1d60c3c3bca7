// The short form of `npm run handover`: files, records and clients, with a scheduler that is killed meanwhile.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { runFanOut, runFileHandover, runRecordHandover } from './handover.ts'
import { Site } from './harness.ts'

let site: Site
beforeEach(async () => {
  site = await Site.create()
})
afterEach(() => site.remove())

test('each file is consumed by exactly one successful run', { timeout: 180_000 }, async () => {
  const { findings, runs, handedOn } = await runFileHandover(site, { count: 80, kills: 8, seed: 1 })
  expect(findings).toEqual([])
  expect(runs['success']).toBeGreaterThan(3)
  // It has to have happened, or nothing was proven.
  expect(handedOn).toBeGreaterThan(0)
})

test('each record is handed to exactly one successful run', { timeout: 180_000 }, async () => {
  const { findings, handedOn } = await runRecordHandover(site, { count: 1_500, kills: 8, seed: 1 })
  expect(findings).toEqual([])
  expect(handedOn).toBeGreaterThan(0)
})

test('a thousand clients, some suspended, some failing, killed in the middle', {
  timeout: 180_000,
}, async () => {
  const { ok, skipped, failed, twice, status, finished } = await runFanOut(site, {
    clients: 1_000,
    suspended: 3,
    failing: 5,
    kills: 1,
  })
  expect([ok.length, skipped.length, failed.length, twice, status]).toEqual([992, 3, 5, [], 'partial'])
  expect(finished).toMatchObject({ clients_succeeded: 992, clients_failed: 5, clients_skipped: 3 })
})
