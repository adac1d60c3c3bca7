import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../test/support/builders.ts'
import { Agenda } from '../core/planner/agenda.ts'
import { describeState } from '../core/state-machine/checkpoint.ts'
import type { Event } from '../core/state-machine/event.ts'
import { emptyState } from '../core/state-machine/state.ts'
import type { PunctualClock } from '../ports/clock.ts'
import { type Commit, type Journal, JournalFullError, JournalSyncFailedError } from '../ports/journal.ts'
import { Loop } from './loop.ts'

/** A clock that the test moves; nothing happens by itself. */
class HandClock implements PunctualClock {
  wallMs = Date.parse('2026-01-05T06:00:30Z')
  monotonic = 0
  readonly timers = new Set<{ at: number; wake: () => void }>()

  now = () => this.wallMs
  monotonicMs = () => this.monotonic
  after(delayMs: number, wake: () => void): () => void {
    const timer = { at: this.monotonic + delayMs, wake }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }
  at(instant: number, wake: () => void): () => void {
    return this.after(instant - this.wallMs, wake)
  }

  /** Moves both clocks and lets what became due happen, with all that follows. */
  async advance(ms: number): Promise<void> {
    this.wallMs += ms
    this.monotonic += ms
    for (const timer of [...this.timers]) {
      if (timer.at > this.monotonic || !this.timers.delete(timer)) continue
      timer.wake()
    }
    await settle()
  }
}

/** Appends succeed, wait or fail as the test says. */
class ScriptedJournal implements Journal {
  lastSeq = 0
  activeBytes = 0
  journalId = 'test'
  wantsRoll = false
  readonly durable: Event[] = []
  fail: Error | undefined
  hold: Promise<void> | undefined
  appends = 0

  async append(commits: readonly Commit[]): Promise<void> {
    this.appends += 1
    await this.hold
    if (this.fail !== undefined) throw this.fail
    for (const event of commits.flat()) {
      event.seq = ++this.lastSeq
      this.durable.push(event)
    }
  }
  async roll(checkpoint: Commit): Promise<void> {
    this.wantsRoll = false
    await this.append([checkpoint])
  }
  async close(): Promise<void> {}
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

function openLoop(definitions = definitionsOf([]), tidy?: () => void) {
  const clock = new HandClock()
  const journal = new ScriptedJournal()
  const state = emptyState()
  const told: Event[] = []
  /** What `isDurable` said while somebody was told. */
  const durableWhenTold: boolean[] = []
  const fatal: unknown[] = []
  const loop = new Loop(
    { clock, random: { next: () => 0.5 }, journal, state, agenda: new Agenda() },
    {
      limits: { maxParallel: 3, maxTasks: 16 },
      tickMs: 1_000,
      isDiskFull: error => error instanceof JournalFullError,
      committed: events => {
        durableWhenTold.push(loop.isDurable)
        told.push(...events)
      },
      turned: () => {},
      tidy,
      fatal: error => fatal.push(error),
    },
    definitions,
  )
  loop.admission = 'open'
  loop.start()
  return { clock, journal, state, told, durableWhenTold, fatal, loop }
}

const record = (event: string) => ({ type: 'record', fields: { event } }) as const

describe('the loop', () => {
  test('tells nobody of an event before its append has resolved', async () => {
    const { journal, loop, told, durableWhenTold } = openLoop()
    const durable = Promise.withResolvers<void>()
    journal.hold = durable.promise
    let answered = false
    const asked = loop.ask(record('deployed')).then(() => {
      answered = true
    })
    await settle()
    expect([answered, told.length, journal.appends]).toEqual([false, 0, 1])
    expect(loop.isDurable).toBe(false)
    durable.resolve()
    await asked
    // Who waits for the end of something must not look before everybody else has heard of it.
    expect([...new Set(durableWhenTold), loop.isDurable]).toEqual([false, true])
    expect(told.map(({ event }) => event)).toEqual(['deployed'])
  })

  test('takes what came meanwhile in one append', async () => {
    const { journal, loop } = openLoop()
    const durable = Promise.withResolvers<void>()
    journal.hold = durable.promise
    const first = loop.ask(record('first'))
    await settle()
    const rest = ['b', 'c', 'd'].map(name => loop.ask(record(name)))
    durable.resolve()
    await Promise.all([first, ...rest])
    expect(journal.appends).toBe(2)
    expect(journal.durable.map(({ event }) => event)).toEqual(['first', 'b', 'c', 'd'])
  })

  test('wakes for a slot at its instant, not at the next tick', async () => {
    const definitions = definitionsOf([aDag('d', { a: [] })], [aSchedule('s', '* * * * *', 'd')])
    const { clock, journal, loop } = openLoop(definitions)
    loop.ticking = true
    await loop.submit({ type: 'use_definitions', definitions, cause: 'start' })
    await settle()
    const enqueued = () => journal.durable.filter(({ event }) => event === 'schedule_enqueued').length
    expect(enqueued()).toBe(1)
    // Ticks in between find nothing; the last sleep ends exactly with the minute.
    for (let second = 0; second < 29; second++) await clock.advance(1_000)
    await clock.advance(999)
    const before = journal.durable.length
    await clock.advance(1)
    expect(journal.durable.length).toBeGreaterThan(before)
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-05T06:01:00.000Z')
  })

  test('notes a wall clock that was set, by comparing it with the other one', async () => {
    const { clock, journal } = openLoop()
    clock.wallMs -= 3_600_000
    await clock.advance(1_000)
    expect(journal.durable).toMatchObject([
      { event: 'clock_jumped', direction: 'backward', wall_ms: -3_600_000 },
    ])
    await clock.advance(1_000)
    expect(journal.durable).toHaveLength(1)
  })
})

describe('a full disk', () => {
  const full = new JournalFullError('no space left')

  test('is waited out: the same batch is written, work from outside is refused meanwhile, and the end is recorded', async () => {
    const { clock, journal, loop, told } = openLoop()
    journal.fail = full
    const asked = loop.ask(record('kept'))
    await settle()
    await expect(loop.ask(record('refused'))).rejects.toMatchObject({ code: 'DISK_FULL' })
    for (let retry = 0; retry < 5; retry++) await clock.advance(1_000)
    expect(told).toEqual([])
    journal.fail = undefined
    await clock.advance(1_000)
    await asked
    await settle()
    expect(journal.durable).toMatchObject([
      { event: 'kept', seq: 1 },
      { event: 'journal_resumed', reason: 'disk_full', since: '2026-01-05T06:00:30.000Z', refused: 1 },
    ])
  })

  test('ends a loop that must not wait, and nobody was told of the batch', async () => {
    const { journal, loop, told, fatal } = openLoop()
    journal.fail = full
    const asked = loop.ask(record('lost'))
    await settle()
    loop.giveUpOnFullDisk()
    await expect(asked).rejects.toBe(full)
    expect([told, fatal]).toEqual([[], [full]])
  })
})

test('any other journal error ends the loop at once: nothing is written behind it', async () => {
  const { journal, loop, fatal } = openLoop()
  const broken = new JournalSyncFailedError('EIO')
  journal.fail = broken
  await expect(loop.ask(record('a'))).rejects.toBe(broken)
  expect(fatal).toEqual([broken])
  await expect(loop.ask(record('b'))).rejects.toBe(broken)
  expect(journal.appends).toBe(1)
})

describe('the last word', () => {
  const names = (journal: ScriptedJournal) => journal.durable.map(({ event }) => event)

  test('goes behind what comes in the same breath', async () => {
    const { journal, loop } = openLoop()
    await Promise.all([loop.submit({ type: 'stopped' }), loop.submit(record('a'))])
    await loop.stop()
    expect(names(journal)).toEqual(['a', 'scheduler_stopped'])
  })

  test('is the last: what comes later is refused', async () => {
    const { journal, loop } = openLoop()
    await loop.submit({ type: 'stopped' })
    await expect(loop.submit(record('a'))).rejects.toMatchObject({ code: 'SCHEDULER_STOPPED' })
    await loop.stop()
    expect(names(journal)).toEqual(['scheduler_stopped'])
  })

  test('is the last of its segment too: nothing is rolled behind it', async () => {
    const { journal, loop } = openLoop()
    journal.wantsRoll = true
    await loop.submit({ type: 'stopped' })
    await loop.stop()
    expect(names(journal)).toEqual(['scheduler_stopped'])
  })

  test('is not followed by a note on the full disk that it waited for', async () => {
    const { clock, journal, loop } = openLoop()
    journal.fail = new JournalFullError('no space left')
    const stopped = loop.submit({ type: 'stopped' })
    await settle()
    journal.fail = undefined
    await clock.advance(1_000)
    await stopped
    await loop.stop()
    expect(names(journal)).toEqual(['scheduler_stopped'])
  })
})

describe('reading the state', () => {
  test('waits until all of it is on disk', async () => {
    const { journal, loop } = openLoop()
    const disk = Promise.withResolvers<void>()
    journal.hold = disk.promise
    const recorded = loop.submit(record('a'))
    await settle()
    expect(journal.appends).toBe(1)
    let seen: number | undefined
    const read = loop
      .read(() => journal.durable.length)
      .then(count => {
        seen = count
      })
    await settle()
    expect(seen).toBeUndefined()
    disk.resolve()
    await Promise.all([recorded, read])
    expect(seen).toBe(1)
  })

  test('does not wait for a full disk', async () => {
    const { clock, journal, loop } = openLoop()
    journal.fail = new JournalFullError('no space left')
    void loop.submit(record('a'))
    await settle()
    expect(await loop.read(() => loop.diskFullSince)).toBe(clock.now())
  })
})

describe('a large set of definitions', () => {
  const many = definitionsOf(
    [aDag('d', { a: [] })],
    Array.from({ length: 1_234 }, (_, n) => aSchedule(`s${n}`, '0 6 * * *', 'd')),
  )
  const use = { type: 'use_definitions', definitions: many, cause: 'reload' } as const

  test('is written in slices, in order, and answered behind the last', async () => {
    const { journal, told, loop } = openLoop()
    const disk = Promise.withResolvers<void>()
    journal.hold = disk.promise
    let isAnswered = false
    const before = loop.submit(record('before'))
    const used = loop.submit(use).then(events => {
      isAnswered = true
      return events
    })
    const behind = loop.submit(record('behind'))
    await settle()
    expect(journal.appends).toBe(1)
    expect(told).toEqual([])
    expect(isAnswered).toBe(false)
    disk.resolve()
    expect(await used).toEqual([])
    expect((await before)[0]?.seq).toBe(1)
    expect((await behind)[0]?.seq).toBe(1_237)
    expect(journal.appends).toBe(3)
    expect(told).toEqual(journal.durable)
    const ids = told.flatMap(event => (event.event === 'schedule_registered' ? [event['schedule_id']] : []))
    expect(ids).toEqual([...many.schedules.keys()])
  })

  test('of which a slice cannot be written ends the loop: nobody is answered, nothing is told of it', async () => {
    const { journal, told, fatal, loop } = openLoop()
    const broken = new JournalSyncFailedError('EIO')
    const append = journal.append.bind(journal)
    journal.append = commits => (journal.appends === 1 ? Promise.reject(broken) : append(commits))
    const letters = [record('before'), use, record('behind')].map(command => loop.submit(command))
    for (const letter of await Promise.allSettled(letters)) {
      expect(letter).toEqual({ status: 'rejected', reason: broken })
    }
    expect(fatal).toEqual([broken])
    expect(told.length).toBe(journal.durable.length)
    expect(told.length).toBeGreaterThan(0)
    expect(told.length).toBeLessThan(1_000)
  })
})

describe('tidying up', () => {
  test('comes once after work, when the loop has been at rest for a moment', async () => {
    let tidied = 0
    const { clock, loop } = openLoop(undefined, () => {
      tidied += 1
    })
    await clock.advance(5_000)
    expect(tidied).toBe(0)
    await loop.ask(record('first'))
    await settle()
    await clock.advance(15)
    await loop.ask(record('second'))
    await settle()
    await clock.advance(15)
    expect(tidied).toBe(0)
    await clock.advance(5)
    expect(tidied).toBe(1)
    await clock.advance(10_000)
    expect(tidied).toBe(1)
  })

  test('never shortly before something is due', async () => {
    let tidied = 0
    const definitions = definitionsOf([aDag('d', { t: [] })], [aSchedule('s', '* * * * *', 'd')])
    const { clock, loop } = openLoop(definitions, () => {
      tidied += 1
    })
    await loop.submit({ type: 'use_definitions', definitions, cause: 'start' })
    loop.ticking = true
    await loop.submit({ type: 'tick' })
    await settle()
    await clock.advance(25)
    expect(tidied).toBe(1)
    await clock.advance(60_000 - (clock.now() % 60_000) - 100)
    await loop.ask(record('late in the minute'))
    await settle()
    await clock.advance(50)
    expect(tidied).toBe(1)
    await clock.advance(50)
    await clock.advance(25)
    expect(tidied).toBe(2)
  })
})

describe('reading ahead', () => {
  test('looks at what will be due shortly before it is, once, and changes nothing', async () => {
    const plain = aSchedule('s', '* * * * *', 'd')
    let looks = 0
    const next = (after: number) => {
      looks += 1
      return plain.slots.next(after)
    }
    const definitions = definitionsOf([aDag('d', { t: [] })], [{ ...plain, slots: { ...plain.slots, next } }])
    const { clock, loop, state, journal, told } = openLoop(definitions)
    await loop.submit({ type: 'use_definitions', definitions, cause: 'start' })
    loop.ticking = true
    await loop.submit({ type: 'tick' })
    await settle()
    await clock.advance(60_000 - (clock.now() % 60_000) - 500)
    await settle()
    await clock.advance(484)
    const before = { looks, state: describeState(state), appends: journal.appends, nextAt: loop.nextWakeAt }
    await clock.advance(1)
    expect(looks).toBeGreaterThan(before.looks)
    const read = looks
    await clock.advance(14)
    expect(looks).toBe(read)
    expect([describeState(state), journal.appends, loop.nextWakeAt]).toEqual([
      before.state,
      before.appends,
      before.nextAt,
    ])
    await clock.advance(1)
    await settle()
    expect(told.at(-1)).toMatchObject({ event: 'schedule_skipped', reason: 'overlap' })
  })
})
