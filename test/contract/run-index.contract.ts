// What every run index must do. An adapter's test calls `describeRunIndex` with a way to make an empty one.

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Event } from '../../src/core/state-machine/event.ts'
import { IndexRebuildNeededError, type RunIndex } from '../../src/ports/run-index.ts'
import { arbitraryHistory, asEvents, type Draft, writeHistory } from './run-index-history.ts'

export type DumpableIndex = RunIndex & { dump(): string }

const RUN = { run_id: 'nightly@2026-01-05T06:00Z', dag_name: 'nightly', tenant_id: 't1' }
const PLACE = { schedule_id: 'every_day', slot: '2026-01-05T06:00Z' }
const TASK = { run_id: RUN.run_id, dag_name: 'nightly', task_id: 'sweep' }

/** Declares the tests; `open` makes an empty index for journal `j1`. */
export function describeRunIndex(name: string, open: () => Promise<DumpableIndex>): void {
  describe(`run index: ${name}`, () => {
    const opened: DumpableIndex[] = []
    afterEach(() => {
      for (const index of opened.splice(0)) index.close()
    })
    async function openEmpty(): Promise<DumpableIndex> {
      const index = await open()
      opened.push(index)
      return index
    }
    async function indexOf(...drafts: (Draft | Draft[])[]): Promise<DumpableIndex> {
      const index = await openEmpty()
      index.apply('j1', asEvents(drafts.flat()))
      return index
    }

    test('an empty one has no checkpoint and no rows', async () => {
      const index = await openEmpty()
      expect(index.checkpoint()).toBeUndefined()
      expect(index.runs({ limit: 10 })).toEqual([])
      expect(index.run('x')).toBeUndefined()
      expect(index.tasks('x')).toEqual([])
      expect(index.slots('x', { limit: 10 })).toEqual([])
      expect(index.events({ limit: 10 })).toEqual([])
      index.apply('j1', [])
      expect(index.checkpoint()).toBeUndefined()
    })

    test('a scheduled run, from its slot to its end', async () => {
      const index = await openEmpty()
      const [enqueued, started, finished] = asEvents([
        {
          event: 'schedule_enqueued',
          ...PLACE,
          minute: PLACE.slot,
          ...RUN,
          definition_hash: 'h',
          reason: 'due',
          order: 'serial',
        },
        { event: 'run_started', ...RUN, ...PLACE },
        {
          event: 'run_finished',
          ...RUN,
          ...PLACE,
          status: 'failed',
          tasks_succeeded: 2,
          tasks_failed: 1,
          tasks_skipped: 3,
          duration_ms: 2340,
          error: 'sweep failed',
        },
      ]) as [Event, Event, Event]
      index.apply('j1', [enqueued])
      const queued = {
        ...RUN,
        ...PLACE,
        status: 'queued',
        cause: 'due',
        enqueued_at: enqueued.timestamp,
        started_at: null,
        finished_at: null,
        duration_ms: null,
        tasks_succeeded: 0,
        tasks_failed: 0,
        tasks_skipped: 0,
        error: null,
      }
      expect(index.run(RUN.run_id)).toEqual(queued)
      index.apply('j1', [started])
      expect(index.run(RUN.run_id)).toEqual({ ...queued, status: 'running', started_at: started.timestamp })
      index.apply('j1', [finished])
      expect(index.run(RUN.run_id)).toEqual({
        ...queued,
        status: 'failed',
        started_at: started.timestamp,
        finished_at: finished.timestamp,
        duration_ms: 2340,
        tasks_succeeded: 2,
        tasks_failed: 1,
        tasks_skipped: 3,
        error: 'sweep failed',
      })
      expect(index.checkpoint()).toEqual({ journalId: 'j1', seq: 3 })
    })

    test('a run by hand has its cause and no slot', async () => {
      const index = await indexOf({ event: 'run_requested', ...RUN, definition_hash: 'h', cause: 'trigger' })
      expect(index.run(RUN.run_id)).toMatchObject({
        status: 'queued',
        cause: 'trigger',
        schedule_id: null,
        slot: null,
      })
    })

    test('a run whose first lines are gone begins with the first that is left', async () => {
      const finished = {
        event: 'run_finished',
        ...RUN,
        ...PLACE,
        status: 'success',
        tasks_succeeded: 1,
        tasks_failed: 0,
        tasks_skipped: 0,
        duration_ms: 1,
      }
      const index = await openEmpty()
      index.apply(
        'j1',
        asEvents([{ event: 'segment_opened', format: 1, journal_id: 'j1', segment: 5 }, finished], 5_001),
      )
      expect(index.run(RUN.run_id)).toMatchObject({ status: 'success', cause: 'unknown', ...PLACE })
      expect(index.checkpoint()?.seq).toBe(5_002)
    })

    test('a task has one row, its latest attempt', async () => {
      const error = { kind: 'exit_code', message: 'it ended with 7', exit_code: 7 }
      const drafts = [
        { event: 'task_start', ...TASK, attempt: 1, workflow_ref: 'shell' },
        { event: 'task_spawned', ...TASK, attempt: 1, pid: 1, start_ticks: 1, boot_id: 'b' },
        {
          event: 'task_retry',
          ...TASK,
          attempt: 1,
          duration_ms: 5,
          error,
          retry_at: '2026-01-05T07:00:00.000Z',
        },
        { event: 'task_start', ...TASK, attempt: 2, workflow_ref: 'shell' },
        { event: 'task_lost', ...TASK, attempt: 2, reason: 'killed', retry_at: '2026-01-05T08:00:00.000Z' },
        { event: 'task_start', ...TASK, attempt: 3, workflow_ref: 'shell' },
        { event: 'task_ok', ...TASK, attempt: 3, duration_ms: 9, output: { n: 1 } },
      ]
      const events = asEvents(drafts)
      const index = await openEmpty()
      const seen = events.map(event => {
        index.apply('j1', [event])
        const [row, ...others] = index.tasks(TASK.run_id)
        expect(others).toEqual([])
        return row
      })
      expect(seen[1]).toEqual({
        run_id: TASK.run_id,
        task_id: 'sweep',
        status: 'running',
        attempt: 1,
        workflow_ref: 'shell',
        started_at: events[0]?.timestamp,
        finished_at: null,
        duration_ms: null,
        retry_at: null,
        reason: null,
        error: null,
        output: null,
      })
      expect(seen[2]).toMatchObject({
        status: 'retrying',
        attempt: 1,
        retry_at: '2026-01-05T07:00:00.000Z',
        reason: 'exit_code',
        error: 'it ended with 7',
        finished_at: null,
      })
      expect(seen[3]).toMatchObject({
        status: 'running',
        attempt: 2,
        retry_at: null,
        reason: null,
        error: null,
      })
      expect(seen[4]).toMatchObject({
        status: 'retrying',
        attempt: 2,
        reason: 'killed',
        retry_at: '2026-01-05T08:00:00.000Z',
      })
      expect(seen[6]).toMatchObject({
        status: 'ok',
        attempt: 3,
        duration_ms: 9,
        output: '{"n":1}',
        started_at: events[5]?.timestamp,
        finished_at: events[6]?.timestamp,
      })
    })

    test('tasks that fail, are cancelled or skipped say why; tasks come in the order they appeared', async () => {
      const error = { kind: 'timeout', message: 'no answer' }
      const index = await indexOf(
        { event: 'task_start', ...TASK, task_id: 'z', attempt: 1, workflow_ref: 'http' },
        { event: 'task_start', ...TASK, task_id: 'y', attempt: 1, workflow_ref: 'http' },
        {
          event: 'task_fail',
          ...TASK,
          task_id: 'z',
          attempt: 1,
          duration_ms: 4,
          error,
          message: 'failed after 1',
        },
        { event: 'task_cancelled', ...TASK, task_id: 'y', attempt: 1, reason: 'by hand' },
        { event: 'task_skip', ...TASK, task_id: 'a', reason: 'upstream_failed' },
      )
      expect(index.tasks(TASK.run_id).map(t => [t.task_id, t.status, t.attempt, t.reason, t.error])).toEqual([
        ['z', 'failed', 1, 'timeout', 'no answer'],
        ['y', 'cancelled', 1, 'by hand', null],
        ['a', 'skipped', 0, 'upstream_failed', null],
      ])
    })

    test('slots: each disposition, spans included, newest first, also where a slot has seconds', async () => {
      const s = { schedule_id: 's' }
      const index = await indexOf(
        {
          event: 'schedule_missed',
          ...s,
          from: '2026-01-05T05:00Z',
          to: '2026-01-05T05:59Z',
          count: 60,
          reason: 'catchup_none',
        },
        {
          event: 'schedule_skipped',
          ...s,
          slot: '2026-01-05T06:00:30Z',
          minute: '2026-01-05T06:00:30Z',
          reason: 'overlap',
          inputs: {},
        },
        {
          event: 'schedule_enqueued',
          ...s,
          ...RUN,
          slot: '2026-01-05T06:00Z',
          minute: '2026-01-05T06:00Z',
          reason: 'catchup',
        },
      )
      const all = index.slots('s', { limit: 10 })
      expect(
        all.map(row => [row.slot, row.slot_to, row.count, row.disposition, row.reason, row.run_id]),
      ).toEqual([
        ['2026-01-05T06:00:30Z', '2026-01-05T06:00:30Z', 1, 'skipped', 'overlap', null],
        ['2026-01-05T06:00Z', '2026-01-05T06:00Z', 1, 'enqueued', 'catchup', RUN.run_id],
        ['2026-01-05T05:00Z', '2026-01-05T05:59Z', 60, 'missed', 'catchup_none', null],
      ])
      expect(index.slots('s', { limit: 1 })).toEqual(all.slice(0, 1))
      // 08:30+03:00 is 05:30 UTC: inside the span.
      expect(index.slots('s', { until: '2026-01-05T08:30+03:00', limit: 9 })).toEqual(all.slice(2))
      expect(
        index.slots('s', { since: '2026-01-05T05:59Z', until: '2026-01-05T06:00:29Z', limit: 9 }),
      ).toEqual(all.slice(1))
      expect(index.slots('other', { limit: 9 })).toEqual([])
      expect(() => index.slots('s', { since: 'yesterday', limit: 9 })).toThrow(
        /"yesterday" is no point in time/,
      )
    })

    test('runs: filtered, newest first, limited', async () => {
      const runs = ['a', 'b', 'c', 'd'].map((id, i) => ({
        event: 'schedule_enqueued',
        run_id: id,
        dag_name: i % 2 ? 'odd' : 'even',
        tenant_id: 't',
        schedule_id: i < 2 ? 'low' : 'high',
        slot: '2026-01-05T06:00Z',
        reason: 'due',
      }))
      const index = await indexOf(runs, {
        event: 'run_started',
        run_id: 'c',
        dag_name: 'even',
        tenant_id: 't',
      })
      const ids = (query: Partial<Parameters<RunIndex['runs']>[0]>) =>
        index.runs({ limit: 10, ...query }).map(row => row.run_id)
      expect(ids({})).toEqual(['d', 'c', 'b', 'a'])
      expect(ids({ limit: 2 })).toEqual(['d', 'c'])
      expect(ids({ limit: 0 })).toEqual([])
      expect(ids({ limit: Number.POSITIVE_INFINITY })).toEqual(['d', 'c', 'b', 'a'])
      expect(ids({ dagName: 'even' })).toEqual(['c', 'a'])
      expect(ids({ scheduleId: 'low' })).toEqual(['b', 'a'])
      expect(ids({ status: ['running'] })).toEqual(['c'])
      expect(ids({ status: ['running', 'queued'], dagName: 'even' })).toEqual(['c', 'a'])
      expect(ids({ status: [] })).toEqual([])
      expect(ids({ since: index.run('c')!.enqueued_at })).toEqual(['d', 'c'])
      expect(ids({ dagName: `even' OR '1'='1` })).toEqual([])
    })

    test('events: filtered, newest first, as they were but for what the journal adds', async () => {
      const index = await indexOf(
        { event: 'run_started', ...RUN, commit: [1, 2], c: 'deadbeef' },
        { event: 'task_start', ...TASK, attempt: 1, workflow_ref: 'shell', commit: [2, 2], c: 'deadbeef' },
        {
          event: 'deploy',
          source: 'user',
          schedule_id: 'every_day',
          note: 'a\u2028b\0',
          deep: { x: [1, null] },
        },
        { event: 'checkpoint', part: 1, parts: 1, items: [{ big: 'state' }] },
      )
      const [checkpoint, deploy, start, run] = index.events({ limit: 10 })
      expect(checkpoint).toEqual({
        timestamp: checkpoint?.timestamp,
        event: 'checkpoint',
        seq: 4,
        part: 1,
        parts: 1,
      })
      expect(deploy).toMatchObject({ note: 'a\u2028b\0', deep: { x: [1, null] }, seq: 3 })
      expect(start).not.toHaveProperty('c')
      expect(start).not.toHaveProperty('commit')
      expect(Object.keys(run as object).slice(0, 3)).toEqual(['timestamp', 'event', 'seq'])
      expect(index.events({ runId: RUN.run_id, limit: 10 })).toEqual([start, run])
      expect(index.events({ scheduleId: 'every_day', limit: 10 })).toEqual([deploy])
      expect(index.events({ event: 'task_start', limit: 10 })).toEqual([start])
      expect(index.events({ afterSeq: 2, limit: 10 })).toEqual([checkpoint, deploy])
      expect(index.events({ runId: RUN.run_id, event: 'run_started', afterSeq: 0, limit: 1 })).toEqual([run])
      expect(index.events({ beforeSeq: 3, limit: 10 })).toEqual([start, run])
      expect(index.events({ afterSeq: 1, beforeSeq: 3, limit: 10 })).toEqual([start])
      expect(index.events({ runId: RUN.run_id, beforeSeq: 2, limit: 10 })).toEqual([run])
      expect(index.events({ scheduleId: 'every_day', beforeSeq: 3, limit: 10 })).toEqual([])
      const { timestamp } = start!
      const then = [deploy, start, run].filter(event => event?.timestamp === timestamp)
      expect(index.events({ timestamp, beforeSeq: 4, limit: 10 })).toEqual(then)
      expect(index.events({ runId: RUN.run_id, timestamp: '1970-01-01T00:00:00.000Z', limit: 10 })).toEqual(
        [],
      )
    })

    test('lines of users change no row, whatever their name', async () => {
      const index = await indexOf(
        { event: 'run_finished', source: 'user', ...RUN, status: 'success' },
        { event: 'task_ok', source: 'user', ...TASK },
        { event: 'schedule_enqueued', source: 'user', ...PLACE, ...RUN },
        { event: 'checkpoint', source: 'user', items: 'mine' },
      )
      expect(index.runs({ limit: 9 })).toEqual([])
      expect(index.tasks(RUN.run_id)).toEqual([])
      expect(index.slots(PLACE.schedule_id, { limit: 9 })).toEqual([])
      expect(index.events({ limit: 9 })).toHaveLength(4)
      expect(index.events({ event: 'checkpoint', limit: 9 })[0]).toMatchObject({ items: 'mine' })
    })

    test('events at or before the checkpoint are ignored', async () => {
      const history = writeHistory(5)
      const [twice, once] = [await openEmpty(), await openEmpty()]
      once.apply('j1', history)
      twice.apply('j1', history.slice(0, 20))
      twice.apply('j1', history.slice(0, 10))
      twice.apply('j1', history.slice(10))
      twice.apply('j1', history)
      expect(twice.dump()).toBe(once.dump())
    })

    test('a hole is refused, whole, and so is another journal', async () => {
      const history = writeHistory(5)
      const index = await openEmpty()
      expect(() => index.apply('j1', history.slice(1))).toThrow(IndexRebuildNeededError)
      index.apply('j1', history.slice(0, 10))
      const before = index.dump()
      const gap = { reason: 'gap', code: 'INDEX_REBUILD_NEEDED' }
      expect(() => index.apply('j1', history.slice(11))).toThrow(expect.objectContaining(gap))
      const holed = [...history.slice(10, 15), ...history.slice(16)]
      expect(() => index.apply('j1', holed)).toThrow(expect.objectContaining(gap))
      expect(() => index.apply('j2', history.slice(10))).toThrow(
        expect.objectContaining({ reason: 'other_journal' }),
      )
      expect(index.dump()).toBe(before)
      index.apply('j1', history.slice(10))
      expect(index.checkpoint()?.seq).toBe(history.length)
    })

    test('however the events are cut into batches, the rows are the same', async () => {
      await fc.assert(
        fc.asyncProperty(
          arbitraryHistory,
          fc.array(fc.integer({ min: 1, max: 9 })),
          async (history, sizes) => {
            const [whole, cut] = [await open(), await open()]
            try {
              whole.apply('j1', history)
              let from = 0
              for (let i = 0; from < history.length; i++) {
                const size = sizes[i % sizes.length] ?? 1
                cut.apply('j1', history.slice(from, from + size))
                from += size
              }
              expect(cut.dump()).toBe(whole.dump())
            } finally {
              whole.close()
              cut.close()
            }
          },
        ),
        { numRuns: 25 },
      )
    })
  })
}
