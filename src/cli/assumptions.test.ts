import { describe, expect, test } from 'vitest'
import type { Question } from '../core/condition/question.ts'
import { readAssumptions } from './assumptions.ts'
import { UsageError } from './usage.ts'

const FILE: Question = { kind: 'file', path: 'in.csv', timeoutMs: 1_000 }
const IDS = new Set(['payroll', 'nightly'])
const KEY = { scheduleId: 'payroll', slot: 0 }

describe('what is assumed of the world', () => {
  test('is yes unless something else is said', () => {
    expect(readAssumptions([], IDS)(FILE, KEY)).toMatchObject({ holds: true })
    expect(readAssumptions(['no'], IDS)(FILE, KEY)).toMatchObject({ holds: false })
  })

  test('a schedule counts before a kind, a kind before the rest', () => {
    const answer = readAssumptions(['no', 'file=error', 'payroll=yes'], IDS)
    expect(answer(FILE, KEY)).toMatchObject({ holds: true })
    expect(answer(FILE, { ...KEY, scheduleId: 'nightly' })).toEqual({ error: 'assumed' })
    expect(
      answer({ kind: 'signal', name: 's', withinMs: 1, timeoutMs: 1 }, { ...KEY, scheduleId: 'nightly' }),
    ).toMatchObject({
      holds: false,
    })
  })

  test('anything else is refused, with what was meant', () => {
    expect(() => readAssumptions(['maybe'], IDS)).toThrow(UsageError)
    expect(() => readAssumptions(['payrol=no'], IDS)).toThrow(/neither a kind of condition nor a schedule/)
  })
})
