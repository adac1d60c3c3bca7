// `scheduler logs <run> [task]`: what attempts printed, stdout then stderr; `-f` until the run or the task has ended.
//
//   U1. What was printed comes out byte for byte. Headings appear only where there is more than one stream.
//   U2. Following ends with what was printed up to the end: the files are read once more after the end is known.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { AttemptKey } from '../../ports/executor.ts'
import type { RunRow, TaskRow } from '../../ports/run-index.ts'
import type { CommandContext } from '../context.ts'
import type { LogFlags } from '../flags.ts'
import type { Reader } from '../house.ts'
import { writeJsonList } from '../output.ts'
import { findRun } from '../run-name.ts'
import { readCount, suggest } from '../usage.ts'

const POLL_MS = 200
const CHUNK_BYTES = 256 * 1024

export async function run(
  context: CommandContext,
  name: string,
  task: string | undefined,
  flags: LogFlags,
): Promise<number> {
  const attempt = flags.attempt === undefined ? undefined : readCount('--attempt', flags.attempt)
  const reader = await (await context.house()).openReader(context.settings)
  try {
    const row = findRun(reader, name)
    const choose = () => chooseAttempts(reader, row.run_id, task, attempt)
    if (task !== undefined) checkTask(reader, row.run_id, task)
    if (context.json) {
      const items = choose().map(key => {
        const { stdout, stderr } = reader.logs.locate(key)
        return { run_id: key.runId, task_id: key.taskId, attempt: key.attempt, stdout, stderr }
      })
      writeJsonList(context.out.data, 'LogList', items)
    } else if (flags.follow && !isOver(row, reader.index.tasks(row.run_id), task, attempt)) {
      await follow(context, reader, row.run_id, task, attempt, choose)
    } else show(context, reader, choose())
    return EXIT.ok
  } finally {
    await reader.close()
  }
}

/** Attempts with a log: of one task or all, the one asked for or each task's last. */
function chooseAttempts(
  { logs }: Reader,
  runId: string,
  task: string | undefined,
  attempt: number | undefined,
): AttemptKey[] {
  const all = logs.list(runId).filter(key => task === undefined || key.taskId === task)
  if (attempt !== undefined) return all.filter(key => key.attempt === attempt)
  const last = new Map<string, AttemptKey>()
  for (const key of all) {
    const known = last.get(key.taskId)
    if (known === undefined || known.attempt < key.attempt) last.set(key.taskId, key)
  }
  return [...last.values()]
}

function checkTask({ index, logs }: Reader, runId: string, task: string): void {
  const known = new Set([
    ...index.tasks(runId).map(row => row.task_id),
    ...logs.list(runId).map(key => key.taskId),
  ])
  if (known.has(task)) return
  throw new DagbokError('TASK_NOT_FOUND', `run ${runId} has no task ${JSON.stringify(task)} that has begun`, {
    exitCode: EXIT.notFound,
    hint: suggest(task, known, '`scheduler runs <run>` lists the tasks that have begun'),
  })
}

/** True if nothing more can be printed by what was asked for. */
function isOver(
  row: Pick<RunRow, 'status'>,
  tasks: readonly TaskRow[],
  task: string | undefined,
  attempt: number | undefined,
): boolean {
  if (row.status !== 'queued' && row.status !== 'running') return true
  const found = tasks.find(candidate => candidate.task_id === task)
  if (found === undefined) return false
  if (attempt !== undefined && found.attempt > attempt) return true
  if (attempt !== undefined && found.attempt === attempt) return found.status !== 'running'
  return found.status !== 'running' && found.status !== 'retrying'
}

/** One stream of one attempt, read onwards from where it was left. */
class LogStream {
  readonly heading: string
  readonly #path: string
  readonly #decoder = new StringDecoder('utf8')
  #offset = 0

  constructor(path: string, key: AttemptKey, stream: string) {
    this.#path = path
    this.heading = `==> ${key.taskId} attempt ${key.attempt} ${stream} <==`
  }

  /** What was printed since the last call, in pieces. A file that is not there yet is empty. */
  *read(): Generator<string> {
    let handle: number
    try {
      handle = openSync(this.#path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    try {
      // The limit on logs cuts files: what was cut off was read already.
      this.#offset = Math.min(this.#offset, fstatSync(handle).size)
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      for (;;) {
        const length = readSync(handle, chunk, 0, CHUNK_BYTES, this.#offset)
        if (length === 0) return
        this.#offset += length
        yield this.#decoder.write(chunk.subarray(0, length))
      }
    } finally {
      closeSync(handle)
    }
  }
}

function openStreams({ logs }: Reader, key: AttemptKey): LogStream[] {
  const { stdout, stderr } = logs.locate(key)
  return [new LogStream(stdout, key, 'stdout'), new LogStream(stderr, key, 'stderr')]
}

/** Writes streams with a heading whenever another one speaks. */
class Writer {
  readonly #context: CommandContext
  #last: LogStream | undefined
  #atLineStart = true

  constructor(context: CommandContext) {
    this.#context = context
  }

  write(stream: LogStream, text: string, withHeading: boolean): void {
    if (text === '') return
    const { data } = this.#context.out
    if (withHeading && this.#last !== stream) {
      if (!this.#atLineStart) data.write('\n')
      if (this.#last !== undefined) data.write('\n')
      data.line(data.style('bold', stream.heading))
    }
    this.#last = stream
    this.#atLineStart = text.endsWith('\n')
    data.write(text)
  }
}

function show(context: CommandContext, reader: Reader, keys: readonly AttemptKey[]): void {
  const streams = keys.flatMap(key => openStreams(reader, key))
  const writer = new Writer(context)
  const spoken = streams
    .map(stream => ({ stream, pieces: stream.read(), first: '' }))
    .filter(entry => {
      entry.first = entry.pieces.next().value ?? ''
      return entry.first !== ''
    })
  for (const { stream, pieces, first } of spoken) {
    writer.write(stream, first, spoken.length > 1)
    for (const piece of pieces) {
      if (context.out.data.closed.aborted) return
      writer.write(stream, piece, spoken.length > 1)
    }
  }
  if (spoken.length === 0) context.out.note.line('nothing was printed')
}

async function follow(
  context: CommandContext,
  reader: Reader,
  runId: string,
  task: string | undefined,
  attempt: number | undefined,
  choose: () => AttemptKey[],
): Promise<void> {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  const unlisten = context.interrupts.listen(leave)
  context.out.data.closed.addEventListener('abort', leave)
  const over = new AbortController()
  const watching = watchForEnd(reader, runId, task, attempt, leaving.signal).finally(() => over.abort())
  const streams = new Map<string, LogStream[]>()
  const writer = new Writer(context)
  const pump = () => {
    for (const key of choose()) {
      const name = `${key.taskId}/${key.attempt}`
      if (!streams.has(name)) streams.set(name, openStreams(reader, key))
    }
    for (const stream of [...streams.values()].flat()) {
      for (const piece of stream.read()) writer.write(stream, piece, task === undefined || streams.size > 1)
    }
  }
  try {
    while (!over.signal.aborted) {
      pump()
      await sleep(POLL_MS, undefined, { signal: over.signal }).catch(() => undefined)
    }
    await watching
    pump()
  } finally {
    leave()
    unlisten()
  }
}

/** Resolves when what was asked for can print nothing more, or when the signal fires. */
async function watchForEnd(
  reader: Reader,
  runId: string,
  task: string | undefined,
  attempt: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const ends = new Set(['task_ok', 'task_fail', 'task_cancelled', 'task_skip'])
  try {
    for await (const event of reader.follow(reader.index.checkpoint()?.seq ?? 0, signal)) {
      if (!('run_id' in event) || event.run_id !== runId || 'source' in event) continue
      if (event.event === 'run_finished') return
      if (task === undefined || !('task_id' in event) || event.task_id !== task) continue
      if (ends.has(event.event)) return
      const passed = event.event === 'task_retry' || event.event === 'task_lost'
      if (passed && attempt !== undefined && event.attempt >= attempt) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
