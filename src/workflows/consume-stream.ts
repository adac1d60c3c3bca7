// The `consume_stream` workflow: reads a stream on from where the last successful run stopped, and takes what it has read for
// its run. A manifest injects it (CONSUME_STREAM).
//
//   1. Nothing of the stream is changed: what is taken is recorded with the task's end, and only there.
//   2. What is no record is durable in a file of dead letters before the task's end says that it has been read.

import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { Stream } from '../core/stream/stream.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptOutcome, AttemptSpec, Executor } from '../ports/executor.ts'
import type { StreamReader } from '../ports/stream-reader.ts'
import { writeDeadLetters } from './dead-letters.ts'
import { createInProcessExecutor } from './in-process.ts'

export interface ConsumeOptions {
  readonly clock: Clock
  readonly streams: StreamReader
  /** Dead letters are relative to it. */
  readonly root: string
}

/** Reads streams. `params.stream` is a Stream in its normal form, as the expansion of a manifest writes it. */
export function createStreamConsumer({ clock, streams, root }: ConsumeOptions): Executor {
  return createInProcessExecutor(clock, {
    what: 'reading the stream',
    errorKind: 'stream_unreadable',
    async perform(spec, signal) {
      const request = readRequest(spec.params)
      if (typeof request === 'string')
        return { kind: 'failed', error: { kind: 'invalid_params', message: request } }
      return consume(spec, request, { streams, root }, signal)
    },
  })
}

interface ConsumeRequest {
  readonly stream: Stream
  readonly deadLetters: string
}

async function consume(
  spec: AttemptSpec,
  { stream, deadLetters }: ConsumeRequest,
  { streams, root }: Omit<ConsumeOptions, 'clock'>,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  if (spec.position === undefined) throw new Error('nobody says how far the stream has been read')
  const from = spec.position(stream.name)
  const { records, dead, to, more } = await streams.read(stream, from, signal)
  signal.throwIfAborted()
  const place = { folder: deadLetters, dagName: spec.dagName, stream: stream.name, from }
  const file = dead.length === 0 ? undefined : await writeDeadLetters(root, place, dead)
  return {
    kind: 'ok',
    output: {
      new_files: records,
      dead: dead.length,
      ...(file === undefined ? {} : { dead_letters: file }),
      more,
    },
    taken: { kind: 'records', stream: stream.name, from, to, records: records.length + dead.length, more },
  }
}

/** A problem in words, or what is asked. Params of upstreams (`<task>__<key>`) are let through. */
function readRequest({ stream, dead_letters: deadLetters }: JsonObject): ConsumeRequest | string {
  if (!isJsonObject(stream))
    return 'params.stream is missing; expected a stream as `scheduler show --expanded` prints it'
  const { name, source, maxRecords } = stream
  const faults = [
    typeof name === 'string' && name !== '' ? [] : ['name: expected a text'],
    isSource(source)
      ? []
      : ['source: expected a file with path, or sqlite or postgres with database, table and key'],
    Number.isSafeInteger(maxRecords) && (maxRecords as number) > 0
      ? []
      : ['maxRecords: expected a whole number from 1'],
  ].flat()
  if (faults.length > 0) return `params.stream cannot be read: ${faults.join('; ')}`
  if (typeof deadLetters !== 'string' || deadLetters === '')
    return 'params.dead_letters is missing; expected the folder for what is no record'
  return { stream: stream as unknown as Stream, deadLetters }
}

function isSource(source: unknown): boolean {
  if (!isJsonObject(source)) return false
  const { kind, path, database, table, key } = source
  if (kind === 'file') return typeof path === 'string'
  return (
    (kind === 'sqlite' || kind === 'postgres') &&
    [database, table, key].every(text => typeof text === 'string')
  )
}
