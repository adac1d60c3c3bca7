import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld, tell } from '../../../test/support/decider-world.ts'
import { describeState } from './checkpoint.ts'
import type { Event, RunStarted, ScheduleEnqueued } from './event.ts'

const CHAIN = aDag('chain', { a: [], b: ['a'], c: ['b'] })
const START = '2026-01-05T06:00:30Z'

function world(changes: Parameters<typeof aSchedule>[3] = {}, cron = '* * * * *', dag = CHAIN) {
  return new DeciderWorld(definitionsOf([dag], [aSchedule('s', cron, dag.name, changes)]), START).boot()
}

describe('a slot', () => {
  test('of the minute in progress is due when the schedule is first seen', () => {
    expect(tell(world().tickAt(START))).toEqual([
      'definition_recorded',
      'schedule_enqueued 2026-01-05T06:00Z due',
      'run_started 2026-01-05T06:00Z',
      'task_start a 1',
    ])
  })

  test('is decided once, however often the clock ticks within its minute', () => {
    const w = world()
    w.tickAt(START)
    expect(w.tickAt('2026-01-05T06:00:31Z')).toEqual([])
    expect(w.tickAt('2026-01-05T06:00:59Z')).toEqual([])
  })

  test('is skipped with the run that is in the way while an earlier one has not ended', () => {
    const w = world()
    w.tickAt(START)
    const [skipped] = w.tickAt('2026-01-05T06:01:00Z')
    expect(skipped).toMatchObject({
      event: 'schedule_skipped',
      slot: '2026-01-05T06:01Z',
      minute: '2026-01-05T06:01Z',
      reason: 'overlap',
      inputs: { blocked_by: 's@2026-01-05T06:00Z' },
    })
  })

  test('with overlap allow runs beside the earlier one, with queue after it', () => {
    const beside = world({ overlap: 'allow' })
    beside.tickAt(START)
    expect(tell(beside.tickAt('2026-01-05T06:01:00Z'))).toContain('run_started 2026-01-05T06:01Z')

    const after = world({ overlap: 'queue' })
    after.tickAt(START)
    expect(tell(after.tickAt('2026-01-05T06:01:00Z'))).toEqual(['schedule_enqueued 2026-01-05T06:01Z due'])
    after.ok('s@2026-01-05T06:00Z', 'a')
    after.ok('s@2026-01-05T06:00Z', 'b')
    expect(tell(after.ok('s@2026-01-05T06:00Z', 'c'))).toEqual([
      'task_ok c 1',
      'run_finished 2026-01-05T06:00Z success',
      'run_started 2026-01-05T06:01Z',
      'task_start a 1',
    ])
  })

  test('of a clock that was set back is not decided again', () => {
    const w = world({ overlap: 'allow' })
    w.tickAt('2026-01-05T06:05:00Z')
    expect(w.tickAt('2026-01-05T06:03:00Z')).toEqual([])
    expect(tell(w.tickAt('2026-01-05T06:06:00Z'))[0]).toBe('schedule_enqueued 2026-01-05T06:06Z due')
  })
})

describe('slots that passed while nothing decided', () => {
  const late = '2026-01-05T09:00:10Z'
  const of = (changes: Parameters<typeof aSchedule>[3], cron = '0 7-23 * * *') => {
    const w = world(changes, cron)
    w.tickAt(START)
    w.now = Date.parse(late)
    return w.when({ type: 'tick' }).filter(({ event }) => event.startsWith('schedule_'))
  }

  test('latest: the last one runs, the others are one missed span', () => {
    expect(of({})).toMatchObject([
      {
        event: 'schedule_missed',
        from: '2026-01-05T07:00Z',
        to: '2026-01-05T08:00Z',
        count: 2,
        reason: 'catchup_latest',
      },
      { event: 'schedule_enqueued', slot: '2026-01-05T09:00Z', reason: 'due' },
    ])
  })

  test('all: each runs, oldest first, one after the other', () => {
    expect(tell(of({ catchup: 'all' }))).toEqual([
      'schedule_enqueued 2026-01-05T07:00Z catchup',
      'schedule_enqueued 2026-01-05T08:00Z catchup',
      'schedule_enqueued 2026-01-05T09:00Z due',
    ])
  })

  test('all with max_catchup: the rest is missed and says so', () => {
    expect(of({ catchup: 'all', maxCatchup: 2 })).toMatchObject([
      {
        event: 'schedule_missed',
        from: '2026-01-05T07:00Z',
        to: '2026-01-05T07:00Z',
        count: 1,
        reason: 'max_catchup',
      },
      { event: 'schedule_enqueued', slot: '2026-01-05T08:00Z' },
      { event: 'schedule_enqueued', slot: '2026-01-05T09:00Z' },
    ])
  })

  test('none: only the minute in progress runs', () => {
    expect(of({ catchup: 'none' }, '30 * * * *')).toMatchObject([
      {
        event: 'schedule_missed',
        from: '2026-01-05T06:30Z',
        to: '2026-01-05T08:30Z',
        count: 3,
        reason: 'catchup_none',
      },
    ])
  })

  test('outside the window they are missed for that reason', () => {
    expect(of({ catchup: 'all', catchupWindowMs: 3_600_000 }, '30 * * * *')).toMatchObject([
      {
        event: 'schedule_missed',
        from: '2026-01-05T06:30Z',
        to: '2026-01-05T07:30Z',
        count: 2,
        reason: 'catchup_window',
      },
      { event: 'schedule_enqueued', slot: '2026-01-05T08:30Z', reason: 'catchup' },
    ])
  })

  test('a year of them every minute is disposed of in steps, without a hole', () => {
    const w = world({ overlap: 'allow' })
    w.tickAt(START)
    w.now = Date.parse('2027-01-05T06:00:30Z')
    const events = []
    for (let tick = 0; tick < 100; tick++) events.push(...w.when({ type: 'tick' }))
    const missed = events.filter(({ event }) => event === 'schedule_missed') as unknown as {
      count: number
      from: string
    }[]
    expect(missed.reduce((sum, { count }) => sum + count, 0)).toBe(365 * 1440 - 1)
    expect(missed[0]!.from).toBe('2026-01-05T06:01Z')
    expect(tell(events)).toContain('schedule_enqueued 2027-01-05T06:00Z due')
  })
})

describe('a change of definitions', () => {
  test('of the cron disposes of the old slots up to now, then begins after now', () => {
    const w = world({}, '0 * * * *')
    w.now = Date.parse('2026-01-05T08:10:00Z')
    const events = w.use(definitionsOf([CHAIN], [aSchedule('s', '*/10 * * * *', 'chain')]))
    expect(events).toMatchObject([
      { event: 'definitions_loaded' },
      {
        event: 'schedule_missed',
        from: '2026-01-05T06:00Z',
        to: '2026-01-05T08:00Z',
        count: 3,
        reason: 'definition_changed',
      },
      {
        event: 'schedule_registered',
        cause: 'timing_changed',
        cursor: '2026-01-05T08:10:00.000Z',
        cron: '*/10 * * * *',
      },
    ])
    expect(tell(w.tickAt('2026-01-05T08:20:00Z'))).toContain('schedule_enqueued 2026-01-05T08:20Z due')
  })

  test('of the business days that it rolls to is one of its times: the old slots are disposed of by the old days', () => {
    const rolled = (...dates: string[]) =>
      aSchedule('s', '0 6 * * *', 'chain', {
        catchup: 'all',
        timing: {
          roll: { convention: 'following', calendar: 'office', days: { weekend: ['SUN', 'SAT'], dates } },
        },
      })
    const w = new DeciderWorld(definitionsOf([CHAIN], [rolled('2026-01-06')]), START).boot()
    // Monday 5 January is due; the 6th is a holiday, which moves to the 7th.
    w.now = Date.parse('2026-01-07T08:00:00Z')
    const events = w.use(definitionsOf([CHAIN], [rolled('2026-01-06', '2026-01-08')]))
    expect(events).toMatchObject([
      { event: 'definitions_loaded' },
      {
        event: 'schedule_missed',
        from: '2026-01-05T06:00Z',
        to: '2026-01-07T06:00Z',
        count: 2,
        reason: 'definition_changed',
      },
      {
        event: 'schedule_registered',
        cause: 'timing_changed',
        roll: { convention: 'following', calendar: 'office', days: { dates: ['2026-01-06', '2026-01-08'] } },
      },
    ])
    Object.assign(w.state, w.restored())
    expect(w.use(definitionsOf([CHAIN], [rolled('2026-01-06', '2026-01-08')]))).toMatchObject([
      { event: 'definitions_loaded' },
    ])
    expect(tell(w.tickAt('2026-01-08T12:00:00Z'))).toEqual([])
    expect(tell(w.tickAt('2026-01-09T06:00:00Z'))).toContain('schedule_enqueued 2026-01-09T06:00Z due')
  })

  test('that disables, removes and enables again never decides a slot twice', () => {
    const w = world()
    w.tickAt(START)
    expect(
      tell(w.use(definitionsOf([CHAIN], [aSchedule('s', '* * * * *', 'chain', { enabled: false })]))),
    ).toEqual(['definitions_loaded reload', 'schedule_retired s disabled'])
    expect(w.tickAt('2026-01-05T06:00:40Z')).toEqual([])
    expect(tell(w.use(definitionsOf([CHAIN], [aSchedule('s', '* * * * *', 'chain')])))).toContain(
      'schedule_registered s enabled',
    )
    expect(w.tickAt('2026-01-05T06:00:50Z')).toEqual([])
  })

  test('leaves a run in flight with the DAG it started with', () => {
    const w = world()
    w.tickAt(START)
    w.use(definitionsOf([aDag('chain', { a: [], z: ['a'] })], [aSchedule('s', '* * * * *', 'chain')]))
    expect(tell(w.ok('s@2026-01-05T06:00Z', 'a'))).toEqual(['task_ok a 1', 'task_start b 1'])
  })
})

describe('a run', () => {
  const run = 's@2026-01-05T06:00Z'

  test('goes through its tasks in order and ends in the commit of its last one', () => {
    const w = world()
    w.tickAt(START)
    expect(tell(w.ok(run, 'a'))).toEqual(['task_ok a 1', 'task_start b 1'])
    w.ok(run, 'b')
    w.ok(run, 'c')
    expect(tell(w.commits.at(-1)!)).toEqual(['task_ok c 1', 'run_finished 2026-01-05T06:00Z success'])
    expect(w.state.runs.size).toBe(0)
    expect(w.state.slotsHeld).toBe(0)
  })

  test('retries with backoff and full jitter, then fails with the text people know', () => {
    const w = world({}, '* * * * *', aDag('chain', { a: [], b: ['a'] }, { retries: 2, retryDelayMs: 1_000 }))
    w.tickAt(START)
    const [retry] = w.fail(run, 'a')
    expect(retry).toMatchObject({ event: 'task_retry', attempt: 1, retry_at: '2026-01-05T06:00:30.500Z' })
    expect(w.state.slotsHeld).toBe(0)
    w.now += 499
    expect(w.when({ type: 'wake' })).toEqual([])
    w.now += 1
    expect(tell(w.when({ type: 'wake' }))).toEqual(['task_start a 2'])
    expect(w.fail(run, 'a')[0]).toMatchObject({ retry_at: '2026-01-05T06:00:31.500Z' })
    w.now += 1_000
    w.when({ type: 'wake' })
    const events = w.fail(run, 'a')
    expect(events).toMatchObject([
      { event: 'task_fail', attempt: 3, message: "RunnerError: Task 'a' failed after 3 attempts" },
      { event: 'task_skip', task_id: 'b', reason: 'upstream_failed' },
      { event: 'run_finished', status: 'failed', tasks_failed: 1, tasks_skipped: 1 },
    ])
    expect((events[2] as { error?: string }).error).toBe(
      "RunnerError: Task 'a' failed after 3 attempts: boom",
    )
  })

  test('goes on beside a failed branch and skips only what is downstream of it', () => {
    const diamond = aDag('chain', { a: [], left: ['a'], right: ['a'], end: ['left', 'right'] })
    const w = world({}, '* * * * *', diamond)
    w.tickAt(START)
    expect(tell(w.ok(run, 'a'))).toEqual(['task_ok a 1', 'task_start left 1', 'task_start right 1'])
    expect(tell(w.fail(run, 'left'))).toEqual(['task_fail left 1', 'task_skip end upstream_failed'])
    expect(tell(w.ok(run, 'right'))).toEqual(['task_ok right 1', 'run_finished 2026-01-05T06:00Z failed'])
  })

  test('an interrupted attempt is tried again at once, even without retries, and does not count as a failure', () => {
    const w = world()
    w.tickAt(START)
    expect(tell(w.end(run, 'a', { kind: 'lost', reason: 'scheduler crashed' }))).toEqual([
      'task_lost a scheduler crashed',
      'task_start a 2',
    ])
    expect(w.ok(run, 'a')[0]).toMatchObject({ event: 'task_ok', attempt: 2 })
  })

  test('a task that is interrupted again and again is given up', () => {
    const w = world()
    w.tickAt(START)
    for (let loss = 0; loss < 5; loss++) w.end(run, 'a', { kind: 'lost', reason: 'gone' })
    expect(w.end(run, 'a', { kind: 'lost', reason: 'gone' })[0]).toMatchObject({
      event: 'task_fail',
      error: { kind: 'lost', message: 'interrupted 6 times, the last time: gone' },
    })
  })

  test('an outcome of an older attempt is ignored', () => {
    const w = world()
    w.tickAt(START)
    w.end(run, 'a', { kind: 'lost', reason: 'x' })
    expect(w.end(run, 'a', { kind: 'ok', output: {} }, 1)).toEqual([])
    expect(w.end('nobody', 'a', { kind: 'ok', output: {} }, 1)).toEqual([])
  })

  test('is cancelled: what waits is skipped, what runs is ended, then it is over', () => {
    const w = world()
    w.tickAt(START)
    expect(tell(w.when({ type: 'cancel', runId: run, reason: 'by hand' }))).toEqual([
      `run_cancel_requested ${run.slice(0)} by hand`,
      'task_skip b cancelled',
      'task_skip c cancelled',
    ])
    expect(w.when({ type: 'cancel', runId: run, reason: 'again' })).toEqual([])
    expect(tell(w.end(run, 'a', { kind: 'cancelled', reason: 'by hand' }))).toEqual([
      'task_cancelled a by hand',
      'run_finished 2026-01-05T06:00Z cancelled',
    ])
  })

  test('is cancelled while it waits in line, and the next one moves up', () => {
    const w = world({ overlap: 'queue' })
    w.tickAt(START)
    w.tickAt('2026-01-05T06:01:00Z')
    expect(tell(w.when({ type: 'cancel', runId: 's@2026-01-05T06:01Z', reason: 'r' }))).toEqual([
      'run_cancel_requested s@2026-01-05T06:01Z r',
      'run_finished 2026-01-05T06:01Z cancelled',
    ])
  })

  test('that is not there cannot be cancelled', () => {
    expect(() => world().when({ type: 'cancel', runId: 'x', reason: 'r' })).toThrow(
      'no unfinished run has the id "x"',
    )
  })
})

describe('limits', () => {
  test('no more runs than maxParallel, no more attempts than maxTasks', () => {
    const wide = aDag('wide', { a: [], b: [], c: [], d: [] })
    const schedules = ['p', 'q', 'r'].map(id => aSchedule(id, '* * * * *', 'wide'))
    const w = new DeciderWorld(definitionsOf([wide], schedules), START).boot()
    w.limits = { maxParallel: 2, maxTasks: 5 }
    w.tickAt(START)
    expect(w.state.slotsHeld).toBe(2)
    expect(w.state.live.size).toBe(5)
    expect(w.state.startable.size).toBe(1)
  })

  test('a run whose tasks all wait for a retry gives its slot back', () => {
    const dag = aDag('chain', { a: [] }, { retries: 1, retryDelayMs: 60_000 })
    const schedules = ['p', 'q'].map(id => aSchedule(id, '* * * * *', 'chain'))
    const w = new DeciderWorld(definitionsOf([dag], schedules), START).boot()
    w.limits = { maxParallel: 1, maxTasks: 5 }
    w.tickAt(START)
    expect(tell(w.fail('p@2026-01-05T06:00Z', 'a'))).toContain('run_started 2026-01-05T06:00Z')
  })

  test('drain starts no run but lets those under way go on', () => {
    const w = world()
    w.tickAt(START)
    w.admission = 'drain'
    expect(tell(w.ok('s@2026-01-05T06:00Z', 'a'))).toContain('task_start b 1')
    w.tickAt('2026-01-05T06:01:00Z')
    w.when({ type: 'trigger', runId: 'chain@manual-1', dag: CHAIN, cause: 'cli' })
    expect(w.state.runs.get('chain@manual-1')?.status).toBe('queued')
  })
})

describe('pools', () => {
  const one = aDag('one', { a: [] })
  /** Schedules that are due in this order, a second apart: id, pool, weight, priority. */
  function poolWorld(
    pools: Record<string, number>,
    ...of: [id: string, pool?: string, weight?: number, priority?: number][]
  ): DeciderWorld {
    const schedules = of.map(([id, pool, weight, priority], second) =>
      aSchedule(id, `${second} 0 6 5 1 *`, 'one', { pool, weight, priority, overlap: 'allow' }),
    )
    const w = new DeciderWorld(definitionsOf([one], schedules, pools), START)
    w.limits = { maxParallel: 100, maxTasks: 100 }
    return w.boot()
  }
  const started = (events: readonly Event[]) =>
    events.flatMap(event => (event.event === 'run_started' ? [(event as RunStarted).schedule_id] : []))
  const runOf = (w: DeciderWorld, id: string) =>
    [...w.state.runs.values()].find(({ scheduleId }) => scheduleId === id)!.runId
  const end = (w: DeciderWorld, id: string) => started(w.ok(runOf(w, id), 'a'))

  test('a run that has no room waits for one that ends; runs of other pools and of none go on', () => {
    const w = poolWorld({ db: 1, api: 1 }, ['p', 'db'], ['q', 'db'], ['r', 'api'], ['s'])
    expect(started(w.tickAt(START))).toEqual(['p', 'r', 's'])
    expect(end(w, 'p')).toEqual(['q'])
  })

  test('the line says its terms once, and only what is not the default', () => {
    const w = poolWorld({ db: 2 }, ['p', 'db', 2, -5], ['q', 'db'], ['r', undefined, 3])
    const said = w.tickAt(START).flatMap(event => {
      if (event.event !== 'schedule_enqueued') return []
      const { pool, weight, priority } = event as ScheduleEnqueued
      return [JSON.parse(JSON.stringify({ pool, weight, priority }))]
    })
    expect(said).toEqual([{ pool: 'db', weight: 2, priority: -5 }, { pool: 'db' }, {}])
  })

  test('higher priority first, then who was enqueued first, in a pool and outside', () => {
    const w = poolWorld({ db: 1 }, ['p', 'db'], ['q', 'db', 1, -1], ['r', 'db', 1, 7], ['s', 'db', 1, 7])
    expect(started(w.tickAt(START))).toEqual(['r'])
    expect([...end(w, 'r'), ...end(w, 's'), ...end(w, 'p')]).toEqual(['s', 'p', 'q'])
    const v = poolWorld({}, ['p'], ['q', undefined, 1, 3])
    expect(started(v.tickAt(START))).toEqual(['q', 'p'])
  })

  test('a heavy run first in line is not passed by lighter ones', () => {
    const w = poolWorld({ db: 3 }, ['p', 'db', 2], ['q', 'db', 2], ['r', 'db'], ['s'])
    expect(started(w.tickAt(START))).toEqual(['p', 's'])
    expect(end(w, 'p')).toEqual(['q', 'r'])
  })

  test('the weight is held to the end of the run, also while it waits for a retry', () => {
    const retrying = aDag('one', { a: [] }, { retries: 1, retryDelayMs: 60_000 })
    const schedules = ['p', 'q'].map((id, second) =>
      aSchedule(id, `${second} 0 6 5 1 *`, 'one', { pool: 'db' }),
    )
    const w = new DeciderWorld(definitionsOf([retrying], schedules, { db: 1 }), START).boot()
    expect(started(w.tickAt(START))).toEqual(['p'])
    expect(started(w.fail(runOf(w, 'p'), 'a'))).toEqual([])
    expect([w.state.slotsHeld, w.state.startable.held.get('db')]).toEqual([0, 1])
    expect(started(w.tickAt('2026-01-05T06:02:00Z'))).toEqual([])
    expect(end(w, 'p')).toEqual(['q'])
  })

  test('a queued run that is cancelled leaves the line and frees nothing', () => {
    const w = poolWorld({ db: 1 }, ['p', 'db'], ['q', 'db'], ['r', 'db'])
    w.tickAt(START)
    expect(started(w.when({ type: 'cancel', runId: runOf(w, 'q'), reason: 'x' }))).toEqual([])
    expect(w.state.startable.held.get('db')).toBe(1)
    expect(end(w, 'p')).toEqual(['r'])
  })

  test('a reload that widens a pool, or drops it, lets those who wait start', () => {
    const terms: [string, string][] = ['p', 'q', 'r', 's'].map(id => [id, 'db'])
    const w = poolWorld({ db: 1 }, ...terms)
    w.tickAt(START)
    const { pools: _, ...rest } = w.definitions
    expect(started(w.use({ ...rest, pools: new Map([['db', { slots: 3 }]]) }))).toEqual(['q', 'r'])
    expect(started(w.use({ ...rest, pools: new Map() }))).toEqual(['s'])
  })

  test('a pool that was made smaller than a weight lets that run start when nothing else is held', () => {
    const w = poolWorld({ db: 4 }, ['p', 'db', 3], ['q', 'db', 3], ['r', 'db'])
    w.tickAt(START)
    w.use({ ...w.definitions, pools: new Map([['db', { slots: 2 }]]) })
    expect(end(w, 'p')).toEqual(['q'])
    expect(end(w, 'q')).toEqual(['r'])
  })

  test('a restart finds the pool as full and the line as it was', () => {
    const w = poolWorld({ db: 3 }, ['p', 'db', 2], ['q', 'db', 2], ['r', 'db', 1, -1], ['s', 'db', 1, 9])
    w.tickAt(START)
    for (const state of [w.replayed(), w.restored()]) {
      expect(state.startable.held).toEqual(new Map([['db', 3]]))
      expect(state.startable.waiting('db').map(({ scheduleId }) => scheduleId)).toEqual(['q', 'r'])
    }
  })

  test('a slot run once more takes the terms of its schedule; a DAG by itself has none', () => {
    const w = poolWorld({ db: 2 }, ['p', 'db', 2, 4])
    w.tickAt(START)
    w.when({ type: 'run_slot', scheduleId: 'p', slot: Date.parse('2026-01-05T06:00Z'), cause: 'cli' })
    w.when({ type: 'trigger', runId: 'one@manual-1', dag: one, cause: 'cli' })
    expect(w.events.filter(({ event }) => event === 'run_requested')).toMatchObject([
      { pool: 'db', weight: 2, priority: 4 },
      expect.not.objectContaining({ pool: expect.anything() }),
    ])
    expect(w.state.startable.waiting('db')).toHaveLength(1)
    expect(w.state.runs.get('one@manual-1')?.status).toBe('running')
  })
})

describe('what users record', () => {
  test('changes nothing but the journal, whatever its name', () => {
    const w = world()
    w.tickAt(START)
    const before = w.facts().split('\n').slice(1)
    const [event] = w.when({
      type: 'record',
      fields: { event: 'run_finished', run_id: 's@2026-01-05T06:00Z', source: 'system' },
    })
    expect(event).toMatchObject({ event: 'run_finished', source: 'user' })
    expect(w.facts().split('\n').slice(1)).toEqual(before)
  })
})

describe('a restart', () => {
  test('finds the same facts in the events and in a checkpoint', () => {
    const w = world(
      { overlap: 'queue' },
      '* * * * *',
      aDag('chain', { a: [], b: ['a'], c: ['a'] }, { retries: 1 }),
    )
    w.tickAt(START)
    w.tickAt('2026-01-05T06:01:00Z')
    w.ok('s@2026-01-05T06:00Z', 'a')
    w.fail('s@2026-01-05T06:00Z', 'b')
    expect(describeState(w.replayed())).toBe(w.facts())
    expect(describeState(w.restored())).toBe(w.facts())
    const restored = w.restored()
    expect([restored.slotsHeld, restored.live.size, restored.ready.size, restored.startable.size]).toEqual([
      w.state.slotsHeld,
      w.state.live.size,
      w.state.ready.size,
      w.state.startable.size,
    ])
  })

  test('says of each run under way how far it is', () => {
    const w = world()
    w.tickAt(START)
    w.ok('s@2026-01-05T06:00Z', 'a')
    const resumed = w.when({ type: 'boot', mode: 'serve', pid: 2, host: 'h', version: '0' })
    expect(resumed).toMatchObject([
      { event: 'scheduler_started', epoch: 2 },
      { event: 'run_resumed', tasks_finished: 1, tasks_interrupted: 1 },
    ])
  })
})
