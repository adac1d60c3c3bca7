import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DagbokError } from '../error.ts'
import { formatDuration, formatSeconds, LONGEST_DURATION_MS, parseDuration } from './duration.ts'

function refuse(text: unknown): DagbokError {
  try {
    parseDuration(text as string)
  } catch (error) {
    expect(error).toBeInstanceOf(DagbokError)
    expect(error).toMatchObject({ code: 'DURATION_INVALID', exitCode: 3 })
    return error as DagbokError
  }
  throw new Error(`${JSON.stringify(text)} was accepted`)
}

describe('parseDuration', () => {
  it.each([
    ['100ms', 100],
    ['0s', 0],
    ['90s', 90_000],
    ['1m', 60_000],
    ['1h30m', 5_400_000],
    ['90m', 5_400_000],
    ['1d', 86_400_000],
    ['2w', 1_209_600_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['1s500ms', 1500],
    ['007s', 7000],
    ['36525d', LONGEST_DURATION_MS],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    ['90', 'it has no unit', '90s or 90ms'],
    [90, 'a number without a unit', '90s or 90ms'],
    ['', 'it is empty', '90s'],
    ['   ', 'it is empty', '90s'],
    [null, 'it is no text', '90s'],
    ['-5s', 'it is negative', '0s or more'],
    ['1h 30m', 'spelled differently', 'Write 1h30m.'],
    ['1.5h', 'spelled differently', 'Write 1h30m.'],
    ['0.5s', 'spelled differently', 'Write 500ms.'],
    ['2H', 'spelled differently', 'Write 2h.'],
    ['90 sec', 'spelled differently', 'Write 1m30s.'],
    ['5 minutes', 'spelled differently', 'Write 5m.'],
    ['1 hour, 5 mins', 'spelled differently', 'Write 1h5m.'],
    ['1m30', '30 at its end has no unit', '1m30s'],
    ['30m1h', 'unit h comes after', 'small: 1h30m.'],
    ['1h1h', 'unit h comes after', 'small: 2h.'],
    ['3months', 'months has no fixed length', '30d'],
    ['1y', 'y has no fixed length', '365d'],
    ['5x', 'unit x is unknown', 'w, d, h, m, s or ms'],
    ['5M', 'unit M is unknown', 'w, d, h, m, s or ms'],
    ['PT5M', 'cannot be read|unit M is unknown', '1h30m'],
    ['soon', 'it cannot be read', '1h30m'],
    ['36526d', 'longer than 100 years', 'Shorten'],
    ['999999999999999d', 'longer than 100 years', 'Shorten'],
    ['9'.repeat(300), 'it has no unit', 's or'],
    [`${'9'.repeat(300)}s`, 'cannot be read', '1h30m'],
  ])('refuses %j: %s', (text, why, remedy) => {
    const error = refuse(text)
    expect(error.message).toMatch(new RegExp(why))
    expect(error.hint).toContain(remedy)
    expect(error.message.length).toBeLessThan(250)
  })

  it('reads any text in no time, as a duration or as an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9hmsdw. -]{0,60}$/)), text => {
        let ms: number
        try {
          ms = parseDuration(text)
        } catch (error) {
          expect(error).toBeInstanceOf(DagbokError)
          return
        }
        expect(Number.isSafeInteger(ms) && ms >= 0).toBe(true)
      }),
    )
    const started = performance.now()
    refuse(`${'1h'.repeat(100_000)}!`)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [1500, '1s500ms'],
    [90_000, '1m30s'],
    [5_400_000, '1h30m'],
    [604_800_000, '7d'],
    [90_061_001, '1d1h1m1s1ms'],
    [1999.6, '2s'],
    [-90_000, '-1m30s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('is read back as the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LONGEST_DURATION_MS }), ms => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})

describe('formatSeconds', () => {
  it.each([
    [2340, '2.34s'],
    [0, '0.00s'],
    [999, '1.00s'],
    [125_000, '125.00s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatSeconds(ms)).toBe(text)
  })
})
