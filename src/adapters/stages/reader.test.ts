// Folders as a reader sees them: real files in a temporary folder, clocks that the test moves.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InputStage } from '../../core/stage/stage.ts'
import { StageError, type StageTracking } from '../../ports/stage-reader.ts'
import { createStageReader } from './reader.ts'

const NOTHING_KNOWN: StageTracking = { isCandidate: () => true, consumedKeys: () => [] }
const NEVER = new AbortController().signal
const MINUTE = 60_000

let root: string
let notes: string[]
/** How far the test has moved both clocks, and the wall clock alone. */
let laterMs: number
let reader: ReturnType<typeof createStageReader>
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-stage-'))
  mkdirSync(join(root, 'in'))
  notes = []
  laterMs = 0
  const clock = { now: () => Date.now() + laterMs, monotonicMs: () => performance.now() + laterMs }
  reader = createStageReader({ root, clock, note: message => notes.push(message) })
})
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwx', root])
  rmSync(root, { recursive: true, force: true })
})

function inputStage(over: Partial<InputStage> = {}): InputStage {
  return {
    name: 'external_input_files',
    location: { kind: 'directory', path: 'in' },
    order: 'oldest',
    maxFiles: 1_000,
    stableForMs: 0,
    ...over,
  }
}

function put(key: string, text = 'x', modifiedS = 1_700_000_000): string {
  const path = join(root, 'in', key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  utimesSync(path, modifiedS, modifiedS)
  return path
}

const list = (over: Partial<InputStage> = {}, tracking = NOTHING_KNOWN) =>
  reader.list(inputStage(over), tracking, NEVER)
const keysOf = async (over: Partial<InputStage> = {}, tracking = NOTHING_KNOWN) =>
  (await list(over, tracking)).files.map(({ key }) => key)

describe('what is listed', () => {
  test('files at every depth, with what a task needs to open them', async () => {
    put('a.csv', 'abc')
    put('2026/01/b.csv', '', 1_700_000_001)
    const listing = await list()
    expect(listing).toEqual({
      files: [
        {
          key: 'a.csv',
          version: expect.stringMatching(/^3:1700000000000000000:\d+$/),
          uri: join(root, 'in/a.csv'),
          size: 3,
          modified_at: '2023-11-14T22:13:20.000Z',
        },
        expect.objectContaining({ key: '2026/01/b.csv', uri: join(root, 'in/2026/01/b.csv'), size: 0 }),
      ],
      more: 0,
      waiting: 0,
      gone: [],
    })
  })

  test('nothing hidden, and nothing that looks half written', async () => {
    const ignored = '.hidden .dir/a a.tmp a.PART a.partial a.filepart a~ up.tmp/a x/.y/z'.split(' ')
    for (const key of ignored) put(key)
    for (const key of ['a', 'template', 'b.tmp.csv']) put(key)
    expect(await keysOf({ order: 'name' })).toEqual(['a', 'b.tmp.csv', 'template'])
  })

  test('no link that leads out, no link to a folder, no pipe', async () => {
    writeFileSync(join(root, 'secret'), 'x')
    mkdirSync(join(root, 'inside-not'))
    put('real/a')
    symlinkSync(join(root, 'secret'), join(root, 'in/out'))
    symlinkSync('../inside-not', join(root, 'in/out-folder'))
    symlinkSync('real', join(root, 'in/folder'))
    symlinkSync('.', join(root, 'in/loop'))
    symlinkSync('nowhere', join(root, 'in/dangling'))
    symlinkSync('self', join(root, 'in/self'))
    symlinkSync('real/a', join(root, 'in/link'))
    execFileSync('mkfifo', [join(root, 'in/pipe')])
    // A folder whose name begins like the stage's is outside of it.
    mkdirSync(join(root, 'in-other'))
    writeFileSync(join(root, 'in-other/a'), 'x')
    symlinkSync('../in-other/a', join(root, 'in/beside'))
    expect(await keysOf({ order: 'name' })).toEqual(['link', 'real/a'])
  })

  test('a stage that is a link itself is its target', async () => {
    put('a')
    symlinkSync(join(root, 'in'), join(root, 'door'))
    const { files } = await list({ location: { kind: 'directory', path: join(root, 'door') } })
    expect(files.map(({ uri }) => uri)).toEqual([join(root, 'door/a')])
  })

  test('what the pattern matches, over whole keys', async () => {
    for (const key of ['a.csv', 'b.txt', 'x/c.csv', 'x/y/d.csv']) put(key)
    expect(await keysOf({ pattern: '*.csv' })).toEqual(['a.csv'])
    expect(await keysOf({ pattern: '**/*.csv', order: 'name' })).toEqual(['a.csv', 'x/c.csv', 'x/y/d.csv'])
    expect(await keysOf({ pattern: '{b,z}.*' })).toEqual(['b.txt'])
  })

  test('names with line breaks, quotes and other alphabets; one that is not UTF-8 is told of, once', async () => {
    const names = ['a\nb', '"q"', 'grüße 日本', '%41', 'back\\slash'].sort()
    for (const name of names) put(name)
    const broken = Buffer.concat([Buffer.from(join(root, 'in/bad-')), Buffer.from([0xff, 0xfe])])
    writeFileSync(broken, 'x')
    expect(await keysOf({ order: 'name' })).toEqual(names)
    expect(await keysOf({ order: 'name' })).toEqual(names)
    expect(notes).toEqual([expect.stringContaining('a name that is not UTF-8, passed over: "bad-')])
  })

  test('a time that no date can show', async () => {
    const path = put('a')
    execFileSync('touch', ['-d', '@99999999999', path])
    const [file] = (await list()).files
    expect(file!.modified_at).toMatch(/Z$/)
  })
})

describe('in which order', () => {
  beforeEach(() => {
    put('c', 'x', 100)
    put('a', 'x', 200)
    put('b', 'x', 200)
    put('d', 'x', 300)
  })

  test.each([
    ['oldest', ['c', 'a', 'b', 'd']],
    ['newest', ['d', 'a', 'b', 'c']],
    ['name', ['a', 'b', 'c', 'd']],
  ] as const)('%s first, the same time by name', async (order, expected) => {
    expect(await keysOf({ order })).toEqual(expected)
    expect(await keysOf({ order, maxFiles: 2 })).toEqual(expected.slice(0, 2))
    expect(await list({ order, maxFiles: 3 })).toMatchObject({ more: 1 })
  })

  test('of many the right ones stay', async () => {
    for (let index = 0; index < 5_000; index++) put(`many/${index}`, 'x', 1_000 + ((index * 7919) % 5_000))
    const { files, more } = await list({ maxFiles: 3, pattern: 'many/*' })
    expect(files.map(({ modified_at }) => Date.parse(modified_at) / 1000)).toEqual([1_000, 1_001, 1_002])
    expect(more).toBe(4_997)
  })
})

describe('what is known already', () => {
  test('is not given again, unless it was written again', async () => {
    const path = put('a', 'one')
    const [first] = (await list()).files
    const tracking: StageTracking = {
      isCandidate: (key, version) => key !== 'a' || version !== first!.version,
      consumedKeys: () => ['a'],
    }
    expect(await list({}, tracking)).toMatchObject({ files: [], more: 0, gone: [] })
    writeFileSync(path, 'two')
    expect(await keysOf({}, tracking)).toEqual(['a'])
  })

  test('a file that was replaced by one of the same size and time is another', async () => {
    const path = put('a', 'one')
    const [first] = (await list()).files
    writeFileSync(join(root, 'next'), 'two')
    utimesSync(join(root, 'next'), 1_700_000_000, 1_700_000_000)
    renameSync(join(root, 'next'), path)
    const [second] = (await list()).files
    expect(second!.version).not.toBe(first!.version)
  })

  test('keys that lie there no more are gone; an empty folder forgets nothing', async () => {
    put('here')
    put('.hidden')
    const tracking: StageTracking = {
      isCandidate: () => false,
      consumedKeys: () => ['here', 'moved', 'x/deleted'],
    }
    expect((await list({}, tracking)).gone).toEqual(['moved', 'x/deleted'])
    rmSync(join(root, 'in/here'))
    expect((await list({}, tracking)).gone).toEqual([])
  })

  test('a key that the pattern leaves out is not gone', async () => {
    put('a.txt')
    put('b.csv')
    const tracking: StageTracking = { isCandidate: () => true, consumedKeys: () => ['a.txt', 'c.txt'] }
    expect(await list({ pattern: '*.csv' }, tracking)).toMatchObject({ gone: ['c.txt'] })
  })
})

describe('a file that may still be written', () => {
  const stableForMs = MINUTE

  test('waits until nothing about it has changed for so long', async () => {
    // An old time of change says little: `cp -p` writes for minutes under it. The change of the inode is new.
    put('a')
    expect(await list({ stableForMs })).toMatchObject({ files: [], waiting: 1 })
    laterMs = MINUTE - 1_000
    expect(await list({ stableForMs })).toMatchObject({ files: [], waiting: 1 })
    laterMs = MINUTE + 1_000
    expect(await keysOf({ stableForMs })).toEqual(['a'])
  })

  test('begins to wait again when it is written', async () => {
    const path = put('a')
    laterMs = 2 * MINUTE
    expect(await keysOf({ stableForMs })).toEqual(['a'])
    const inTwoMinutesS = (Date.now() + laterMs) / 1_000
    writeFileSync(path, 'more')
    utimesSync(path, inTwoMinutesS, inTwoMinutesS)
    expect(await list({ stableForMs })).toMatchObject({ files: [], waiting: 1 })
  })

  test('with a time in the future it waits as long as any, from when it was first seen', async () => {
    const path = put('a', 'x', 4_000_000_000)
    expect(await list({ stableForMs })).toMatchObject({ files: [], waiting: 1 })
    laterMs = MINUTE - 1_000
    expect(await list({ stableForMs })).toMatchObject({ files: [], waiting: 1 })
    writeFileSync(path, 'xx')
    utimesSync(path, 4_000_000_000, 4_000_000_000)
    laterMs = MINUTE + 1_000
    expect(await list({ stableForMs })).toMatchObject({ files: [], waiting: 1 })
    laterMs = 2 * MINUTE + 1_000
    expect(await keysOf({ stableForMs })).toEqual(['a'])
  })

  test('is remembered for every DAG, also one that has the file already', async () => {
    put('a', 'x', 4_000_000_000)
    const hasIt: StageTracking = { isCandidate: () => false, consumedKeys: () => ['a'] }
    await list({ stableForMs })
    laterMs = MINUTE / 2
    await list({ stableForMs }, hasIt)
    laterMs = MINUTE + 1_000
    expect(await keysOf({ stableForMs })).toEqual(['a'])
  })

  test('counts as waiting only if it is wanted', async () => {
    put('a.txt')
    expect(await list({ stableForMs, pattern: '*.csv' })).toMatchObject({ files: [], waiting: 0 })
  })
})

describe('what cannot be listed', () => {
  test('a folder that is not there, or is none', async () => {
    await expect(list({ location: { kind: 'directory', path: 'none' } })).rejects.toThrow(
      `${join(root, 'none')} cannot be listed: there is no such folder (ENOENT)`,
    )
    put('file')
    const none = list({ location: { kind: 'directory', path: 'in/file' } })
    await expect(none).rejects.toThrow('it is no folder (ENOTDIR)')
    await expect(none).rejects.toBeInstanceOf(StageError)
  })

  test('a folder within that may not be read fails the whole: a part would say that the rest is gone', async () => {
    put('a')
    put('locked/b')
    chmodSync(join(root, 'in/locked'), 0)
    if (process.getuid?.() === 0) {
      // Root may read everything.
      expect(await keysOf({ order: 'name' })).toEqual(['a', 'locked/b'])
      return
    }
    await expect(list()).rejects.toThrow(
      `${join(root, 'in/locked')} cannot be listed: the scheduler may not read it`,
    )
  })

  test('a listing that nobody wants any more', async () => {
    put('a')
    const stop = AbortSignal.abort(new Error('cancelled'))
    await expect(reader.list(inputStage(), NOTHING_KNOWN, stop)).rejects.toThrow('cancelled')
  })
})

describe('a file system that hangs', () => {
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() }
  const at = (path: string) => inputStage({ location: { kind: 'directory', path: join(root, path) } })
  let comeBack: (() => void)[]
  let walked: string[]
  const open = () => {
    comeBack = []
    walked = []
    return createStageReader({
      root,
      clock,
      note: () => {},
      directories: {
        silenceMs: 50,
        turnMs: 200,
        walk: ({ root: path, progress }) => {
          progress()
          walked.push(path)
          if (!path.endsWith('hangs')) return Promise.resolve()
          return new Promise(done => comeBack.push(done))
        },
      },
    })
  }

  test('fails its listing, and keeps its turn until it comes back', async () => {
    const hanging = open()
    const two = [1, 2].map(() => hanging.list(at('hangs'), NOTHING_KNOWN, NEVER))
    const results = await Promise.allSettled(two)
    const words = 'hangs cannot be listed: nothing came for 50ms: it does not answer'
    for (const result of results)
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining(words) },
      })
    await expect(hanging.list(at('in'), NOTHING_KNOWN, NEVER)).rejects.toThrow(
      'its turn did not come within 200ms: other folders take too long',
    )
    comeBack[0]!()
    await hanging.list(at('in'), NOTHING_KNOWN, NEVER)
    // Who has given up is not listed when its turn comes.
    expect(walked.map(path => path.slice(root.length + 1))).toEqual(['hangs', 'hangs', 'in'])
  })

  test('is left at once by who does not want it any more', async () => {
    const hanging = open()
    const stop = new AbortController()
    const listing = hanging.list(at('hangs'), NOTHING_KNOWN, stop.signal)
    await Promise.resolve()
    stop.abort(new Error('cancelled'))
    await expect(listing).rejects.toThrow('cancelled')
  })
})

test('files that come and go meanwhile: what stays is listed, and nothing fails', async () => {
  for (let index = 0; index < 500; index++) put(`stays/${index}`)
  let churning = true
  let churned = 0
  const churn = (async () => {
    for (let index = 0; churning; index++, churned++) {
      const path = put(`goes/${index % 50}/f`)
      await new Promise(resolve => setTimeout(resolve, 1))
      rmSync(dirname(path), { recursive: true })
    }
  })()
  for (let round = 0; round < 5; round++) {
    const keys = await keysOf({ maxFiles: 10_000, pattern: 'stays/*' })
    expect(new Set(keys).size).toBe(500)
  }
  churning = false
  await churn
  expect(churned).toBeGreaterThan(3)
})

test('a folder of many files lets the event loop turn meanwhile', async () => {
  // Names of one file: fast to make, the same to list.
  const first = put('0')
  for (let index = 1; index < 20_000; index++) linkSync(first, join(root, 'in', String(index)))
  let turns = 0
  let turning = true
  const turn = () => {
    turns += 1
    if (turning) setImmediate(turn)
  }
  turn()
  const { files, more } = await list({ maxFiles: 100 })
  turning = false
  expect(files.length + more).toBe(20_000)
  // Looks in one go would leave it a few.
  expect(turns).toBeGreaterThan(1_000)
})
