import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { asEvents, writeHistory } from '../../../test/contract/run-index-history.ts'
import { longEvents } from '../../../test/support/task-feed-process.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { createTaskFeed, fillFeed, type TaskFeed } from './feed.ts'
import { formatFeedLine } from './line.ts'

let directory: string
let path: string
let feeds: TaskFeed[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dagbok-feed-'))
  path = join(directory, 'logs', 'orchestrator_events.jsonl')
})
afterEach(async () => {
  for (const feed of feeds) await feed.close()
  feeds = []
  rmSync(directory, { recursive: true, force: true })
})

function feedFor(events: readonly Event[]): TaskFeed {
  const feed = createTaskFeed({ path, headSeq: () => events.at(-1)?.seq ?? 0 })
  feeds.push(feed)
  return feed
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** A reader of `events`, as of the journal's. */
function readerOf(events: readonly Event[]) {
  return ({ afterSeq }: { afterSeq: number }) => events.filter(event => event.seq > afterSeq)
}

function textOf(events: Iterable<Event>): string {
  return [...events].map(event => formatFeedLine(event) ?? '').join('')
}

describe('a line', () => {
  const run = { run_id: 'r1', dag_name: 'weekly_ops_chain', tenant_id: 'local-dev' }
  const task = { run_id: 'r1', dag_name: 'weekly_ops_chain', task_id: 'sweep', attempt: 2 }
  const error = { kind: 'exit_code', message: 'it ended with 7', exit_code: 7 }

  test.each([
    [{ event: 'run_started', ...run }, 'dag_start', 'dag_name', 'weekly_ops_chain'],
    [{ event: 'task_start', ...task, workflow_ref: 'shell' }, 'task_start', 'task_id', 'sweep'],
    [{ event: 'task_ok', ...task, duration_ms: 5 }, 'task_ok', 'task_id', 'sweep'],
    [
      { event: 'task_retry', ...task, duration_ms: 5, error, retry_at: 'x' },
      'task_retry',
      'task_id',
      'sweep',
    ],
    [{ event: 'task_lost', ...task, reason: 'killed', retry_at: 'x' }, 'task_retry', 'task_id', 'sweep'],
    [{ event: 'task_fail', ...task, duration_ms: 5, error, message: 'm' }, 'task_fail', 'task_id', 'sweep'],
    [{ event: 'task_skip', ...task, reason: 'upstream_failed' }, 'task_skip', 'task_id', 'sweep'],
    [
      { event: 'run_finished', ...run, status: 'success', tasks_succeeded: 3 },
      'dag_done',
      'dag_name',
      'weekly_ops_chain',
    ],
  ])('of %o', (draft, name, subject, value) => {
    const [event] = asEvents([draft as { event: string }], 42)
    const line = formatFeedLine(event!)
    expect(line).toMatch(/^\{.*\}\n$/)
    const fields = JSON.parse(line!)
    expect(Object.keys(fields).slice(0, 3)).toEqual(['timestamp', 'event', subject])
    expect(fields).toMatchObject({ event: name, [subject]: value, run_id: 'r1', seq: 42 })
    expect(fields.timestamp).toBe(event!.timestamp)
    if (draft.event === 'run_finished')
      expect(fields).toMatchObject({ tasks_succeeded: 3, status: 'success' })
    else if (name === 'task_fail') expect(fields).toMatchObject({ attempt: 2, error, message: 'm' })
    else if (draft.event === 'task_lost') expect(fields.error).toEqual({ kind: 'lost', message: 'killed' })
  })

  test('of everything else there is none, nor of a user line of such a name', () => {
    const others = asEvents([
      { event: 'schedule_enqueued' },
      { event: 'task_spawned' },
      { event: 'checkpoint' },
      { event: 'task_ok', source: 'user', task_id: 'sweep' },
    ])
    expect(textOf(others)).toBe('')
  })
})

describe('the file', () => {
  test('is made with its directory, and holds a line for each event of the feed, in order, once', async () => {
    const history = writeHistory(30)
    const feed = feedFor(history)
    expect(await feed.open()).toBe(0)
    for (let from = 0; from < history.length; from += 9) await feed.apply(history.slice(from, from + 9))
    await feed.apply(history)
    expect(feed.takenSeq).toBe(history.length)
    expect(readFileSync(path, 'utf8')).toBe(textOf(history))
    expect(textOf(history).split('\n').length).toBeGreaterThan(100)
  })

  test('goes on after its last complete line, wherever it was cut', async () => {
    const history = writeHistory(4)
    const whole = textOf(history)
    const bytes = Buffer.byteLength(whole)
    let torn = 0
    mkdirSync(dirname(path))
    for (let cut = 0; cut <= bytes; cut += cut > bytes - 400 ? 1 : 37) {
      writeFileSync(path, Buffer.from(whole).subarray(0, cut))
      if (cut > 0 && readFileSync(path)[cut - 1] !== 0x0a) torn++
      const feed = feedFor(history)
      await fillFeed(feed, readerOf(history))
      expect(readFileSync(path, 'utf8')).toBe(whole)
      await feed.close()
    }
    expect(torn).toBeGreaterThan(300)
  })

  test('a hole of NULs that a power cut left is cut off', async () => {
    const history = writeHistory(4)
    await fillFeed(feedFor(history), readerOf(history))
    appendFileSync(path, Buffer.alloc(100_000))
    await fillFeed(feedFor(history), readerOf(history))
    expect(readFileSync(path, 'utf8')).toBe(textOf(history))
  })

  test('keeps what others wrote: older lines without seq, and an unfinished line of theirs', async () => {
    const history = writeHistory(4)
    mkdirSync(dirname(path))
    const old = '{"timestamp": "2025-10-03T10:00:00", "event": "dag_start", "dag_name": "old"}\n'
    writeFileSync(path, old)
    await fillFeed(feedFor(history.slice(0, 20)), readerOf(history.slice(0, 20)))
    appendFileSync(path, 'a note by hand\nand another')
    await fillFeed(feedFor(history), readerOf(history))
    expect(readFileSync(path, 'utf8')).toBe(
      `${old}${textOf(history.slice(0, 20))}a note by hand\nand another\n${textOf(history.slice(20))}`,
    )
  })

  test('finds its last line behind many chunks of other text', async () => {
    const history = writeHistory(4)
    await fillFeed(feedFor(history.slice(0, 20)), readerOf(history.slice(0, 20)))
    appendFileSync(path, `${'x'.repeat(999)}\n`.repeat(300))
    const feed = feedFor(history)
    const last = [...history.slice(0, 20)].reverse().find(event => formatFeedLine(event) !== undefined)
    expect(await feed.open()).toBe(last?.seq)
  })

  test('that is ahead of the journal is of another one: it begins again', async () => {
    const history = writeHistory(10)
    await fillFeed(feedFor(history), readerOf(history))
    const other = writeHistory(2, 7)
    const before = readFileSync(path, 'utf8')
    await fillFeed(feedFor(other), readerOf(other))
    expect(readFileSync(path, 'utf8')).toBe(before + textOf(other))
  })

  test('that is renamed or deleted underneath is made anew and goes on', async () => {
    const history = writeHistory(12)
    const feed = feedFor(history)
    await feed.open()
    await feed.apply(history.slice(0, 40))
    renameSync(path, `${path}.1`)
    await feed.apply(history.slice(40, 80))
    expect(readFileSync(`${path}.1`, 'utf8')).toBe(textOf(history.slice(0, 40)))
    expect(readFileSync(path, 'utf8')).toBe(textOf(history.slice(40, 80)))
    rmSync(path)
    await feed.apply(history.slice(80))
    expect(readFileSync(path, 'utf8')).toBe(textOf(history.slice(80)))
  })

  test('on a full disk a write fails, and goes on from there when there is space', async () => {
    const history = writeHistory(6)
    mkdirSync(dirname(path))
    symlinkSync('/dev/full', path)
    const feed = feedFor(history)
    const full = createTaskFeed({ path, headSeq: () => 0 })
    feeds.push(full)
    await full.open()
    await expect(full.apply(history)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(full.takenSeq).toBe(0)
    rmSync(path)
    await fillFeed(feed, readerOf(history))
    expect(readFileSync(path, 'utf8')).toBe(textOf(history))
  })

  test('that may not be written is an error of open, not more', async () => {
    const history = writeHistory(2)
    mkdirSync(dirname(path))
    writeFileSync(join(directory, 'logs', 'blocker'), '')
    const feed = createTaskFeed({ path: join(directory, 'logs', 'blocker', 'x.jsonl'), headSeq: () => 9 })
    await expect(feed.open()).rejects.toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST/) })
    if (process.getuid?.() !== 0) {
      writeFileSync(path, '')
      chmodSync(path, 0o400)
      await expect(feedFor(history).open()).rejects.toMatchObject({ code: 'EACCES' })
    }
  })
})

test('kill -9 in the middle of writing: no gap and no repeat', async () => {
  const lines = 6_000
  const file = fileURLToPath(new URL('../../../test/support/task-feed-process.ts', import.meta.url))
  let killed = 0
  let torn = 0
  for (let round = 0; round < 40; round++) {
    const child = fork(file, [path, String(lines)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const exited = once(child, 'exit')
    await once(child, 'message')
    // The file begins to grow: a write is under way.
    const before = sizeOf(path)
    while (sizeOf(path) === before && child.exitCode === null) await breathe()
    child.kill('SIGKILL')
    if ((await exited)[1] !== 'SIGKILL') break
    killed++
    if (sizeOf(path) > 0 && readFileSync(path).at(-1) !== 0x0a) torn++
    if (torn >= 2) break
  }
  expect(killed).toBeGreaterThan(0)
  expect(torn, `${killed} kills`).toBeGreaterThan(0)
  const feed = createTaskFeed({ path, headSeq: () => lines })
  await fillFeed(feed, ({ afterSeq }) => longEvents(lines, afterSeq))
  await feed.close()
  const text = readFileSync(path, 'utf8')
  expect(text.split('\n').map(line => (line === '' ? 0 : JSON.parse(line).seq))).toEqual([
    ...Array.from({ length: lines }, (_, i) => i + 1),
    0,
  ])
})
