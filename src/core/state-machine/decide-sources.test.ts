// Files and records are handed to exactly one successful run.

import { describe, expect, test } from 'vitest'
import { aDag, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld, tell } from '../../../test/support/decider-world.ts'
import type { FileRef } from '../stage/stage.ts'
import { consumedKeys, isCandidate } from '../stage/stage-files.ts'
import type { StreamPosition } from '../stream/stream.ts'
import { describeState } from './checkpoint.ts'
import type { AttemptResult } from './command.ts'
import type { State } from './state.ts'

const DAG = aDag('d', { poll: [], work: ['poll'] })
const STAGE = 'external_input_files'
const file = (key: string, version = '1'): FileRef => ({ key, version })

function world(): DeciderWorld {
  return new DeciderWorld(definitionsOf([DAG]), '2026-01-05T06:00:00.000Z').boot()
}

function request(w: DeciderWorld, runId: string): string {
  w.when({ type: 'trigger', runId, dag: DAG, cause: 'cli' })
  return runId
}

function files(refs: FileRef[], gone: string[] = []): AttemptResult {
  return {
    kind: 'ok',
    output: { new_files: refs.length },
    taken: { kind: 'files', stage: STAGE, files: refs, gone },
  }
}

function records(from: StreamPosition | undefined, to: StreamPosition, count = 1): AttemptResult {
  const taken = { kind: 'records', stream: 'orders', from, to, records: count, more: false } as const
  return { kind: 'ok', output: {}, taken }
}

const candidate = (w: DeciderWorld, ref: FileRef) => isCandidate(w.state.stages.get(`d/${STAGE}`), ref)

function expectOneState(w: DeciderWorld): void {
  expect(describeState(w.replayed())).toBe(w.facts())
  const restored = w.restored()
  expect(describeState(restored)).toBe(w.facts())
  for (const runId of w.state.runs.keys()) expect(holdsOf(restored, runId)).toEqual(holdsOf(w.state, runId))
}

/** What a run holds, in no order. */
function holdsOf({ runs }: State, runId: string): unknown[] {
  return (runs.get(runId)?.holds ?? []).map(hold =>
    'keys' in hold ? { ...hold, keys: [...hold.keys].sort() } : hold,
  )
}

describe('files', () => {
  test('are dispatched with the task that took them and consumed with the run’s success', () => {
    const w = world()
    const run = request(w, 'r1')
    expect(tell(w.end(run, 'poll', files([file('a'), file('b')])))).toEqual([
      'files_dispatched poll',
      'task_ok poll 1',
      'task_start work 1',
    ])
    expect([candidate(w, file('a')), candidate(w, file('a', '2')), candidate(w, file('c'))]).toEqual([
      false,
      false,
      true,
    ])
    expectOneState(w)
    w.ok(run, 'work')
    expect(tell(w.commits.at(-1)!)).toEqual([
      'task_ok work 1',
      'files_consumed r1',
      'run_finished r1 success',
    ])
    expect([...consumedKeys(w.state.stages.get(`d/${STAGE}`))]).toEqual(['a', 'b'])
    // A rewritten file is new.
    expect([candidate(w, file('a')), candidate(w, file('a', '2'))]).toEqual([false, true])
    expectOneState(w)
  })

  test.each([
    ['fails', (w: DeciderWorld) => w.fail('r1', 'work'), 'failed'],
    [
      'says SKIP',
      (w: DeciderWorld) => w.end('r1', 'work', { kind: 'skip', reason: 'returned_skip', detail: '' }),
      'skipped',
    ],
  ])('of a run that %s go to the next one', (_, end, status) => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', files([file('a')]))
    expect(tell(end(w))).toContain(`files_released r1 ${status}`)
    expect(candidate(w, file('a'))).toBe(true)
    expect(w.state.stages.size).toBe(0)
    w.end(request(w, 'r2'), 'poll', files([file('a')]))
    w.ok('r2', 'work')
    expect(candidate(w, file('a'))).toBe(false)
    expectOneState(w)
  })

  test('of a run that is cancelled go to the next one', () => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', files([file('a')]))
    w.when({ type: 'cancel', runId: 'r1', reason: 'enough' })
    expect(tell(w.end('r1', 'work', { kind: 'cancelled', reason: 'enough' }))).toContain(
      'files_released r1 cancelled',
    )
    expect(candidate(w, file('a'))).toBe(true)
  })

  test('that two runs found at the same time only the first one gets; the other looks again', () => {
    const w = world()
    request(w, 'r1')
    request(w, 'r2')
    w.end('r1', 'poll', files([file('a')]))
    expect(tell(w.end('r2', 'poll', files([file('a'), file('b')])))).toEqual([
      'task_lost poll another run has taken a meanwhile',
      'task_start poll 2',
    ])
    expect(tell(w.end('r2', 'poll', files([file('b')])))).toContain('files_dispatched poll')
  })

  test('that one run after the other takes first are looked for as often as it needs: nobody interrupted the run', () => {
    const w = world()
    request(w, 'last')
    for (let n = 0; n < 12; n++) {
      w.end(request(w, `r${n}`), 'poll', files([file(`f${n}`)]))
      w.ok(`r${n}`, 'work')
      expect(tell(w.end('last', 'poll', files([file(`f${n}`)])))).toEqual([
        `task_lost poll another run has taken f${n} meanwhile`,
        `task_start poll ${n + 2}`,
      ])
      expectOneState(w)
    }
    // Interruptions are counted as before, and what went before does not count against the retries.
    const lost = { kind: 'lost', reason: 'the scheduler crashed' } as const
    for (let n = 0; n < 5; n++) expect(tell(w.end('last', 'poll', lost))[0]).toMatch(/^task_lost/)
    expect(tell(w.end('last', 'poll', lost))[0]).toMatch(/^task_fail/)
  })

  test('whose old version was listed before another run had it and a newer one are looked for again', () => {
    const w = world()
    for (const run of ['r1', 'r2', 'slow']) request(w, run)
    for (const version of ['1', '2']) {
      w.end(`r${version}`, 'poll', files([file('a', version)]))
      w.ok(`r${version}`, 'work')
    }
    expect(tell(w.end('slow', 'poll', files([file('a', '1')])))).toEqual([
      'task_lost poll another run has taken a meanwhile',
      'task_start poll 2',
    ])
    expectOneState(w)
    expect(tell(w.end('slow', 'poll', files([file('a', '3')])))).toContain('files_dispatched poll')
  })

  test('that were consumed and found gone since they were listed are looked for again', () => {
    const w = world()
    for (const run of ['r1', 'slow', 'slower']) request(w, run)
    w.end('r1', 'poll', files([file('a')]))
    w.ok('r1', 'work')
    w.end(request(w, 'r2'), 'poll', files([], ['a']))
    expectOneState(w)
    expect(tell(w.end('slow', 'poll', files([file('a')])))).toContain(
      'task_lost poll files of external_input_files were found gone meanwhile',
    )
    expect(tell(w.end('slower', 'poll', files([])))).toContain('task_ok poll 1')
  })

  test('that were missing, came again and were consumed since are not forgotten', () => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', files([file('a')]))
    w.ok('r1', 'work')
    for (const run of ['slow', 'r2']) request(w, run)
    w.end('r2', 'poll', files([file('a', '2')]))
    w.ok('r2', 'work')
    expect(tell(w.end('slow', 'poll', files([], ['a'])))).not.toContain('files_forgotten')
    expect(candidate(w, file('a', '2'))).toBe(false)
    expectOneState(w)
  })

  test('that were missing, came again and are worked on now are not forgotten', () => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', files([file('a')]))
    w.ok('r1', 'work')
    request(w, 'slow')
    w.end(request(w, 'r2'), 'poll', files([file('a', '2')]))
    expect(tell(w.end('slow', 'poll', files([], ['a'])))).not.toContain('files_forgotten')
    w.ok('r2', 'work')
    expect(candidate(w, file('a', '2'))).toBe(false)
    expectOneState(w)
  })

  test('that are gone are forgotten, and new when they come again', () => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', files([file('a')]))
    w.ok('r1', 'work')
    expect(tell(w.end(request(w, 'r2'), 'poll', files([], ['a'])))).toContain('files_forgotten')
    expect(candidate(w, file('a'))).toBe(true)
    expectOneState(w)
  })

  test('ten thousand stand in several lines of one commit, none too long', () => {
    const w = world()
    const many = Array.from({ length: 10_000 }, (_, at) => file(`in/order_${at}.csv`, `${at}:17:4`))
    const events = w.end(request(w, 'r1'), 'poll', files(many))
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(50_000)
    expectOneState(w)
    w.ok('r1', 'work')
    expectOneState(w)
  })
})

describe('records', () => {
  const positionOf = (w: DeciderWorld) => w.state.streams.get('d/orders')?.position

  test('are committed with the run’s success', () => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', records(undefined, { offset: 10 }))
    expect(positionOf(w)).toBeUndefined()
    expectOneState(w)
    w.ok('r1', 'work')
    expect(tell(w.commits.at(-1)!)).toEqual([
      'task_ok work 1',
      'stream_committed r1',
      'run_finished r1 success',
    ])
    expect(positionOf(w)).toEqual({ offset: 10 })
    expectOneState(w)
  })

  test('of a run that fails are read again', () => {
    const w = world()
    w.end(request(w, 'r1'), 'poll', records(undefined, { offset: 10 }))
    w.fail('r1', 'work')
    expect(positionOf(w)).toBeUndefined()
    expect(w.state.streams.size).toBe(0)
    w.end(request(w, 'r2'), 'poll', records(undefined, { offset: 12 }))
    w.ok('r2', 'work')
    expect(positionOf(w)).toEqual({ offset: 12 })
  })

  test('that another run has are nobody else’s: SKIP, with the run that has them', () => {
    const w = world()
    request(w, 'r1')
    request(w, 'r2')
    w.end('r1', 'poll', records(undefined, { offset: 10 }))
    const events = w.end('r2', 'poll', records(undefined, { offset: 10 }))
    expect(events[0]).toMatchObject({ event: 'task_skip', detail: 'run r1 has the next records of orders' })
    expect(events.at(-1)).toMatchObject({ event: 'run_finished', status: 'skipped' })
  })

  test('that were read before another run committed are read again', () => {
    const w = world()
    request(w, 'r1')
    request(w, 'r2')
    w.end('r1', 'poll', records(undefined, { offset: 10 }))
    w.ok('r1', 'work')
    expect(tell(w.end('r2', 'poll', records(undefined, { offset: 10 })))).toEqual([
      'task_lost poll another run has read on in orders meanwhile',
      'task_start poll 2',
    ])
  })

  test('none taken, nothing held', () => {
    const w = world()
    expect(tell(w.end(request(w, 'r1'), 'poll', records(undefined, { offset: 0 }, 0)))).not.toContain(
      'stream_taken poll',
    )
    expect(w.state.streams.size).toBe(0)
  })
})
