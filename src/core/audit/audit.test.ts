// The audit against the real decider: whatever happens, every slot is found decided once, at every point where a crash
// may cut the story; and every planted fault is found.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, askedBy, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import type { Answer } from '../condition/question.ts'
import { DagbokError } from '../error.ts'
import type { RollConvention, TimingRoll } from '../schedule/roll.ts'
import type { Catchup, Overlap } from '../schedule/schedule.ts'
import { compileTiming, cronTiming, type Timing } from '../schedule/timing.ts'
import { checkpointEvents } from '../state-machine/checkpoint.ts'
import type { Event } from '../state-machine/event.ts'
import { emptyState } from '../state-machine/state.ts'
import { formatSlot, parseInstant } from '../time/instant.ts'
import { Audit, type AuditReport } from './audit.ts'
import { dispositionOf } from './disposition.ts'
import { GRACE_MS } from './proof.ts'
import { isSlot, slotBefore } from './slot-search.ts'

const START = '2026-03-28T23:00:00Z'
const DAGS = [aDag('single', { only: [] }), aDag('pair', { a: [], b: ['a'] })]

/** What the world says to the conditions of a slot. */
const ANSWERS: readonly Answer[] = [
  { holds: true, saw: { bytes: 1 } },
  { holds: false, saw: { missing: true } },
  { error: 'nobody knows' },
]

const rollOf = (convention: RollConvention): TimingRoll => ({
  convention,
  calendar: 'office',
  days: { weekend: ['SAT'] },
})

const schedules = fc.array(
  fc.record({
    cron: fc.constantFrom('* * * * *', '*/5 * * * *', '7 * * * *', '30 2 * * *', '*/20 * * * * *'),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
    dag: fc.constantFrom('single', 'pair'),
    catchup: fc.constantFrom<Catchup>('none', 'latest', 'all'),
    overlap: fc.constantFrom<Overlap>('skip', 'allow', 'queue', 'replace'),
    startingDeadlineMs: fc.constantFrom(undefined, undefined, 45_000),
    jitterMs: fc.constantFrom(undefined, undefined, 30_000),
    more: fc.constantFrom<Partial<Timing>>(
      {},
      {},
      {},
      { crons: ['*/10 * * * *', '3,10 * * * *'] },
      { crons: [], every: '7m' },
      { crons: [], at: ['2026-03-28T23:40:00Z', '2026-03-29T01:00:30Z'] },
      { endAt: '2026-03-29T01:10:00Z' },
      { crons: ['30 2 * * *', '*/20 * * * SAT'], roll: rollOf('following') },
      { crons: ['45 1 29 * *', '0 */2 * * SUN'], roll: rollOf('modified_following') },
      { crons: ['30 2 * * *', '10 * * * SUN'], roll: { ...rollOf('preceding'), days: { weekend: ['SUN'] } } },
    ),
    maxCatchup: fc.integer({ min: 1, max: 5 }),
    enabled: fc.boolean(),
    asked: fc.constantFrom(
      undefined,
      undefined,
      undefined,
      undefined,
      askedBy(),
      askedBy({ retryUntilMs: 120_000, retryEveryMs: 20_000, onError: 'run' }),
      askedBy({ retryUntilMs: 40_000, retryEveryMs: 60_000, onError: 'skip' }),
    ),
  }),
  { minLength: 1, maxLength: 5 },
)
type Drawn = typeof schedules extends fc.Arbitrary<infer T> ? T : never

const stepOf = (minSeconds: number) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('tick' as const), seconds: fc.integer({ min: 0, max: 90 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('tick' as const),
        seconds: fc.integer({ min: minSeconds, max: 20_000 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('answer' as const), pick: fc.nat(), how: fc.nat(2) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('down' as const),
        seconds: fc.integer({ min: 1, max: 40_000 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('pause' as const, 'resume' as const, 'skip_slot' as const, 'run_slot' as const),
        pick: fc.nat(),
        minutes: fc.integer({ min: 0, max: 60 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('redefine' as const), to: schedules }) },
  )

type Step = ReturnType<typeof stepOf> extends fc.Arbitrary<infer T> ? T : never

function define(drawn: Drawn) {
  return definitionsOf(
    DAGS,
    drawn.map(({ cron, zone, dag, more, asked, ...policy }, index) =>
      aSchedule(`s${index}`, cron, dag, { ...policy, ...asked, timing: { timezone: zone, ...more } }),
    ),
  )
}

interface Story {
  readonly events: readonly Event[]
  /** Positions behind each commit: where a crash may cut. */
  readonly cuts: readonly number[]
  readonly now: number
}

/** Some hours of a scheduler that ticks, stalls, goes down and is redefined; in the end it ticks for minutes and stops. */
function live(drawn: Drawn, steps: readonly Step[]): Story {
  let world = new DeciderWorld(define(drawn), START)
  const cuts: number[] = []
  const noteCuts = () => {
    let end = cuts.at(-1) ?? 0
    for (const { length } of world.commits.splice(0)) {
      end += length
      cuts.push(end)
    }
  }
  world.boot()
  for (const move of steps) {
    if (move.kind === 'tick') {
      world.now += move.seconds * 1_000
      world.when({ type: 'tick' })
    } else if (move.kind === 'end') {
      const live = [...world.state.live.values()]
      if (live.length > 0)
        world.ok(live[move.pick % live.length]!.runId, live[move.pick % live.length]!.taskId)
    } else if (move.kind === 'answer') {
      world.answer(move.pick, ANSWERS[move.how]!)
    } else if (move.kind === 'down') {
      noteCuts()
      const old = world
      world = new DeciderWorld(old.definitions, START)
      world.now = old.now + move.seconds * 1_000
      world.events.push(...old.events)
      Object.assign(world.state, emptyState(), old.replayed())
      world.boot()
    } else if (move.kind === 'redefine') world.use(define(move.to))
    else steer(world, move)
    noteCuts()
  }
  // Up to where the clock had been, if it was set back, and on from there.
  world.now = Math.max(world.now, ...world.events.map(({ timestamp }) => parseInstant(timestamp)))
  for (let tick = 0; tick < 25; tick++) {
    world.now += 10_000
    world.when({ type: 'tick' })
    while (world.state.asking.size > 0) world.answer(0, ANSWERS[tick % 3]!)
  }
  world.when({ type: 'stop', reason: 'test' })
  world.when({ type: 'stopped' })
  noteCuts()
  return { events: world.events, cuts, now: world.now }
}

const storiesOf = (minSeconds: number) =>
  fc
    .tuple(schedules, fc.array(stepOf(minSeconds), { maxLength: 40 }))
    .map(([drawn, steps]) => live(drawn, steps))
const stories = storiesOf(-4_000)
/** Where the clock is set back, a retirement may be older than what was decided before it. */
const forwardStories = storiesOf(0)

/** What people do to slots. A refusal leaves no trace. */
function steer(
  world: DeciderWorld,
  {
    kind,
    pick,
    minutes,
  }: { kind: 'pause' | 'resume' | 'skip_slot' | 'run_slot'; pick: number; minutes: number },
): void {
  const scheduleId = `s${pick % Math.max(1, world.definitions.schedules.size)}`
  const slot = world.definitions.schedules.get(scheduleId)?.slots.next(world.now + (minutes - 5) * 60_000)
  try {
    if (kind === 'run_slot') {
      if (slot !== undefined) world.when({ type: kind, scheduleId, slot, cause: 'test' })
    } else if (kind === 'skip_slot')
      world.when({ type: kind, scheduleId, reason: 'test', ...(slot && { slot }) })
    else {
      const subject = pick % 5 === 0 ? {} : { scheduleId }
      if (kind === 'resume') world.when({ type: kind, reason: 'test', ...subject })
      else world.when({ type: kind, reason: 'test', until: world.now + minutes * 60_000, ...subject })
    }
  } catch (error) {
    expect(error).toBeInstanceOf(DagbokError)
  }
}

function audit(events: Iterable<Event>, now: number): AuditReport {
  const found = new Audit()
  for (const event of events) found.take(event)
  return found.finish(now)
}

/** Slots whose conditions have no answer yet. */
function stillOpen(events: readonly Event[]): number {
  const open = new Set<string>()
  for (const event of events as readonly (Event & { schedule_id?: string; slot?: string; to?: string })[]) {
    const key = `${event.schedule_id} ${event.slot ?? event.to}`
    if (event.event === 'slot_opened') open.add(key)
    else if (dispositionOf(event) !== undefined) open.delete(key)
  }
  return open.size
}

const faults = ({ findings }: AuditReport) => findings.filter(({ kind }) => kind !== 'missed')
const numRuns = Number(process.env['WALKS'] ?? 200)

describe('of what the decider did', () => {
  test('every slot is found decided once, and the counts are those of the journal', () => {
    fc.assert(
      fc.property(stories, ({ events, now }) => {
        const report = audit(events, now)
        expect(faults(report)).toEqual([])
        const told = { enqueued: 0, skipped: 0, missed: 0 }
        for (const { kind, count } of events.flatMap(event => dispositionOf(event) ?? [])) told[kind] += count
        const sum = (name: 'enqueued' | 'skipped' | 'missed' | 'open' | 'expected') =>
          report.schedules.reduce((total, schedule) => total + schedule[name], 0)
        expect({ enqueued: sum('enqueued'), skipped: sum('skipped'), missed: sum('missed') }).toEqual(told)
        const waiting = stillOpen(events)
        expect(sum('open')).toBe(waiting)
        expect(sum('expected')).toBe(told.enqueued + told.skipped + told.missed + waiting)
      }),
      { numRuns },
    )
  })

  test('wherever a crash cuts the story, nothing is called undecided that nobody was there to decide', () => {
    fc.assert(
      fc.property(
        stories,
        fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
        ({ events, cuts }, picks) => {
          for (const pick of picks) {
            const cut = events.slice(0, cuts[pick % cuts.length])
            const last = Math.max(...cut.map(({ timestamp }) => parseInstant(timestamp)))
            expect(faults(audit(cut, last + 3_600_000))).toEqual([])
          }
        },
      ),
      { numRuns },
    )
  })

  test('from a checkpoint on it is the same', () => {
    fc.assert(
      fc.property(schedules, schedules, (before, after) => {
        const world = new DeciderWorld(define(before), START)
        world.boot()
        for (let tick = 0; tick < 20; tick++) {
          world.now += 47_000
          world.when({ type: 'tick' })
        }
        const kept = world.events.length
        const opening = checkpointEvents(world.state, new Date(world.now).toISOString())
        world.use(define(after))
        for (let tick = 0; tick < 20; tick++) {
          world.now += 53_000
          world.when({ type: 'tick' })
        }
        const tail = world.events.slice(kept)
        const report = audit([...(JSON.parse(JSON.stringify(opening)) as Event[]), ...tail], world.now)
        expect(faults(report)).toEqual([])
        expect(report.schedules.reduce((total, { expected }) => total + expected, 0)).toBe(
          tail.flatMap(event => dispositionOf(event) ?? []).reduce((total, { count }) => total + count, 0) +
            stillOpen(world.events),
        )
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    )
  })

  test('a window counts only its own slots', () => {
    fc.assert(
      fc.property(stories, fc.nat(), fc.nat(), ({ events, now }, a, b) => {
        const start = parseInstant(START)
        const [from, to] = [start + (a % (now - start)), start + (b % (now - start))].sort((x, y) => x - y)
        const parts = [{ to: from! }, { from: from!, to: to! }, { from: to! }].map(scope => {
          const part = new Audit(scope)
          for (const event of events) part.take(event)
          return part.finish(now).schedules.reduce((total, { expected }) => total + expected, 0)
        })
        const whole = audit(events, now).schedules.reduce((total, { expected }) => total + expected, 0)
        expect(parts[0]! + parts[1]! + parts[2]!).toBe(whole)
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    )
  })
})

describe('of what was planted', () => {
  type Fits = (event: Event) => boolean

  /** The place of a decision that fits and is old enough to be proven; undefined if there is none. */
  const pickDecision = ({ events, now }: Story, pick: number, fits: Fits): number | undefined => {
    const opened = new Set(
      (events as readonly (Event & { schedule_id?: string; slot?: string })[])
        .filter(({ event }) => event === 'slot_opened')
        .map(({ schedule_id, slot }) => `${schedule_id} ${parseInstant(slot!)}`),
    )
    const places = events.flatMap((event, index) => {
      const disposition = dispositionOf(event)
      // A slot that was run before its time may never have come: its schedule was changed before. One whose conditions
      // were asked is open as long as its decision is not there, and nobody can say that it should be.
      if (disposition?.reason === 'by_hand') return []
      if (disposition !== undefined && opened.has(`${disposition.scheduleId} ${disposition.to}`)) return []
      return disposition === undefined || disposition.to > now - 2 * GRACE_MS || !fits(event) ? [] : [index]
    })
    return places.length === 0 ? undefined : places[pick % places.length]
  }
  let planted = 0
  const plant = (
    change: (events: Event[], at: number) => boolean,
    check: (report: AuditReport, event: Event) => void,
    fits: Fits = () => true,
  ) => {
    planted = 0
    fc.assert(
      fc.property(forwardStories, fc.nat(), (story, pick) => {
        const at = pickDecision(story, pick, fits)
        if (at === undefined) return
        const events = structuredClone(story.events) as Event[]
        const event = structuredClone(events[at]!)
        if (!change(events, at)) return
        planted += 1
        check(audit(events, story.now), event)
      }),
      { numRuns },
    )
    expect(planted).toBeGreaterThan(numRuns / 4)
  }

  test('a decision that is not there: its slots are undecided', () => {
    plant(
      (events, at) => events.splice(at, 1).length === 1,
      (report, event) => {
        const { scheduleId, from, to, count } = dispositionOf(event)!
        const lost = faults(report).filter(({ kind }) => kind === 'undecided')
        expect(lost.every(({ schedule_id }) => schedule_id === scheduleId)).toBe(true)
        expect(lost.reduce((total, finding) => total + finding.count, 0)).toBe(count)
        expect([lost[0]?.from, lost.at(-1)?.to]).toEqual([from, to])
      },
    )
  })

  test('a decision that is there twice, at once or at the end', () => {
    for (const late of [false, true]) {
      plant(
        (events, at) => {
          const again = { ...events[at]!, timestamp: late ? events.at(-1)!.timestamp : events[at]!.timestamp }
          events.splice(late ? events.length : at + 1, 0, again as Event)
          return true
        },
        (report, event) => {
          const { scheduleId, count } = dispositionOf(event)!
          const doubled = report.schedules.find(({ schedule_id }) => schedule_id === scheduleId)?.doubled
          expect(doubled).toBe(count)
          expect(faults(report).some(({ kind }) => kind === 'doubled')).toBe(true)
        },
      )
    }
  })

  test('a slot that is shifted by a second: one undecided, one that was never due', () => {
    plant(
      (events, at) => {
        const event = events[at] as Event & { slot: string }
        event.slot = new Date(parseInstant(event.slot) + 1_000).toISOString().replace('.000Z', 'Z')
        return true
      },
      (report, event) => {
        const { from } = dispositionOf(event)!
        expect(
          faults(report)
            .map(({ kind }) => kind)
            .sort(),
        ).toEqual(['never_due', 'undecided'])
        expect(faults(report).find(({ kind }) => kind === 'undecided')?.from).toBe(from)
      },
      // A span has no slot of its own to shift.
      event => 'slot' in event,
    )
  })

  test('a span that says another number than it covers, and a cursor that leaps over slots', () => {
    const story = (cursor: string, count: number) =>
      [
        { event: 'scheduler_started', mode: 'serve', epoch: 1 },
        {
          event: 'schedule_registered',
          schedule_id: 's',
          cause: 'first_seen',
          cursor,
          cron: '0 * * * *',
          timezone: 'UTC',
        },
        {
          event: 'schedule_missed',
          schedule_id: 's',
          from: '2026-01-05T04:00Z',
          to: '2026-01-05T06:00Z',
          count,
          reason: 'catchup_none',
        },
      ].map((line, index) => ({
        timestamp: '2026-01-05T00:30:00.000Z',
        seq: index + 1,
        ...line,
      })) as unknown as Event[]
    const now = Date.UTC(2026, 0, 5, 6, 30)
    expect(faults(audit(story('2026-01-05T03:30:00.000Z', 4), now))).toMatchObject([
      { kind: 'miscounted', count: 4, seq: 3 },
      { kind: 'undecided', from: Date.UTC(2026, 0, 5, 1), to: Date.UTC(2026, 0, 5, 3), count: 3 },
    ])
    expect(faults(audit(story('2026-01-05T00:30:00.000Z', 3), now))).toMatchObject([
      { kind: 'undecided', count: 3 },
    ])
  })

  test('a slot run by hand before it comes has its decision; a second one is one too many', () => {
    const line = (at: string, event: string, fields: object, seq: number) =>
      ({ timestamp: `2026-01-05T${at}:00.000Z`, event, seq, schedule_id: 's', ...fields }) as unknown as Event
    const registered = {
      cause: 'first_seen',
      cursor: '2026-01-05T00:00:00.000Z',
      cron: '0 * * * *',
      timezone: 'UTC',
    }
    const decided = (slot: string, reason: string) => ({ slot: `2026-01-05T${slot}Z`, reason })
    const events = [
      line('00:30', 'schedule_registered', registered, 1),
      line('00:40', 'schedule_enqueued', decided('02:00', 'by_hand'), 2),
      line('01:00', 'schedule_enqueued', decided('01:00', 'due'), 3),
      line('03:00', 'schedule_enqueued', decided('03:00', 'due'), 4),
    ]
    const now = Date.UTC(2026, 0, 5, 3, 30)
    expect(faults(audit(events, now))).toEqual([])
    const again = line('02:00', 'schedule_enqueued', decided('02:00', 'due'), 4)
    expect(faults(audit(events.toSpliced(3, 0, again), now))).toMatchObject([{ kind: 'doubled', seq: 4 }])
  })
})

test('the slot before an instant', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('* * * * *', '30 2 * * *', '0 0 29 2 *', '*/20 * * * * *', '15 3 1 1 *'),
      fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
      fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2060, 0) }),
      (cron, timezone, instant) => {
        const slots = compileTiming(cronTiming(cron, timezone), 's')
        const before = slotBefore(slots, instant)!
        expect(isSlot(slots, before)).toBe(true)
        expect(before).toBeLessThan(instant)
        expect(slots.next(before)).toBeGreaterThanOrEqual(instant)
        expect(formatSlot(before)).toMatch(/Z$/)
      },
    ),
    { numRuns: 200 },
  )
})
