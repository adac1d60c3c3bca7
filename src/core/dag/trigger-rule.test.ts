// Trigger rules as a truth table: rows are how the upstream tasks ended, columns are rules.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeTrigger, TRIGGER_RULES, type TriggerRule, type UpstreamCounts } from './trigger-rule.ts'

const LETTERS = { o: 'ok', c: 'stopped', f: 'failed', s: 'skipped' } as const
const VERDICTS = {
  R: 'run',
  '.': 'wait',
  F: 'upstream_failed',
  S: 'upstream_skipped',
  C: 'not_continued',
  T: 'trigger_rule',
} as const

/** Letters: o ok, c ok with continue: 0, f failed, s skipped, - not ended yet. */
function countOf(upstream: string): { total: number; counts: UpstreamCounts } {
  const counts = { ok: 0, stopped: 0, failed: 0, skipped: 0 }
  for (const letter of upstream) if (letter !== '-') counts[LETTERS[letter as keyof typeof LETTERS]] += 1
  return { total: upstream.length, counts }
}

// As Airflow's documentation of trigger rules says it; ALL and ANY as seed 000 does.
const RULES = ['ALL', 'ANY', 'all_success', 'all_failed', 'all_done', 'all_done_min_one_success', 'all_skipped',
  'one_success', 'one_failed', 'one_done', 'none_failed', 'none_failed_min_one_success', 'none_skipped', 'always'] as const // biome-ignore format: read across
const TABLE: readonly [upstream: string, verdicts: string][] = [
  //      ALL ANY suc fail done dmin skp 1suc 1fail 1done nfail nfmin nskip always
  ['--', '.   .   .   .    .    .    .   .    .     .     .     .     .     R'],
  ['o-', '.   .   .   T    .    .    T   R    .     R     .     .     .     R'],
  ['f-', 'F   .   F   .    .    .    T   .    R     R     F     F     .     R'],
  ['s-', 'S   .   S   T    .    .    .   .    .     .     .     .     T     R'],
  ['c-', 'C   .   .   T    .    .    T   R    .     R     .     .     .     R'],
  ['oo', 'R   R   R   T    R    R    T   R    T     R     R     R     R     R'],
  ['of', 'F   R   F   T    R    R    T   R    R     R     F     F     R     R'],
  ['os', 'S   R   S   T    R    R    T   R    T     R     R     R     T     R'],
  ['oc', 'C   R   R   T    R    R    T   R    T     R     R     R     R     R'],
  ['ff', 'F   F   F   R    R    F    T   F    R     R     F     F     R     R'],
  ['fs', 'F   F   F   T    R    F    T   F    R     R     F     F     T     R'],
  ['fc', 'F   F   F   T    R    R    T   R    R     R     F     F     R     R'],
  ['ss', 'S   S   S   T    R    S    R   S    T     S     R     S     T     R'],
  ['sc', 'S   C   S   T    R    R    T   R    T     R     R     R     T     R'],
  ['cc', 'C   C   R   T    R    R    T   R    T     R     R     R     R     R'],
]

describe('the truth table', () => {
  test('names every rule', () => expect([...RULES].sort()).toEqual([...TRIGGER_RULES].sort()))

  test.each(TABLE)('%s', (upstream, row) => {
    const { total, counts } = countOf(upstream)
    const expected = row.split(/ +/).map(letter => VERDICTS[letter as keyof typeof VERDICTS])
    expect(RULES.map(rule => [rule, judgeTrigger(rule, total, counts)])).toEqual(
      RULES.map((rule, at) => [rule, expected[at]]),
    )
  })

  test.each(TRIGGER_RULES)('%s runs at once without upstream tasks', rule => {
    expect(judgeTrigger(rule, 0, countOf('').counts)).toBe('run')
  })
})

test('a verdict stays, whatever else ends; and when all have ended there is one', () => {
  const story = fc.record({
    rule: fc.constantFrom<TriggerRule>(...TRIGGER_RULES),
    ends: fc.array(fc.constantFrom('o', 'c', 'f', 's'), { minLength: 1, maxLength: 6 }),
  })
  fc.assert(
    fc.property(story, ({ rule, ends }) => {
      let said: string = 'wait'
      for (let ended = 0; ended <= ends.length; ended++) {
        const { total, counts } = countOf(ends.slice(0, ended).join('').padEnd(ends.length, '-'))
        const verdict = judgeTrigger(rule, total, counts)
        // Why it is skipped may be said better later; that it is skipped does not change.
        if (said === 'run') expect(verdict).toBe('run')
        else if (said !== 'wait') expect(['run', 'wait']).not.toContain(verdict)
        said = verdict
      }
      expect(said).not.toBe('wait')
    }),
  )
})
