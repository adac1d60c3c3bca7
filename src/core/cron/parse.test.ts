// What is read, what is refused and with which words; cron-parser as the oracle for everything that both know.

import { CronExpressionParser } from 'cron-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CronError } from './cron-error.ts'
import { type CronFieldName, followsClock, hasSeconds, valuesOf } from './expression.ts'
import { type CronOptions, parseCron } from './parse.ts'

function refuse(cron: string, options?: CronOptions): CronError {
  try {
    parseCron(cron, options)
  } catch (error) {
    expect(error).toBeInstanceOf(CronError)
    return error as CronError
  }
  throw new Error(`${JSON.stringify(cron)} was accepted`)
}

describe('what is read', () => {
  const cases: [cron: string, field: CronFieldName, values: number[]][] = [
    ['5 * * * *', 'minute', [5]],
    ['05 * * * *', 'minute', [5]],
    ['0,29,30,59 * * * *', 'minute', [0, 29, 30, 59]],
    ['*/15 * * * *', 'minute', [0, 15, 30, 45]],
    ['10/20 * * * *', 'minute', [10, 30, 50]],
    ['10-40/15 * * * *', 'minute', [10, 25, 40]],
    ['55-5 * * * *', 'minute', [0, 1, 2, 3, 4, 5, 55, 56, 57, 58, 59]],
    ['1-5,3,3 * * * *', 'minute', [1, 2, 3, 4, 5]],
    ['*/60 * * * *', 'minute', [0]],
    ['*,5 * * * *', 'minute', Array.from({ length: 60 }, (_, value) => value)],
    ['0 22-2 * * *', 'hour', [0, 1, 2, 22, 23]],
    ['0 22-5/2 * * *', 'hour', [0, 2, 4, 22]],
    ['0 */24 * * *', 'hour', [0]],
    ['0 0 28-3 * *', 'dayOfMonth', [1, 2, 3, 28, 29, 30, 31]],
    ['0 0 31 * *', 'dayOfMonth', [31]],
    ['0 0 */10 * *', 'dayOfMonth', [1, 11, 21, 31]],
    ['0 0 ? * MON', 'dayOfMonth', Array.from({ length: 31 }, (_, value) => value + 1)],
    ['0 0 1 jan,Jun-AUG,12 *', 'month', [1, 6, 7, 8, 12]],
    ['0 0 1 NOV-FEB *', 'month', [1, 2, 11, 12]],
    ['0 0 1 2/5 *', 'month', [2, 7, 12]],
    ['0 0 * * MON-FRI', 'dayOfWeek', [1, 2, 3, 4, 5]],
    ['0 0 * * FRI-MON', 'dayOfWeek', [0, 1, 5, 6]],
    ['0 0 * * SAT-SUN', 'dayOfWeek', [0, 6]],
    ['0 0 * * SUN-SAT', 'dayOfWeek', [0, 1, 2, 3, 4, 5, 6]],
    ['0 0 * * 0,7', 'dayOfWeek', [0]],
    ['0 0 * * 7', 'dayOfWeek', [0]],
    ['0 0 * * 5-7', 'dayOfWeek', [0, 5, 6]],
    ['0 0 * * 0-7', 'dayOfWeek', [0, 1, 2, 3, 4, 5, 6]],
    ['0 0 * * 1-7/2', 'dayOfWeek', [0, 1, 3, 5]],
    ['0 0 * * 7-2', 'dayOfWeek', [0, 1, 2]],
    ['0 0 * * mon/2', 'dayOfWeek', [1, 3, 5]],
    ['0 0 * * 7/2', 'dayOfWeek', [0, 2, 4, 6]],
    ['0 0 * * */3', 'dayOfWeek', [0, 3, 6]],
    ['*/20 0 6 * * *', 'second', [0, 20, 40]],
    ['58-1 0 6 * * *', 'second', [0, 1, 58, 59]],
    ['@Midnight', 'hour', [0]],
    ['@WEEKLY', 'dayOfWeek', [0]],
    ['@annually', 'month', [1]],
    ['\t0  6\n* * MON ', 'hour', [6]],
  ]
  it.each(cases)('%j: %s', (cron, field, values) => {
    expect(valuesOf(parseCron(cron), field)).toEqual(values)
  })

  it('knows by the raw text whether an expression follows the clock', () => {
    for (const cron of [
      '* 2 * * *',
      '*/20 2 * * *',
      '0 */2 * * *',
      '*,5 3 * * *',
      '@hourly',
      '5 5 * * * *',
    ]) {
      expect(followsClock(parseCron(cron)), cron).toBe(true)
    }
    for (const cron of [
      '0-59 0-23 * * *',
      '5,*/10 2 * * *',
      '30 2 * * *',
      '@daily',
      '@yearly',
      '*/5 30 2 * * *',
    ]) {
      expect(followsClock(parseCron(cron)), cron).toBe(false)
    }
  })

  it('has seconds only with six fields', () => {
    expect(hasSeconds(parseCron('0 6 * * *'))).toBe(false)
    expect(valuesOf(parseCron('0 6 * * *'), 'second')).toEqual([0])
    expect(hasSeconds(parseCron('0 0 6 * * *'))).toBe(true)
    expect(valuesOf(parseCron('* * * * * *', { allowEverySecond: true }), 'second')).toHaveLength(60)
  })

  it('takes a day that exists in one month of those named', () => {
    expect(valuesOf(parseCron('0 0 30 1,2 *'), 'dayOfMonth')).toEqual([30])
    expect(valuesOf(parseCron('0 0 29 2 *'), 'dayOfMonth')).toEqual([29])
    expect(valuesOf(parseCron('0 0 31 2 1-5'), 'dayOfMonth')).toEqual([31])
    expect(valuesOf(parseCron('0 0 31 4,6,9-12 *'), 'dayOfMonth')).toEqual([31])
  })
})

describe('what is refused', () => {
  /** The text with the refused part between arrows, the start of the message, a word of the remedy. */
  const cases: [marked: string, message: string, remedy: string][] = [
    ['>61< * * * *', 'minute 61 is out of range 0-59', '0 to 59'],
    ['>60< * * * *', 'minute 60 is out of range 0-59', 'minute 0'],
    ['0 >24< * * *', 'hour 24 is out of range 0-23', 'hour 0'],
    ['0 0 >0< * *', 'day of month 0 is out of range 1-31', 'counts from 1'],
    ['0 0 1 >13< *', 'month 13 is out of range 1-12', '1 to 12'],
    ['0 0 * * >8<', 'weekday 8 is out of range 0-7', '0 to 7'],
    ['0 0 * * MON->9<', 'weekday 9 is out of range', '0 to 7'],
    ['0,15,>75< 0 * * *', 'minute 75 is out of range', '0 to 59'],
    ['>99999999999999999999< * * * *', 'minute 99999999999999999999 is out of range', '0 to 59'],
    ['0 0 * * >MOM<', 'weekday MOM is no name', 'MON'],
    ['0 0 * * MON->FIR<', 'weekday FIR is no name', 'FRI'],
    ['0 0 * * >monday<', 'weekday monday is no name', 'MON'],
    ['0 0 1 >Sept< *', 'month Sept is no name', 'SEP'],
    ['0 0 1 >xyzzy< *', 'month xyzzy is no name', 'JAN FEB'],
    ['0 >MON< * * *', 'hour does not understand MON', 'A field is'],
    ['0 >L< * * *', 'hour does not understand L', 'A field is'],
    ['*/>0< * * * *', 'minute step is 0', '1 or more'],
    ['5/>00< * * * *', 'minute step is 0', '1 or more'],
    ['*/>90< * * * *', 'minute step 90 is longer than the field', 'starts anew'],
    ['0 */>25< * * *', 'hour step 25 is longer', 'starts anew'],
    ['*/>999999999999999999< * * * *', 'minute step 999999999999999999 is longer', 'starts anew'],
    ['*/>-5< * * * *', 'minute step -5 is not a whole number', '*/5'],
    ['5/>*< * * * *', 'minute step * is not a whole number', 'left of the /'],
    ['>*/5/5< * * * *', 'minute has two steps', 'one step'],
    ['>1-2-3< * * * *', 'minute has a range with three ends', '1-3,5-7'],
    ['>1-< * * * *', 'minute has an incomplete range', '1-5'],
    ['>-5< * * * *', 'minute -5 is negative or lacks', '1-5'],
    ['>1.5< * * * *', 'minute 1.5 is not a whole number', 'Write 1'],
    ['>*5< * * * *', '* cannot be joined', 'A field is'],
    ['>**< * * * *', '* cannot be joined', 'A field is'],
    ['>1,,2< * * * *', 'minute has an empty place', 'no spaces'],
    ['>1,< 2 * * *', 'minute has an empty place', 'no spaces'],
    ['0 9>–<17 * * *', 'hour contains –', 'Replace it by -'],
    ['>∗< * * * *', 'minute contains ∗', 'Replace it by *'],
    ['>?< 0 * * *', '? cannot stand here', 'only for the two day fields'],
    ['0 0 >?</2 * *', '? cannot stand here', 'alone'],
    ['0 0 >30< 2 *', 'day 30 never comes in February', 'another month'],
    ['0 0 >31< 4,6,9,11 *', 'day 31 never comes in April, June, September, November', 'another month'],
    ['0 0 >30-31< FEB */2', 'day 30-31 never comes', 'another month'],
    ['0 0 >30< 2 ?', 'day 30 never comes in February', 'another month'],
    ['>*< * * * * *', 'the seconds field matches all 60 seconds', 'write * * * * * for once a minute'],
    ['>*/1< 30 6 * * *', 'the seconds field matches all 60 seconds', 'write 30 6 * * *'],
    ['>0-59< 0 6 * * *', 'the seconds field matches all 60 seconds', 'write 0 6 * * *'],
    ['><', 'the expression is empty', 'five fields'],
    ['>   <', 'the expression is empty', 'five fields'],
    ['>*<', '1 field where 5 are needed', 'Write *'],
    ['>20 15 * *<', '4 fields where 5 are needed', 'Write *'],
    ['0 0 0 * * * 2026 >5<', '8 fields where 5 are needed', 'Remove'],
    ['>TZ=Europe/Berlin 0 6 *<', '4 fields where 5 are needed', 'timezone: Europe/Berlin'],
    ['>@dayly<', 'macro @dayly is unknown', '@daily'],
    ['>@Houly<', 'macro @Houly is unknown', '@hourly'],
    ['>@constructor<', 'macro @constructor is unknown', 'known macros'],
    ['>@reboot<', '@reboot names no time', 'service manager'],
    ['>@every< 5m', '@every is not cron', '*/15 * * * *'],
    ['>@daily 5<', '@daily stands alone', 'Remove'],
  ]
  it.each(cases)('%s', (marked, message, remedy) => {
    const cron = marked.replaceAll(/[<>]/g, '')
    const error = refuse(cron)
    expect(error.message.startsWith(message), error.message).toBe(true)
    expect(error.hint).toContain(remedy)
    const end = error.position + error.length
    expect(`${cron.slice(0, error.position)}>${cron.slice(error.position, end)}<${cron.slice(end)}`).toBe(
      marked,
    )
    expect(error).toMatchObject({ code: 'CRON_INVALID', exitCode: 3, expression: cron, name: 'CronError' })
    expect(error.expected).not.toBe('')
    expect(error.message).toContain(`column ${error.position + 1} of cron`)
  })

  it('refuses texts of more than 256 characters before it reads them', () => {
    const error = refuse(`${'0,'.repeat(200_000)}0 0 * * *`)
    expect(error).toMatchObject({ position: 256, expected: 'at most 256' })
    expect(error.message.length).toBeLessThan(300)
    expect(valuesOf(parseCron(`${'0,'.repeat(123)}0 0 * * *`), 'minute')).toEqual([0])
  })

  it('never fails in any other way, whatever the text', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc
        .array(
          fc.constantFrom(
            '*',
            '5',
            '-',
            '/',
            ',',
            ' ',
            '?',
            'MON',
            'l',
            '@',
            '#',
            '99',
            '\n',
            '$',
            '__proto__',
          ),
          { maxLength: 30 },
        )
        .map(parts => parts.join('')),
    )
    let refused = 0
    fc.assert(
      fc.property(anything, cron => {
        try {
          parseCron(cron)
        } catch (error) {
          refused++
          expect(error).toBeInstanceOf(CronError)
          const { position, length, hint } = error as CronError
          expect(hint).toBeTruthy()
          expect(position).toBeGreaterThanOrEqual(0)
          expect(position + length).toBeLessThanOrEqual(cron.length)
        }
      }),
      { numRuns: 3000 },
    )
    expect(refused).toBeGreaterThan(1000)
  })
})

describe('against cron-parser', () => {
  it('reads the same fields from every text that both know', () => {
    const numeric = (min: number, max: number): fc.Arbitrary<string> => {
      const value = fc.integer({ min, max })
      const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
      const step = fc.integer({ min: 1, max: max - min + 1 })
      return fc.oneof(
        fc.constant('*'),
        value.map(String),
        range,
        fc.tuple(range, step).map(([text, by]) => `${text}/${by}`),
        step.map(by => `*/${by}`),
        fc.tuple(value, step).map(([first, by]) => `${first}/${by}`),
        fc.uniqueArray(value, { minLength: 1, maxLength: 5 }).map(values => values.join(',')),
      )
    }
    const names = fc.constantFrom('MON', 'tue', 'Wed-FRI', 'SUN,SAT', 'mon-fri/2')
    const months = fc.constantFrom('JAN', 'feb', 'Mar-AUG', 'JUN,DEC', 'jan-dec/5')
    // Left out: n/step and ranges to 7 in the weekday field, where cron-parser's week has eight days.
    const weekday = fc.oneof(
      names,
      numeric(0, 6).filter(text => !/^\d+\//.test(text)),
    )
    const cron = fc
      .tuple(
        fc.option(numeric(0, 59).filter(text => text !== '*')),
        numeric(0, 59),
        numeric(0, 23),
        numeric(1, 28),
        fc.oneof(months, numeric(1, 12)),
        weekday,
      )
      .map(fields => fields.filter(field => field !== null).join(' '))
    let compared = 0
    fc.assert(
      fc.property(cron, text => {
        const { fields } = CronExpressionParser.parse(text, { tz: 'UTC' })
        let own: ReturnType<typeof parseCron>
        try {
          own = parseCron(text)
        } catch (error) {
          // The one thing that only we refuse here: a seconds field that is `*` in other words.
          expect((error as CronError).message).toContain('all 60 seconds')
          return
        }
        for (const name of ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const) {
          const values = [...new Set((fields[name].values as number[]).map(value => Number(value)))]
          // cron-parser drops the days that a named month lacks; 1 to 28 are in all of them.
          const known = (value: number): boolean => name !== 'dayOfMonth' || value <= 28
          const theirs = [...new Set(values.map(value => (name === 'dayOfWeek' ? value % 7 : value)))]
          expect(valuesOf(own, name).filter(known), `${text}: ${name}`).toEqual(
            theirs.filter(known).sort((a, b) => a - b),
          )
          compared++
        }
      }),
      { numRuns: 1500 },
    )
    expect(compared).toBeGreaterThan(6000)
  })
})
