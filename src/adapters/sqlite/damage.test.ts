// The index is damaged, deleted, mixed up and fought over: it always ends as the one that was built from the journal.
// INDEX_FLIPS=1000 flips more bytes.

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asEvents, writeHistory } from '../../../test/contract/run-index-history.ts'
import type { IndexReply } from '../../../test/support/run-index-process.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { IndexRebuildNeededError, type RebuildReason } from '../../ports/run-index.ts'
import { createMemoryRunIndex } from '../memory/run-index.ts'
import { catchUp, ensureRunIndex } from './catch-up.ts'
import { createIndexFollower } from './follower.ts'
import { rebuildRunIndex } from './rebuild.ts'
import { openRunIndex } from './run-index.ts'
import { SCHEMA_VERSION } from './schema.ts'

const FLIPS = Number(process.env['INDEX_FLIPS'] ?? 200)
const history = writeHistory(60)
let expected = ''
let pristine = ''
let directory: string
let file: string

beforeAll(async () => {
  const memory = createMemoryRunIndex()
  memory.apply('j1', history)
  expected = memory.dump()
})
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dagbok-damage-'))
  file = join(directory, 'index.db')
  pristine = join(directory, 'pristine.db')
  await rebuildRunIndex({ file, journalId: 'j1', events: history })
  copyFileSync(file, pristine)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const readerOf =
  (events: readonly Event[]) =>
  ({ afterSeq }: { afterSeq: number }) =>
    events.filter(event => event.seq > afterSeq)

/** Mends the file, checks that it is the journal's index then, and says why it was built again, if it was. */
async function mend(verify = false, events: readonly Event[] = history): Promise<RebuildReason | undefined> {
  const { index, rebuilt } = await ensureRunIndex({
    file,
    journalId: 'j1',
    readEvents: readerOf(events),
    verify,
  })
  expect(index.verify()).toEqual([])
  if (events === history) expect(index.dump()).toBe(expected)
  index.close()
  return rebuilt?.reason
}

function flipBit(place: number, bit: number): void {
  const fd = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, place)
  byte[0]! ^= 1 << bit
  writeSync(fd, byte, 0, 1, place)
  closeSync(fd)
}

describe('a damaged file is built again', () => {
  test('not at all where nothing is wrong', async () => {
    expect(await mend(true)).toBeUndefined()
  })

  test('deleted, also when its log is left behind', async () => {
    const { index } = openRunIndex({ file, journalId: 'j1' })
    index!.apply('j1', asEvents([{ event: 'noted', source: 'user' }], history.length + 1))
    copyFileSync(`${file}-wal`, join(directory, 'wal'))
    index!.close()
    rmSync(file)
    copyFileSync(join(directory, 'wal'), `${file}-wal`)
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    expect(await mend()).toBe('missing')
  })

  test('truncated anywhere', async () => {
    const { size } = statSync(pristine)
    for (const length of [0, 1, 16, 100, 4_096, 4_097, size >> 1, size - 4_096, size - 1]) {
      copyFileSync(pristine, file)
      truncateSync(file, length)
      expect(await mend(true), `${length} of ${size} bytes`).toBe('damaged')
    }
  })

  test(`bits flipped in ${FLIPS} places`, { timeout: 30_000 + FLIPS * 100 }, async () => {
    const { size } = statSync(pristine)
    let rebuilt = 0
    for (let i = 0; i < FLIPS; i++) {
      copyFileSync(pristine, file)
      // The header and the schema first, then all over the file.
      const place = i < 40 ? i * 2 : Math.floor((((i * 0.6180339887) % 1) + 1e-9) * size)
      flipBit(place, i % 8)
      expect(readFileSync(file).equals(readFileSync(pristine)), `place ${place}`).toBe(false)
      if ((await mend(true)) !== undefined) rebuilt++
    }
    // The others hit unused bytes, or fields that SQLite mends itself.
    expect(rebuilt).toBeGreaterThan(FLIPS / 3)
  })

  test('without the full check a flipped bit is never any other error', async () => {
    const { size } = statSync(pristine)
    let noticed = 0
    for (let i = 0; i < 100; i++) {
      copyFileSync(pristine, file)
      flipBit(Math.floor(((i * 0.6180339887) % 1) * size), i % 8)
      const opened = openRunIndex({ file, journalId: 'j1' })
      if (opened.index === undefined) {
        noticed++
        continue
      }
      try {
        opened.index.events({ limit: 1e9 })
        opened.index.runs({ limit: 1e9 })
      } catch (error) {
        noticed++
        expect(error).toBeInstanceOf(IndexRebuildNeededError)
      }
      opened.index.close()
    }
    expect(noticed).toBeGreaterThan(20)
  })

  test('overwritten with something else', async () => {
    writeFileSync(file, 'not a database at all, but long enough to look at\n'.repeat(200))
    expect(await mend()).toBe('damaged')
    rmSync(file)
    const other = new Database(file)
    other.exec('CREATE TABLE events (x); INSERT INTO events VALUES (1)')
    other.close()
    expect(await mend()).toBe('damaged')
    writeFileSync(file, '')
    expect(await mend()).toBe('damaged')
  })

  test('of a newer or older version', async () => {
    for (const version of [SCHEMA_VERSION + 1, SCHEMA_VERSION - 1]) {
      const db = new Database(file)
      db.pragma(`user_version = ${version}`)
      db.close()
      expect(await mend()).toBe('other_schema')
    }
  })

  test('of another journal', async () => {
    await rebuildRunIndex({ file, journalId: 'j2', events: writeHistory(90, 5) })
    expect(await mend()).toBe('other_journal')
  })

  test('with a row that its lines do not speak of, when it is asked to look', async () => {
    const db = new Database(file)
    expect(
      db.prepare(`UPDATE runs SET status = 'success' WHERE status = 'failed'`).run().changes,
    ).toBeGreaterThan(0)
    db.close()
    expect(await mend(true)).toBe('damaged')
  })

  test('with lines that a question would not find, when it is asked to look', async () => {
    for (const harm of [
      `DELETE FROM blocks WHERE kind = 'run' AND subject = 'mine'`,
      `UPDATE blocks SET block = 99 WHERE kind = 'schedule' AND subject = 'schedule_3'`,
    ]) {
      const db = new Database(file)
      expect(db.prepare(harm).run().changes).toBe(1)
      db.close()
      expect(await mend(true), harm).toBe('damaged')
    }
  })
})

describe('an index that is behind or ahead', () => {
  test('a stale copy is caught up, not built again', async () => {
    await rebuildRunIndex({ file, journalId: 'j1', events: history.slice(0, 100) })
    expect(await mend()).toBeUndefined()
  })

  test('of a journal that was restored from a copy is built again', async () => {
    const shorter = history.slice(0, 100)
    expect(await mend(false, shorter)).toBe('diverged')
    await rebuildRunIndex({ file, journalId: 'j1', events: history })
    const other = [
      ...shorter,
      ...asEvents(Array(history.length).fill({ event: 'noted', source: 'user' }), 101),
    ]
    expect(await mend(false, other)).toBe('diverged')
    expect(await mend(false, other)).toBeUndefined()
  })

  test('from before the oldest segment that is kept is built again, and holds what is left', async () => {
    await rebuildRunIndex({ file, journalId: 'j1', events: history.slice(0, 50) })
    const left = [...asEvents([{ event: 'segment_opened', segment: 2 }], 201), ...history.slice(201)]
    expect(await mend(false, left)).toBe('gap')
    // It ended exactly where the oldest segment begins: nothing is missing.
    await rebuildRunIndex({ file, journalId: 'j1', events: history.slice(0, 200) })
    expect(await mend(false, left)).toBeUndefined()
  })

  test('that another process filled from lines that were then taken back says so', async () => {
    await rebuildRunIndex({ file, journalId: 'j1', events: history.slice(0, 100) })
    const { index } = openRunIndex({ file, journalId: 'j1' })
    index!.apply('j1', asEvents([{ event: 'taken_back', source: 'user' }], 101))
    expect(() => index!.apply('j1', history.slice(100, 110))).toThrow(
      expect.objectContaining({ reason: 'diverged' }),
    )
    index!.close()
    expect(await mend()).toBe('diverged')
  })

  test('catchUp works for any run index', async () => {
    const memory = createMemoryRunIndex()
    expect(await catchUp(memory, 'j1', readerOf(history.slice(0, 70)))).toBe(70)
    expect(await catchUp(memory, 'j1', readerOf(history))).toBe(history.length - 70)
    expect(await catchUp(memory, 'j1', readerOf(history))).toBe(0)
    expect(memory.dump()).toBe(expected)
  })
})

describe('as the follower of a daemon', () => {
  test('it goes on when its file is deleted, replaced or damaged underneath', async () => {
    const reasons: string[] = []
    const known = history.slice(0, 150)
    let journal: readonly Event[] = known
    const follower = createIndexFollower({
      file,
      journalId: 'j1',
      readEvents: range => readerOf(journal)(range),
      onRebuild: reason => reasons.push(reason),
    })
    expect(() => follower.index.runs({ limit: 1 })).toThrow(
      expect.objectContaining({ code: 'INDEX_UNAVAILABLE' }),
    )
    await rebuildRunIndex({ file, journalId: 'j1', events: history.slice(0, 100) })
    expect(await follower.open()).toBe(150)
    expect(reasons).toEqual([])

    rmSync(file)
    journal = history.slice(0, 160)
    expect(() => follower.apply(history.slice(150, 160))).toThrow(IndexRebuildNeededError)
    expect(await follower.open()).toBe(160)
    expect(reasons).toEqual(['missing'])

    // A row is changed behind its back; the line's checksum tells.
    const db = new Database(file)
    db.exec(`UPDATE events SET line = replace(line, 'sweep', 'swipe') WHERE event = 'task_start'`)
    db.close()
    expect(() => follower.index.events({ event: 'task_start', limit: 5 })).toThrow(IndexRebuildNeededError)
    await follower.open()
    expect(reasons).toEqual(['missing', 'damaged'])
    expect(follower.index.events({ event: 'task_start', limit: 5 })).toHaveLength(5)

    journal = history
    const caughtUp = follower.upTo(history.length)
    follower.apply(history.slice(155))
    expect(follower.index.checkpoint()?.seq).toBe(history.length)
    expect((await caughtUp).runs({ limit: 1 })).toHaveLength(1)
    await follower.close()
    expect(await mend(true)).toBeUndefined()
  })
})

describe('several processes', { timeout: 60_000 }, () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  /** With `maxBlocks`, no file of the process may grow beyond so many blocks of 512 bytes (sh: ulimit -f). */
  async function startProcess(runs: number, maxBlocks?: number): Promise<ChildProcess> {
    const script = fileURLToPath(new URL('../../../test/support/run-index-process.ts', import.meta.url))
    const shell = ['-c', `ulimit -f ${maxBlocks}; exec "$0" "$@"`, process.execPath]
    const [command, first] = maxBlocks === undefined ? [process.execPath, []] : ['sh', shell]
    const child = spawn(command, [...first, script, file, String(runs)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    children.push(child)
    await once(child, 'message')
    return child
  }
  async function go(child: ChildProcess): Promise<IndexReply> {
    const reply = once(child, 'message')
    child.send('go')
    return (await reply)[0] as IndexReply
  }
  function sha256Of(events: readonly Event[]): string {
    const memory = createMemoryRunIndex()
    memory.apply('j1', events)
    return createHash('sha256').update(memory.dump()).digest('hex')
  }

  test('all find it missing, one builds it, all use it', async () => {
    rmSync(file)
    const started = await Promise.all([1, 2, 3].map(() => startProcess(2_000)))
    const replies = await Promise.all(started.map(go))
    expect(replies.filter(reply => reply.rebuilt)).toHaveLength(1)
    expect(new Set(replies.map(reply => reply.sha256))).toEqual(new Set([sha256Of(writeHistory(2_000))]))
  })

  test('all catch it up at once, while the daemon applies: every line once', async () => {
    const long = writeHistory(3_000)
    const started = await Promise.all([1, 2].map(() => startProcess(3_000)))
    await rebuildRunIndex({ file, journalId: 'j1', events: long.slice(0, 100) })
    const mine = openRunIndex({ file, journalId: 'j1', busyTimeoutMs: 10_000 }).index!
    const replies = started.map(go)
    // It is a race from here on: one of the others has begun.
    while (mine.checkpoint()?.seq === 100) await breathe()
    let others = 0
    let before = 100
    for (let from = 100; from < long.length; from += 50) {
      if ((mine.checkpoint()?.seq ?? 0) > before) others++
      // What the others have done already is ignored.
      const at = Math.min(from, mine.checkpoint()!.seq)
      mine.apply('j1', long.slice(at, from + 50))
      before = mine.checkpoint()!.seq
      await breathe()
    }
    const sha256 = createHash('sha256').update(mine.dump()).digest('hex')
    expect(sha256).toBe(sha256Of(long))
    expect((await Promise.all(replies)).map(reply => reply.sha256)).toEqual([sha256, sha256])
    expect(others).toBeGreaterThan(0)
    expect(mine.verify()).toEqual([])
    mine.close()
  })

  test('where it has no room it says so, and leaves what was there', async () => {
    const blocked = await startProcess(20_000, 400)
    expect(await go(blocked)).toMatchObject({ error: 'INDEX_UNAVAILABLE' })
    const { index } = openRunIndex({ file, journalId: 'j1', verify: true })
    expect(index?.checkpoint()?.seq).toBeGreaterThanOrEqual(history.length)
    index?.close()
    rmSync(file)
    const again = await startProcess(20_000, 400)
    expect(await go(again)).toMatchObject({ error: 'INDEX_UNAVAILABLE' })
    expect(existsSync(`${file}.building`)).toBe(false)
    expect(await mend(true)).toBe('missing')
  })

  test('kill -9 while it is being built leaves no half-made index', async () => {
    rmSync(file)
    const victim = await startProcess(20_000)
    victim.send('go')
    while (!existsSync(`${file}.building`) || statSync(`${file}.building`).size < 100_000) await breathe()
    const exited = once(victim, 'exit')
    victim.kill('SIGKILL')
    expect((await exited)[1]).toBe('SIGKILL')
    expect(existsSync(file)).toBe(false)
    expect(existsSync(`${file}.building`)).toBe(true)
    expect(await mend(true)).toBe('missing')
    expect(existsSync(`${file}.building`)).toBe(false)
  })
})
