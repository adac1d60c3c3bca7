import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, askedBy, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import { type CalendarPlan, compileCalendars } from '../calendar/calendar.ts'
import type { Answer } from '../condition/question.ts'
import { jsonBytes } from '../json.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { describeState } from './checkpoint.ts'
import { OPEN_SLOTS_MAX } from './decide-conditions.ts'
import { nextWake } from './next-wake.ts'

const YES: Answer = { holds: true, saw: { bytes: 12 } }
const NO: Answer = { holds: false, saw: { missing: true } }
const ERROR: Answer = { error: 'EACCES' }

/** A scheduler at 06:00:30 with one schedule, due every minute, whose conditions the world must answer. */
function openWorld(changes: Partial<Schedule> = {}): DeciderWorld {
  const schedule = aSchedule('s', '* * * * *', 'd', { ...askedBy(), ...changes })
  return new DeciderWorld(definitionsOf([aDag('d', { t: [] })], [schedule]), '2026-01-05T06:00:30Z').boot()
}

const names = (events: readonly { event: string; reason?: unknown }[]) =>
  events.map(({ event, reason }) => (reason === undefined ? event : `${event} ${String(reason)}`))

describe('a slot whose conditions must be asked', () => {
  test('is opened when it is due, and enqueued with what was seen when they hold', () => {
    const world = openWorld()
    expect(names(world.when({ type: 'tick' }))).toEqual(['slot_opened due'])
    expect(world.state.asking.size).toBe(1)
    const events = world.answer(0, YES)
    expect(names(events).slice(0, 2)).toEqual(['definition_recorded', 'schedule_enqueued due'])
    expect(events[1]).toMatchObject({
      slot: '2026-01-05T06:00Z',
      inputs: { conditions: [{ file: 'data/in.csv', bytes: 12, holds: true }] },
    })
    expect(world.state.asking.size).toBe(0)
    expect(world.state.schedules.get('s')?.open).toBeUndefined()
  })

  test('is skipped with what was seen when they do not hold, or when nobody knows', () => {
    const world = openWorld()
    world.when({ type: 'tick' })
    expect(world.answer(0, NO)).toMatchObject([
      {
        event: 'schedule_skipped',
        reason: 'condition',
        inputs: { asked: 1, conditions: [{ missing: true, holds: false }] },
      },
    ])
    world.now += 60_000
    world.when({ type: 'tick' })
    expect(world.answer(0, ERROR)).toMatchObject([
      {
        event: 'schedule_skipped',
        reason: 'condition_error',
        inputs: { conditions: [{ error: 'EACCES', holds: null }] },
      },
    ])
  })

  test('that nobody knows runs where on_error says so', () => {
    const world = openWorld(askedBy({ retryEveryMs: 60_000, onError: 'run' }))
    world.when({ type: 'tick' })
    expect(names(world.answer(0, ERROR))).toContain('schedule_enqueued due')
  })

  test('that what is known decides is not asked about', () => {
    const [question] = askedBy().conditions!
    const nothing = {
      timezone: 'UTC',
      include: [],
      dates: [],
      rules: [],
      exclude: [],
      workdays: [],
      windows: [],
      hash: 'h',
    }
    const calendars = compileCalendars([{ name: 'office', weekend: [6, 0], ...nothing } as CalendarPlan])
    const ask = (cron: string, conditions: Schedule['conditions']) => {
      const schedule = aSchedule('s', cron, 'd', { conditions })
      const definitions = { ...definitionsOf([aDag('d', { t: [] })], [schedule]), calendars }
      const world = new DeciderWorld(definitions, '2026-01-05T06:00:30Z').boot()
      return names(world.when({ type: 'tick' }))
    }
    const weekend = { kind: 'calendar', calendar: 'office', day: 'weekend' } as const
    expect(ask('* * * * *', [weekend, question!])).toEqual(['schedule_skipped calendar'])
    expect(ask('* * * * *', [{ kind: 'any', of: [{ kind: 'not', of: weekend }, question!] }])).toContain(
      'schedule_enqueued due',
    )
    expect(ask('* * * * *', [{ kind: 'not', of: weekend }, question!])).toEqual(['slot_opened due'])
  })

  test('holds up no later slot', () => {
    const world = openWorld()
    world.when({ type: 'tick' })
    world.now += 60_000
    expect(names(world.when({ type: 'tick' }))).toEqual(['slot_opened due'])
    expect(world.state.schedules.get('s')?.open?.length).toBe(2)
    // The later one is answered first.
    expect(names(world.answer(1, YES))).toContain('schedule_enqueued due')
    expect(names(world.answer(0, NO))).toEqual(['schedule_skipped condition'])
  })

  test('meets overlap when its conditions hold, not before', () => {
    const world = openWorld()
    world.when({ type: 'tick' })
    world.answer(0, YES)
    world.now += 60_000
    expect(names(world.when({ type: 'tick' }))).toEqual(['slot_opened due'])
    expect(world.answer(0, YES)).toMatchObject([
      { event: 'schedule_skipped', reason: 'overlap', inputs: { blocked_by: 's@2026-01-05T06:00Z' } },
    ])
  })

  test('is missed if its starting_deadline is over when the answer comes', () => {
    const world = openWorld({ startingDeadlineMs: 45_000 })
    world.when({ type: 'tick' })
    world.now += 20_000
    expect(names(world.answer(0, YES))).toEqual(['schedule_missed deadline'])
  })
})

describe('asking again', () => {
  const patient = askedBy({ retryUntilMs: 100_000, retryEveryMs: 30_000, onError: 'skip' })

  test('comes every retry_every, for the last time at the end of the window', () => {
    const world = openWorld({
      ...patient,
      timing: { crons: ['0 6 * * *'], timezone: 'UTC', dialect: 'unix', dst: 'cron' },
    })
    const asks: string[] = []
    world.when({ type: 'tick' })
    for (let ask = 0; ask < 10; ask++) {
      const [event] = world.answer(0, ask === 1 ? ERROR : NO)
      if (event === undefined) break
      asks.push(
        `${names([event])[0]} ${String((event as { retry_at?: string }).retry_at?.slice(14, 19) ?? '')}`,
      )
      if (event.event !== 'slot_deferred') break
      expect(world.state.asking.size).toBe(0)
      world.now = nextWake(world.state, world.agenda, true)!
      expect(world.when({ type: 'tick' })).toEqual([])
      expect(world.state.asking.size).toBe(1)
    }
    expect(asks).toEqual([
      'slot_deferred condition 01:00',
      'slot_deferred condition_error 01:30',
      'slot_deferred condition 01:40',
      'schedule_skipped condition ',
    ])
  })

  test('an answer to an older ask is ignored', () => {
    const world = openWorld(patient)
    world.when({ type: 'tick' })
    const [key] = world.state.asking.values()
    const { conditions = [] } = world.definitions.schedules.get('s')!
    const late = { type: 'answered', ...key!, ask: 0, conditions, answers: [YES] } as const
    world.answer(0, NO)
    expect(world.when(late)).toEqual([])
    world.now += 30_000
    world.when({ type: 'tick' })
    world.answer(0, YES)
    expect(world.when(late)).toEqual([])
  })

  test('a restart asks what was open, at once or when its time comes', () => {
    const world = openWorld(patient)
    world.when({ type: 'tick' })
    expect(world.replayed().asking.size).toBe(1)
    world.answer(0, NO)
    for (const state of [world.replayed(), world.restored()]) {
      expect(describeState(state)).toBe(world.facts())
      expect(state.asking.size).toBe(0)
      expect(state.reasks.nextAt).toBe(Date.parse('2026-01-05T06:01:00Z'))
    }
  })
})

describe('what people do to an open slot', () => {
  test('a skip decides it, and the answer comes too late', () => {
    const world = openWorld()
    world.when({ type: 'tick' })
    const slot = Date.parse('2026-01-05T06:00Z')
    const events = world.when({ type: 'skip_slot', scheduleId: 's', slot, reason: 'not today' })
    expect(names(events)).toEqual(['schedule_skipped skipped_by_hand'])
    expect(world.answer(0, YES)).toEqual([])
  })

  test('a run by hand is its decision', () => {
    const world = openWorld()
    world.when({ type: 'tick' })
    const slot = Date.parse('2026-01-05T06:00Z')
    expect(names(world.when({ type: 'run_slot', scheduleId: 's', slot, cause: 'cli' }))).toContain(
      'schedule_enqueued by_hand',
    )
    expect(world.state.schedules.get('s')).toMatchObject({ open: undefined, byHand: undefined })
  })

  test('a schedule that goes or whose timing changes disposes of it', () => {
    for (const next of [
      definitionsOf([]),
      definitionsOf([aDag('d', { t: [] })], [aSchedule('s', '*/7 * * * *', 'd', askedBy())]),
    ]) {
      const world = openWorld()
      world.when({ type: 'tick' })
      expect(names(world.use(next))).toContain('schedule_missed definition_changed')
      expect(world.state.asking.size).toBe(0)
    }
  })

  test('new conditions do not change what was asked; without any the next ask lets it run', () => {
    const world = openWorld(askedBy({ retryUntilMs: 600_000, retryEveryMs: 30_000, onError: 'skip' }))
    world.when({ type: 'tick' })
    world.answer(0, NO)
    world.use(definitionsOf([aDag('d', { t: [] })], [aSchedule('s', '* * * * *', 'd', { overlap: 'allow' })]))
    world.now += 30_000
    world.when({ type: 'tick' })
    expect(names(world.answer(0, NO))).toContain('schedule_enqueued due')
  })

  test('more open slots than anybody answers are skipped, and say so', () => {
    const world = openWorld()
    for (let minute = 0; minute < OPEN_SLOTS_MAX; minute++) {
      world.when({ type: 'tick' })
      world.now += 60_000
    }
    expect(world.when({ type: 'tick' })).toMatchObject([
      {
        event: 'schedule_skipped',
        reason: 'too_many_open',
        inputs: { open: OPEN_SLOTS_MAX, oldest: '2026-01-05T06:00Z' },
      },
    ])
  })
})

describe('what is recorded fits a line, however much was asked', () => {
  const long = { holds: false, saw: { output: 'ü'.repeat(1_000) } } as const
  const question = askedBy().conditions![0]!
  const twenty = Array.from({ length: 20 }, () => question)

  test.each([
    ['in one list', twenty],
    ['in lists of lists', twenty.map(() => ({ kind: 'any', of: twenty }) as const)],
  ])('%s', (_, conditions) => {
    for (const answer of [long, { error: 'ü'.repeat(500) }]) {
      const world = openWorld({ conditions })
      world.when({ type: 'tick' })
      const [event] = world.answer(0, answer)
      expect(jsonBytes(event)).toBeLessThan(40_000)
      const { conditions: terms } = (event as unknown as { inputs: { conditions: { holds: unknown }[] } })
        .inputs
      expect(terms.map(({ holds }) => holds)).toEqual(twenty.map(() => ('error' in answer ? null : false)))
    }
  })
})
