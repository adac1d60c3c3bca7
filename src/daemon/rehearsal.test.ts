import { describe, expect, it } from 'vitest'
import { VirtualTime } from '../../test/simulation/virtual-clock.ts'
import { aDag, aSchedule, definitionsOf } from '../../test/support/builders.ts'
import { MemoryJournal } from '../adapters/memory/journal.ts'
import { Agenda } from '../core/planner/agenda.ts'
import { isUserEvent, type SystemEvent } from '../core/state-machine/event.ts'
import { Rehearsal } from './rehearsal.ts'

const NOW = Date.parse('2026-01-05T06:30:00Z')
const LIMITS = { maxParallel: 3, maxTasks: 16 }

/** `together` schedules that are due each hour, and some that never are with anybody. */
function aWorld(together: number, overlap: 'skip' | 'allow' = 'skip') {
  const dags = [aDag('pair', { first: [], second: ['first'] }), aDag('other', { one: [] })]
  const crowd = Array.from({ length: together }, (_, n) =>
    aSchedule(`hourly_${n}`, '0 * * * *', 'pair', { overlap }),
  )
  const alone = Array.from({ length: 50 }, (_, n) => aSchedule(`alone_${n}`, `${n} 3 * * *`, 'other'))
  const definitions = definitionsOf(dags, [...alone, ...crowd])
  const agenda = new Agenda()
  for (const schedule of definitions.schedules.values()) agenda.put(schedule.slots.next(NOW), schedule)
  const time = new VirtualTime(NOW)
  const journal = new MemoryJournal()
  const parts = { clock: time.clockFor({}), agenda, definitions, limits: LIMITS, journal }
  return { agenda, time, journal, parts, rehearsal: new Rehearsal(parts) }
}

/** Lets `forMs` of time pass, or as much as `until` takes. */
async function pass(time: VirtualTime, until: Promise<unknown>, forMs = Number.POSITIVE_INFINITY) {
  const watched = { isDone: false }
  const done = () => {
    watched.isDone = true
  }
  until.then(done, done)
  for (let ms = 0; ms < forMs && !watched.isDone; ms++) {
    time.pass(1)
    time.fireDue()
    // The loop's own steps between two timers.
    await new Promise(resolve => setImmediate(resolve))
  }
  return watched.isDone
}

function named<Name extends SystemEvent['event']>(journal: MemoryJournal, name: Name) {
  return journal.events().filter(event => !isUserEvent(event) && event.event === name) as (SystemEvent & {
    event: Name
  })[]
}

describe('Rehearsal', () => {
  it('plays whole runs of those that are due together, and some that are in the way', async () => {
    const { agenda, time, journal, rehearsal } = aWorld(130)
    const before = agenda.earliest(1_000)
    expect(await pass(time, rehearsal.run())).toBe(true)

    const enqueued = named(journal, 'schedule_enqueued')
    expect(new Set(enqueued.map(event => event.schedule_id)).size).toBe(100)
    expect(enqueued.every(event => event.schedule_id.startsWith('hourly_'))).toBe(true)
    expect(enqueued.length).toBeGreaterThan(5_500)
    expect(enqueued.at(-1)!.slot > '2026-01-07').toBe(true)
    const skipped = named(journal, 'schedule_skipped')
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set(['overlap']))
    expect(skipped.length).toBeGreaterThan(50)
    const statuses = Map.groupBy(named(journal, 'run_finished'), ({ status }) => status)
    expect([...statuses.keys()].sort()).toEqual(['cancelled', 'success'])
    expect(statuses.get('success')!.length).toBeGreaterThan(5_000)
    expect(named(journal, 'task_ok').length).toBeGreaterThan(10_000)
    // The real schedules stand where they stood.
    expect(agenda.earliest(1_000)).toEqual(before)
    expect(time.nextTimerMs).toBeUndefined()
  })

  it('leaves the way free where runs of one schedule may stand side by side', async () => {
    const { time, journal, rehearsal } = aWorld(100, 'allow')
    expect(await pass(time, rehearsal.run())).toBe(true)
    expect(named(journal, 'schedule_skipped')).toEqual([])
    expect(
      named(journal, 'run_finished').filter(({ status }) => status === 'cancelled').length,
    ).toBeGreaterThan(50)
  })

  it('is over when nothing will be due any more', async () => {
    const { time, journal, parts } = aWorld(100)
    // Two slots each, and none after them.
    const instants = [NOW + 60_000, NOW + 120_000]
    const slots = { next: (after: number) => instants.find(at => at > after) }
    const schedules = new Map(
      Array.from({ length: 100 }, (_, n) => {
        const schedule = { ...parts.definitions.schedules.get('hourly_0')!, id: `twice_${n}`, slots }
        return [schedule.id, schedule] as const
      }),
    )
    const agenda = new Agenda()
    for (const schedule of schedules.values()) agenda.put(NOW + 60_000, schedule)
    const rehearsal = new Rehearsal({ ...parts, agenda, definitions: { ...parts.definitions, schedules } })
    expect(await pass(time, rehearsal.run(), 10_000)).toBe(true)
    expect(named(journal, 'schedule_enqueued').length).toBeGreaterThan(100)
    expect(time.nextTimerMs).toBeUndefined()
  })

  it('is over at once where fewer are due together', async () => {
    const { time, journal, rehearsal } = aWorld(99)
    await rehearsal.run()
    expect(journal.events().map(({ event }) => event)).toEqual(['segment_opened'])
    expect(time.nextTimerMs).toBeUndefined()
  })

  it('waits while something is due, and goes on when it is not', async () => {
    const { agenda, time, journal, parts, rehearsal } = aWorld(100)
    agenda.put(NOW + 60, parts.definitions.schedules.get('alone_0')!)
    const over = rehearsal.run()
    expect(await pass(time, over, 9)).toBe(false)
    const sofar = named(journal, 'schedule_enqueued').length
    expect(sofar).toBeGreaterThan(0)
    expect(await pass(time, over, 10)).toBe(false)
    const waiting = named(journal, 'schedule_enqueued').length
    expect(await pass(time, over, 500)).toBe(false)
    expect(named(journal, 'schedule_enqueued').length).toBe(waiting)
    expect(agenda.takeDue(NOW + 60)?.id).toBe('alone_0')
    expect(await pass(time, over)).toBe(true)
    expect(named(journal, 'schedule_enqueued').length).toBeGreaterThan(5_500)
  })

  it('gives up when a minute had no rest', async () => {
    const { agenda, time, journal, parts, rehearsal } = aWorld(100)
    agenda.put(NOW, parts.definitions.schedules.get('alone_0')!)
    const over = rehearsal.run()
    expect(await pass(time, over, 59_000)).toBe(false)
    expect(await pass(time, over, 2_000)).toBe(true)
    expect(named(journal, 'schedule_enqueued')).toEqual([])
    expect(time.nextTimerMs).toBeUndefined()
  })

  it('ends in the middle when it is closed', async () => {
    const { time, journal, rehearsal } = aWorld(100)
    const over = rehearsal.run()
    expect(await pass(time, over, 40)).toBe(false)
    rehearsal.close()
    expect(await pass(time, over, 10)).toBe(true)
    const { length } = journal.events()
    expect(await pass(time, Promise.race([]), 100)).toBe(false)
    expect(journal.events().length).toBe(length)
    expect(time.nextTimerMs).toBeUndefined()
  })

  it('says what broke it off', async () => {
    const { time, parts } = aWorld(100)
    const journal = new MemoryJournal({
      beforeWrite: () => {
        throw new Error('no stage')
      },
    })
    const over = new Rehearsal({ ...parts, journal }).run()
    await Promise.all([pass(time, over), expect(over).rejects.toThrow('no stage')])
  })
})
