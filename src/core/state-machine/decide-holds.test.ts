import { expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld, tell } from '../../../test/support/decider-world.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { nextWake } from './next-wake.ts'

const DAG = aDag('work', { only: [] })

function worldOf(changes: Partial<Omit<Schedule, 'timing'>> = {}, cron = '*/10 * * * *'): DeciderWorld {
  const schedule = aSchedule('s', cron, 'work', { overlap: 'allow', ...changes })
  return new DeciderWorld(definitionsOf([DAG], [schedule]), '2026-01-05T06:00:30Z').boot()
}

/** What became of slots, in short. */
function slotsOf(world: DeciderWorld): string[] {
  return tell(world.events.filter(({ event }) => /^schedule_(?:enqueued|skipped|missed)$/.test(event)))
}

test('slots of a pause are skipped with what was said of it, and those after it run', () => {
  const world = worldOf()
  world.tickAt('2026-01-05T06:00:40Z')
  world.when({ type: 'pause', scheduleId: 's', reason: 'migration', until: Date.parse('2026-01-05T06:25Z') })
  for (const minute of ['10', '20', '30']) world.tickAt(`2026-01-05T06:${minute}:00Z`)
  expect(slotsOf(world)).toEqual([
    'schedule_enqueued 2026-01-05T06:00Z due',
    'schedule_skipped 2026-01-05T06:10Z paused',
    'schedule_skipped 2026-01-05T06:20Z paused',
    'schedule_enqueued 2026-01-05T06:30Z due',
  ])
  const skipped = world.events.find(({ event }) => event === 'schedule_skipped')
  expect(skipped).toMatchObject({
    inputs: { since: '2026-01-05T06:00:40.000Z', until: '2026-01-05T06:25:00.000Z', note: 'migration' },
  })
})

test('a pause while the scheduler is down covers its slots and no other, also after it was resumed', () => {
  const world = worldOf({ catchup: 'all' })
  world.tickAt('2026-01-05T06:00:40Z')
  // No tick from here on: people write, the scheduler does not run.
  world.now = Date.parse('2026-01-05T06:15:00Z')
  world.when({ type: 'pause', scheduleId: 's', reason: 'disk' })
  world.now = Date.parse('2026-01-05T06:35:00Z')
  world.when({ type: 'resume', scheduleId: 's', reason: 'done' })
  world.tickAt('2026-01-05T06:50:20Z')
  expect(slotsOf(world)).toEqual([
    'schedule_enqueued 2026-01-05T06:00Z due',
    'schedule_enqueued 2026-01-05T06:10Z catchup',
    'schedule_skipped 2026-01-05T06:20Z paused',
    'schedule_skipped 2026-01-05T06:30Z paused',
    'schedule_enqueued 2026-01-05T06:40Z catchup',
    'schedule_enqueued 2026-01-05T06:50Z due',
  ])
  expect(world.state.schedules.get('s')?.pauses).toBeUndefined()
})

test('latest means the last slot that no pause covers', () => {
  const world = worldOf({ catchup: 'latest' })
  world.tickAt('2026-01-05T06:00:40Z')
  world.now = Date.parse('2026-01-05T06:35:00Z')
  world.when({ type: 'pause', scheduleId: 's', reason: 'disk' })
  world.tickAt('2026-01-05T07:05:00Z')
  expect(slotsOf(world).slice(1)).toEqual([
    'schedule_missed 2026-01-05T06:10Z catchup_latest',
    'schedule_enqueued 2026-01-05T06:30Z catchup',
    'schedule_skipped 2026-01-05T06:40Z paused',
    'schedule_skipped 2026-01-05T06:50Z paused',
    'schedule_skipped 2026-01-05T07:00Z paused',
  ])
})

test('a pause of everything, and its end', () => {
  const world = worldOf()
  world.tickAt('2026-01-05T06:00:40Z')
  world.when({ type: 'pause', reason: 'audit' })
  world.tickAt('2026-01-05T06:10:00Z')
  expect(() => world.when({ type: 'resume', scheduleId: 's', reason: 'x' })).toThrow(
    'schedule "s" is not paused',
  )
  world.when({ type: 'resume', reason: 'done' })
  world.tickAt('2026-01-05T06:20:00Z')
  expect(slotsOf(world)).toEqual([
    'schedule_enqueued 2026-01-05T06:00Z due',
    'schedule_skipped 2026-01-05T06:10Z frozen',
    'schedule_enqueued 2026-01-05T06:20Z due',
  ])
  expect(() => world.when({ type: 'resume', reason: 'again' })).toThrow('scheduling is not paused')
})

test('skip takes the next slot that nobody has touched', () => {
  const world = worldOf()
  world.tickAt('2026-01-05T06:00:40Z')
  world.when({ type: 'skip_slot', scheduleId: 's', reason: 'demo' })
  world.when({ type: 'skip_slot', scheduleId: 's', reason: 'demo' })
  for (const minute of ['10', '20', '30']) world.tickAt(`2026-01-05T06:${minute}:00Z`)
  expect(slotsOf(world)).toEqual([
    'schedule_enqueued 2026-01-05T06:00Z due',
    'schedule_skipped 2026-01-05T06:10Z skipped_by_hand',
    'schedule_skipped 2026-01-05T06:20Z skipped_by_hand',
    'schedule_enqueued 2026-01-05T06:30Z due',
  ])
})

test('a skip is taken back: the slot is decided as if nobody had asked, through a restart', () => {
  const world = worldOf()
  const ask = (type: 'skip_slot' | 'unskip_slot', minute?: string) =>
    world.when({
      type,
      scheduleId: 's',
      reason: 'demo',
      ...(minute && { slot: Date.parse(`2026-01-05T06:${minute}Z`) }),
    })
  world.tickAt('2026-01-05T06:00:40Z')
  const refused = (code: string, message: string) =>
    expect.objectContaining({ code, exitCode: 5, message: expect.stringContaining(message) })
  expect(() => ask('unskip_slot')).toThrow(refused('NOT_SKIPPED', 'no slot of schedule "s" is to be skipped'))
  for (const minute of ['10', '20', '30']) ask('skip_slot', minute)
  expect(() => ask('skip_slot', '20')).toThrow(
    expect.objectContaining({ hint: 'scheduler skip s 2026-01-05T06:20Z --undo' }),
  )
  expect(ask('unskip_slot', '20')).toMatchObject([
    { event: 'slot_skip_withdrawn', schedule_id: 's', slot: '2026-01-05T06:20Z', reason: 'demo' },
  ])
  expect(() => ask('unskip_slot', '20')).toThrow(refused('NOT_SKIPPED', 'is not to be skipped'))
  expect(() => ask('unskip_slot', '00')).toThrow(refused('SLOT_DECIDED', 'is decided already'))
  // The soonest of those that are left.
  expect(ask('unskip_slot')).toMatchObject([{ slot: '2026-01-05T06:10Z' }])
  Object.assign(world.state, world.restored())
  world.use(world.definitions)
  for (const minute of ['10', '20', '30']) world.tickAt(`2026-01-05T06:${minute}:00Z`)
  expect(slotsOf(world)).toEqual([
    'schedule_enqueued 2026-01-05T06:00Z due',
    'schedule_enqueued 2026-01-05T06:10Z due',
    'schedule_enqueued 2026-01-05T06:20Z due',
    'schedule_skipped 2026-01-05T06:30Z skipped_by_hand',
  ])
})

test('a slot that was run ahead of time is not run again, through a restart and a downtime', () => {
  const world = worldOf({ catchup: 'all' })
  world.when({ type: 'run_slot', scheduleId: 's', slot: Date.parse('2026-01-05T06:20Z'), cause: 'cli' })
  world.ok('s@2026-01-05T06:20Z', 'only')
  const again = world.when({
    type: 'run_slot',
    scheduleId: 's',
    slot: Date.parse('2026-01-05T06:20Z'),
    cause: 'cli',
  })
  expect(again[0]).toMatchObject({
    event: 'run_requested',
    run_id: expect.stringMatching(/^work@manual-[0-9A-Z]{26}$/),
    schedule_id: 's',
    slot: '2026-01-05T06:20Z',
    cause: 'cli',
  })
  Object.assign(world.state, world.restored())
  world.use(world.definitions)
  world.tickAt('2026-01-05T06:30:00Z')
  expect(slotsOf(world)).toEqual([
    'schedule_enqueued 2026-01-05T06:20Z by_hand',
    'schedule_enqueued 2026-01-05T06:00Z catchup',
    'schedule_enqueued 2026-01-05T06:10Z catchup',
    'schedule_enqueued 2026-01-05T06:30Z due',
  ])
})

test.each([
  [
    'a time that is no slot',
    '2026-01-05T06:11Z',
    'has no slot at',
    'the next one after it is 2026-01-05T06:20Z',
  ],
  ['one that is decided', '2026-01-05T06:00Z', 'is decided already', 'scheduler why s 2026-01-05T06:00Z'],
])('%s is refused', (_, slot, message, hint) => {
  const world = worldOf()
  world.tickAt('2026-01-05T06:05:00Z')
  const ask = () => world.when({ type: 'skip_slot', scheduleId: 's', slot: Date.parse(slot), reason: '' })
  expect(ask).toThrow(expect.objectContaining({ message: expect.stringContaining(message), hint }))
})

test('an unknown schedule is answered with the one that is meant; a pause that is over already is refused', () => {
  const world = worldOf()
  expect(() => world.when({ type: 'pause', scheduleId: 'ss', reason: '' })).toThrow(
    expect.objectContaining({ code: 'SCHEDULE_NOT_FOUND', hint: 'did you mean "s"?' }),
  )
  expect(() => world.when({ type: 'pause', scheduleId: 's', reason: '', until: world.now })).toThrow(
    expect.objectContaining({ code: 'PAUSE_INVALID' }),
  )
})

test('replace ends the run in the way, and the new one starts when it has ended', () => {
  const world = worldOf({ overlap: 'replace' })
  world.tickAt('2026-01-05T06:00:40Z')
  world.tickAt('2026-01-05T06:10:00Z')
  expect(tell(world.events.slice(-2))).toEqual([
    'run_cancel_requested s@2026-01-05T06:00Z replaced by the slot 2026-01-05T06:10Z',
    'schedule_enqueued 2026-01-05T06:10Z due',
  ])
  world.end('s@2026-01-05T06:00Z', 'only', { kind: 'cancelled', reason: 'asked to' })
  expect(world.state.runs.get('s@2026-01-05T06:10Z')?.status).toBe('running')
})

test('jitter holds a run back by the same span every time, and wakes for it', () => {
  const world = worldOf({ jitterMs: 60_000 })
  world.tickAt('2026-01-05T06:00:40Z')
  const run = world.state.runs.get('s@2026-01-05T06:00Z')!
  const { startAfter } = run
  expect(startAfter).toBeGreaterThan(Date.parse('2026-01-05T06:00Z'))
  expect(startAfter).toBeLessThan(Date.parse('2026-01-05T06:01Z'))
  world.now = startAfter! - 1
  world.when({ type: 'wake' })
  if (startAfter! > Date.parse('2026-01-05T06:00:40Z')) expect(run.status).toBe('queued')
  world.now = startAfter!
  world.when({ type: 'wake' })
  expect(run.status).toBe('running')
})

test('a run that has not started by its deadline is cancelled; a slot found later than it is missed', () => {
  const world = worldOf({ startingDeadlineMs: 120_000, overlap: 'queue', catchup: 'all' })
  world.tickAt('2026-01-05T06:00:40Z')
  world.tickAt('2026-01-05T06:10:00Z')
  expect(world.state.runs.get('s@2026-01-05T06:10Z')?.status).toBe('queued')
  world.tickAt('2026-01-05T06:12:00Z')
  expect(tell(world.events).slice(-2)).toEqual([
    'run_cancel_requested s@2026-01-05T06:10Z starting_deadline: not started by 2026-01-05T06:12:00.000Z',
    'run_finished 2026-01-05T06:10Z cancelled',
  ])
  world.tickAt('2026-01-05T06:45:00Z')
  expect(slotsOf(world).slice(-1)).toEqual(['schedule_missed 2026-01-05T06:20Z deadline'])
})

test('a deadline wakes only the process that enforces it: any other would spin', () => {
  const world = worldOf({ startingDeadlineMs: 120_000, overlap: 'queue', catchup: 'all' })
  world.tickAt('2026-01-05T06:00:40Z')
  world.tickAt('2026-01-05T06:10:00Z')
  const deadline = Date.parse('2026-01-05T06:12:00Z')
  expect(nextWake(world.state, world.agenda, true)).toBe(deadline)
  // A foreground run, a command, a drain: they look at slots and deadlines as little as at each other's runs.
  world.driven = { runId: 's@2026-01-05T06:00Z' }
  world.now = deadline + 1
  world.when({ type: 'wake' })
  expect(world.state.runs.get('s@2026-01-05T06:10Z')?.status).toBe('queued')
  expect(nextWake(world.state, world.agenda, false)).toBeUndefined()
})

test('a run that was held back and then waited its turn starts, also if the clock went back meanwhile', () => {
  const world = worldOf({ jitterMs: 1, overlap: 'queue' }, '* * * * *')
  world.tickAt('2026-01-05T06:00:40Z')
  const first = 's@2026-01-05T06:00Z'
  const jittered = { ...world.definitions.schedules.get('s')!, jitterMs: 50_000 }
  world.use(definitionsOf([DAG], [jittered]))
  world.tickAt('2026-01-05T06:01:00Z')
  const second = world.state.runs.get('s@2026-01-05T06:01Z')!
  expect(second.startAfter).toBeGreaterThan(Date.parse('2026-01-05T06:01:00Z'))
  // Its time comes while the first one is still at work …
  world.tickAt('2026-01-05T06:01:55Z')
  expect(second.status).toBe('queued')
  // … which ends at a time that is before it.
  world.now = Date.parse('2026-01-05T06:00:50Z')
  world.ok(first, 'only')
  world.tickAt('2026-01-05T06:01:58Z')
  expect(second.status).toBe('running')
})
