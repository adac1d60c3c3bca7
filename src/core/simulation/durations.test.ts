// Lengths of simulated attempts: the middle of the past, else a share of a run.

import { expect, test } from 'vitest'
import { aDag } from '../../../test/support/builders.ts'
import { estimateDurations, medianOf } from './durations.ts'

test('a task takes the middle of its past lengths; the others share what a run takes along the longest chain', () => {
  const dag = aDag('d', { a: [], b: ['a'], c: ['b'], side: ['a'] })
  const past = new Map([['d', new Map([['b', [9_000, 1_000, 2_000]]])]])
  const durationOf = estimateDurations(new Map([['d', dag]]), past, 60_000)
  const of = (taskId: string) => durationOf({ runId: 'r', dagName: 'd', taskId, attempt: 1 })
  expect([of('a'), of('b'), of('c'), of('side')]).toEqual([20_000, 2_000, 20_000, 20_000])
})

test('the middle of an even number is the lower one', () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2)
  expect(medianOf([7])).toBe(7)
})

test('a chain of ten thousand tasks costs no stack', () => {
  const shape: Record<string, string[]> = {}
  for (let index = 0; index < 10_000; index++) shape[`t${index}`] = index === 0 ? [] : [`t${index - 1}`]
  const durationOf = estimateDurations(new Map([['d', aDag('d', shape)]]), new Map(), 60_000)
  expect(durationOf({ runId: 'r', dagName: 'd', taskId: 't9', attempt: 1 })).toBe(6)
})
