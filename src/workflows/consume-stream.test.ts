import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../adapters/system/clock.ts'
import type { JsonObject } from '../core/json.ts'
import type { StreamPosition } from '../core/stream/stream.ts'
import type { AttemptSpec } from '../ports/executor.ts'
import type { StreamBatch, StreamReader } from '../ports/stream-reader.ts'
import { createStreamConsumer } from './consume-stream.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-consume-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const STREAM: JsonObject = { name: 'orders', source: { kind: 'file', path: 'orders.jsonl' }, maxRecords: 10 }
const PARAMS: JsonObject = { stream: STREAM, dead_letters: 'dead' }

function consume(
  read: StreamReader['read'],
  { params = PARAMS, from, ...more }: { from?: StreamPosition } & Partial<AttemptSpec> = {},
) {
  const executor = createStreamConsumer({
    clock: systemClock,
    streams: { read, hasMore: async () => true },
    root,
  })
  const spec: AttemptSpec = {
    runId: 'r',
    taskId: 'CONSUME_STREAM',
    attempt: 1,
    dagName: 'load orders',
    tenantId: 'acme',
    workflowRef: 'consume_stream',
    params,
    position: name => (name === 'orders' ? from : { line: -1 }),
    env: {},
    logicalDate: '2026-01-05T06:00Z',
    ...more,
  }
  return { executor, attempt: executor.start(spec, { spawned: () => {} }) }
}

const batch = (more: Partial<StreamBatch> = {}): StreamBatch => ({
  records: [{ id: 1 }, { id: 2 }],
  dead: [],
  to: { line: 2 },
  more: false,
  ...more,
})
const DEAD = [{ place: 'orders.jsonl:2', error: 'the line is not JSON', text: 'nonsense' }]
const hang: StreamReader['read'] = (_stream, _from, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('consume_stream', () => {
  test('gives the records, and takes exactly these for its run', async () => {
    const asked: unknown[] = []
    const read: StreamReader['read'] = async (stream, from) => {
      asked.push(stream, from)
      return batch({ more: true })
    }
    expect(await consume(read, { from: { line: 0 } }).attempt.outcome).toEqual({
      kind: 'ok',
      output: { new_files: [{ id: 1 }, { id: 2 }], dead: 0, more: true },
      taken: {
        kind: 'records',
        stream: 'orders',
        from: { line: 0 },
        to: { line: 2 },
        records: 2,
        more: true,
      },
    })
    expect(asked).toEqual([STREAM, { line: 0 }])
  })

  test('what is no record is in a file, the same for the same position', async () => {
    const read = async () => batch({ dead: DEAD })
    const first = await consume(read, { from: { line: 1, file: { inode: '1', head: 'x' } } }).attempt.outcome
    const again = await consume(read, { from: { file: { head: 'x', inode: '1' }, line: 1 } }).attempt.outcome
    const other = await consume(read).attempt.outcome
    if (first.kind !== 'ok' || again.kind !== 'ok' || other.kind !== 'ok') throw new Error(first.kind)
    expect(first.taken).toMatchObject({ records: 3 })
    const { dead, dead_letters: file } = first.output as { dead: number; dead_letters: string }
    expect([dead, again.output['dead_letters']]).toEqual([1, file])
    expect(file).toMatch(/^dead\/load%20orders\/orders\/from-[0-9a-f]{16}\.jsonl$/)
    expect(readFileSync(join(root, file), 'utf8')).toBe(`${JSON.stringify(DEAD[0])}\n`)
    expect(other.output['dead_letters']).toBe('dead/load%20orders/orders/from-beginning.jsonl')
  })

  test('fails with the words of the reader', async () => {
    const words = 'there is no folder for orders.jsonl'
    expect(await consume(() => Promise.reject(new Error(words))).attempt.outcome).toEqual({
      kind: 'failed',
      error: { kind: 'stream_unreadable', message: words },
    })
  })

  test('a folder for dead letters that cannot be made: nothing is taken', async () => {
    const params = { stream: STREAM, dead_letters: '/dev/null/dead' }
    expect(await consume(async () => batch({ dead: DEAD }), { params }).attempt.outcome).toMatchObject({
      kind: 'failed',
      error: { kind: 'stream_unreadable' },
    })
  })

  test.each([
    [{}, 'params.stream is missing'],
    [{ stream: STREAM }, 'params.dead_letters is missing'],
    [
      { stream: { ...STREAM, maxRecords: 0 }, dead_letters: 'd' },
      'maxRecords: expected a whole number from 1',
    ],
    [
      { stream: { name: '', source: { kind: 'kafka' } }, dead_letters: 'd' },
      'name: expected a text; source: expected',
    ],
  ])('params that are no stream: %j', async (params, words) => {
    expect(await consume(hang, { params: params as JsonObject }).attempt.outcome).toMatchObject({
      kind: 'failed',
      error: { kind: 'invalid_params', message: expect.stringContaining(words) },
    })
  })

  test('every wait ends', async () => {
    expect(await consume(hang, { timeoutMs: 30 }).attempt.outcome).toEqual({
      kind: 'failed',
      error: { kind: 'timeout', message: 'reading the stream did not end within 30ms' },
    })
    const cancelled = consume(hang)
    cancelled.attempt.cancel('by hand', 0)
    expect(await cancelled.attempt.outcome).toEqual({ kind: 'cancelled', reason: 'by hand' })
    const left = consume(hang)
    await left.executor.close()
    expect(await left.attempt.outcome).toMatchObject({ kind: 'lost' })
  })
})
