// What independent cron implementations answer, against ours: facts copied from their tests, not computed here.
// Where they contradict our rule, both answers stand in facts/differs.txt, each with a reason that the docs explain.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileCron } from '../../src/core/cron/compile.ts'
import type { CronSchedule } from '../../src/core/cron/cron.ts'
import { CronError } from '../../src/core/cron/cron-error.ts'
import type { CronDst } from '../../src/core/cron/parse.ts'
import { formatSlot, parseInstant } from '../../src/core/time/instant.ts'
import { type Answer, type Fact, readDifferences, readFacts, readHead, SOURCES } from './fact-table.ts'

/** The part of the docs that gives the reasons. */
const REASONS = readFileSync(new URL('../../docs/cron-conformance.md', import.meta.url), 'utf8')
  .split('\n## ')
  .find(section => section.startsWith('Where we differ'))!

/** Undefined if the expression is refused. */
function compile({ expression, zone, dialect }: Fact, dst: CronDst): CronSchedule | undefined {
  try {
    return compileCron(expression, zone, { allowEverySecond: true, dialect, dst })
  } catch (error) {
    if (error instanceof CronError) return undefined
    throw error
  }
}

/** Our answer to the question of a fact, as many slots as it names. */
function answerTo(fact: Fact, asked: Answer, dst: CronDst = 'cron'): string {
  const schedule = compile(fact, dst)
  if (schedule === undefined) return 'refused'
  let at = parseInstant(fact.after)
  expect(at, fact.after).not.toBeNaN()
  const slots: string[] = []
  const count = asked.kind === 'slots' ? asked.slots.length : 1
  while (slots.length < count) {
    const next = schedule.next(at)
    if (next === undefined) {
      slots.push('never')
      break
    }
    slots.push(formatSlot(next))
    at = next
  }
  return slots.join(', ')
}

function textOf(answer: Answer): string {
  return answer.kind === 'slots' ? answer.slots.join(', ') : answer.kind
}

/** Whether our answer is the one given. What can never match is refused here, which says the same earlier. */
function agrees(ours: string, answer: Answer): boolean {
  switch (answer.kind) {
    case 'slots':
      return ours === textOf(answer)
    case 'not':
      return ours !== answer.slot
    case 'never':
      return ours === 'never' || ours === 'refused'
    case 'refused':
      return ours === 'refused'
  }
}

describe.each(SOURCES)('what %s says', source => {
  const facts = readFacts(source)

  it('says where it is from, under which licence, and how it was read', () => {
    const head = readHead(source).join('\n')
    for (const key of ['source', 'taken from', 'licence', 'reading']) expect(head).toContain(`# ${key}: `)
    expect(facts.length).toBeGreaterThan(10)
  })

  it.each(facts)('$expression in $zone after $after ($where)', fact => {
    const ours = answerTo(fact, fact.answer)
    expect(agrees(ours, fact.answer), `ours: ${ours}; theirs: ${JSON.stringify(fact.answer)}`).toBe(true)
  })
})

describe('where we differ', () => {
  const differences = readDifferences()

  it.each(differences)('$source: $expression in $zone after $after, because of $reason', difference => {
    const ours = answerTo(difference, difference.ours)
    expect(ours).toBe(textOf(difference.ours))
    expect(agrees(ours, difference.answer), 'it no longer differs: move it to its source').toBe(false)
  })

  it('dst: skip says what those say who skip a gap', () => {
    const gaps = differences.filter(({ reason }) => reason === 'fixed-gap')
    expect(gaps.length).toBeGreaterThanOrEqual(3)
    for (const gap of gaps) expect(answerTo(gap, gap.answer, 'skip'), gap.expression).toBe(textOf(gap.answer))
  })

  it('dst: both says what those say who run a repeated time twice', () => {
    const repeats = differences.filter(
      ({ reason, source }) => reason === 'fixed-overlap' && source !== 'quartz',
    )
    expect(repeats.length).toBeGreaterThanOrEqual(3)
    for (const repeat of repeats) {
      expect(answerTo(repeat, repeat.answer, 'both'), repeat.expression).toBe(textOf(repeat.answer))
    }
  })

  it('every reason is explained, and every explained reason occurs', () => {
    const explained = [...REASONS.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, reason]) => reason)
    const used = new Set(differences.map(({ reason }) => reason))
    expect(explained.sort()).toEqual([...used].sort())
  })
})

describe('the tables', () => {
  const all = SOURCES.flatMap(source => readFacts(source))

  it('hold enough facts of enough sources', () => {
    expect(all.length).toBeGreaterThanOrEqual(900)
    expect(SOURCES.filter(source => readFacts(source).length >= 30).length).toBeGreaterThanOrEqual(6)
    const shifting = all.filter(({ zone }) => zone !== 'UTC')
    expect(shifting.length).toBeGreaterThan(200)
  })

  it('hold each fact once', () => {
    const keys = [...all, ...readDifferences()].map(
      ({ source, expression, zone, after, answer }) =>
        `${source} ${expression} ${zone} ${after} ${JSON.stringify(answer)}`,
    )
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  })
})
