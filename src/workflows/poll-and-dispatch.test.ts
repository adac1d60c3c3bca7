import { describe, expect, test } from 'vitest'
import { DagbokError } from '../core/error.ts'
import { type JsonObject, jsonBytes } from '../core/json.ts'
import type { StageFile } from '../core/stage/stage.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptSpec } from '../ports/executor.ts'
import { StageError, type StageListing, type StageReader, type StageTracking } from '../ports/stage-reader.ts'
import { createPollExecutor } from './poll-and-dispatch.ts'

const STAGE: JsonObject = {
  name: 'external_input_files',
  location: { kind: 'directory', path: 'data/in' },
  pattern: '*.csv',
  order: 'oldest',
  maxFiles: 500,
  stableForMs: 60_000,
}
const TRACKING: StageTracking = { isCandidate: () => true, consumedKeys: () => [] }
const NOTHING: StageListing = { files: [], more: 0, waiting: 0, gone: [] }

function file(index: number, padding = ''): StageFile {
  const key = `${padding}${index}.csv`
  return { key, version: `v${index}`, uri: `/in/${key}`, size: 1, modified_at: '2026-01-05T00:00:00.000Z' }
}

/** A clock whose only timer is set off by hand. */
function createClock(): Clock & { limitMs: number | undefined; ring(): void } {
  const clock = {
    limitMs: undefined as number | undefined,
    ring: () => {},
    now: () => 1_000_000,
    monotonicMs: () => 0,
    after(delayMs: number, wake: () => void) {
      clock.limitMs = delayMs
      clock.ring = wake
      return () => {
        clock.limitMs = undefined
      }
    },
  }
  return clock
}

function poll(
  list: StageReader['list'],
  params: JsonObject = { stage: STAGE },
  more: Partial<AttemptSpec> = {},
) {
  const clock = createClock()
  const executor = createPollExecutor({ clock, stages: { list } })
  const spec: AttemptSpec = {
    runId: 'orders@2026-01-05T00:00Z',
    taskId: 'POLL_AND_DISPATCH',
    attempt: 1,
    dagName: 'orders',
    tenantId: 'default',
    workflowRef: 'poll_and_dispatch',
    params,
    tracking: () => TRACKING,
    env: {},
    logicalDate: '2026-01-05T00:00:00.000Z',
    ...more,
  }
  return { clock, executor, spec, attempt: executor.start(spec, { spawned: () => {} }) }
}

/** A listing that ends only when it is not wanted any more. */
const hang: StageReader['list'] = (_stage, _tracking, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('poll_and_dispatch', () => {
  test('gives the new files, and takes exactly these for its run', async () => {
    const asked: unknown[] = []
    const { attempt } = poll(
      async (stage, tracking) => {
        asked.push(stage, tracking)
        return { files: [file(1), file(2)], more: 3, waiting: 4, gone: ['old.csv'] }
      },
      { stage: STAGE, upstream__key: 1 },
      {
        tracking: name => {
          asked.push(name)
          return TRACKING
        },
      },
    )
    expect(await attempt.outcome).toEqual({
      kind: 'ok',
      output: { new_files: [file(1), file(2)], more: 3, waiting: 4 },
      taken: {
        kind: 'files',
        stage: 'external_input_files',
        files: [
          { key: '1.csv', version: 'v1' },
          { key: '2.csv', version: 'v2' },
        ],
        gone: ['old.csv'],
      },
    })
    expect(asked).toEqual(['external_input_files', STAGE, TRACKING])
  })

  test('gives an empty list when there is nothing', async () => {
    expect(await poll(async () => NOTHING).attempt.outcome).toMatchObject({
      kind: 'ok',
      output: { new_files: [], more: 0, waiting: 0 },
      taken: { files: [], gone: [] },
    })
  })

  test('takes what fits into an output, and counts the rest', async () => {
    const files = Array.from({ length: 5_000 }, (_, index) => file(index, 'ü\u2028'.repeat(50)))
    const outcome = await poll(async () => ({ ...NOTHING, files, more: 7 })).attempt.outcome
    if (outcome.kind !== 'ok' || outcome.taken?.kind !== 'files') throw new Error(outcome.kind)
    const { new_files, more } = outcome.output as { new_files: StageFile[]; more: number }
    expect(jsonBytes(outcome.output)).toBeLessThanOrEqual(1024 * 1024)
    expect(jsonBytes(outcome.output)).toBeGreaterThan(1024 * 1024 - 1_500)
    expect(new_files.length + more).toBe(5_007)
    expect(outcome.taken.files).toEqual(new_files.map(({ key, version }) => ({ key, version })))
    expect(new_files[0]).toEqual(files[0])
  })

  test('fails with the words of the reader', async () => {
    const words = '/data/in cannot be listed: there is no such folder (ENOENT)'
    const fails = (error: Error) => poll(() => Promise.reject(error)).attempt.outcome
    expect(await fails(new StageError(words))).toEqual({
      kind: 'failed',
      error: { kind: 'stage_unreadable', message: words },
    })
    const missing = new DagbokError('S3_UNAVAILABLE', 'no library', { hint: 'npm install it' })
    expect(await fails(missing)).toEqual({
      kind: 'failed',
      error: { kind: 'stage_unreadable', message: 'no library (npm install it)' },
    })
  })

  test.each([
    [{}, 'params.stage is missing'],
    [{ stage: 'in' }, 'params.stage is missing'],
    [{ stage: { ...STAGE, location: { kind: 'ftp' } } }, 'location: expected a directory with path'],
    [
      { stage: { ...STAGE, order: 'best', maxFiles: 0 } },
      'order: expected one of oldest, newest, name; maxFiles:',
    ],
    [{ stage: { ...STAGE, stableForMs: '1m' } }, 'stableForMs: expected a whole number'],
  ])('params that are no stage: %j', async (params, words) => {
    expect(await poll(hang, params as JsonObject).attempt.outcome).toMatchObject({
      kind: 'failed',
      error: { kind: 'invalid_params', message: expect.stringContaining(words) },
    })
  })

  test.each([
    [{}, 600_000, '10m'],
    [{ timeoutMs: 5_000 }, 5_000, '5s'],
    [{ deadlineAt: 1_030_000 }, 30_000, '30s'],
  ])('with %j ends after %d ms', async (more, limitMs, words) => {
    const { attempt, clock } = poll(hang, undefined, more)
    expect(clock.limitMs).toBe(limitMs)
    clock.ring()
    expect(await attempt.outcome).toEqual({
      kind: 'failed',
      error: { kind: 'timeout', message: `the stage external_input_files was not listed within ${words}` },
    })
  })

  test('ends when it is cancelled, and its timer with it', async () => {
    const { attempt, clock } = poll(hang)
    attempt.cancel('not wanted', 1_000)
    attempt.cancel('again', 0)
    expect(await attempt.outcome).toEqual({ kind: 'cancelled', reason: 'not wanted' })
    expect(clock.limitMs).toBeUndefined()
  })

  test('is lost when the scheduler stops, or has stopped', async () => {
    const { attempt, executor, spec } = poll(hang)
    await executor.close()
    expect(await attempt.outcome).toMatchObject({ kind: 'lost' })
    expect(await executor.adopt(spec, undefined, () => {}).outcome).toMatchObject({ kind: 'lost' })
  })
})
