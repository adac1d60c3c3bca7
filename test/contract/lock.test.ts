// The lock between real processes: one holder, whatever is killed, stopped or deleted.
// LOCK_ROUNDS=500 runs the long race.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acquireLock, LockHeldError, readHolder } from '../../src/adapters/sqlite/lock.ts'
import type { LockHolder } from '../../src/ports/lock.ts'
import type { LockReply, LockRequest } from './lock-process.ts'

const ROUNDS = Number(process.env['LOCK_ROUNDS'] ?? 25)
const PROCESS_FILE = fileURLToPath(new URL('./lock-process.ts', import.meta.url))

let directory: string
let children: ChildProcess[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dagbok-lock-'))
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
  rmSync(directory, { recursive: true, force: true })
})

async function startProcess(): Promise<ChildProcess> {
  const child = fork(PROCESS_FILE, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  children.push(child)
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, request: LockRequest): Promise<LockReply> {
  const reply = once(child, 'message')
  child.send(request)
  return (await reply)[0] as LockReply
}

const HERE: LockHolder = {
  pid: process.pid,
  host: 'here',
  boot_id: '',
  start_ticks: 0,
  started_at: '2026-01-05T06:00:00.000Z',
  version: '0.0.0-test',
  mode: 'run',
}

/** The kernel's word for it: T is stopped. */
async function waitUntilStopped(pid: number): Promise<void> {
  for (;;) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) return
    await new Promise(resolve => setImmediate(resolve))
  }
}

describe('one process', () => {
  test('takes, names itself, lets go, and leaves no facts behind', async () => {
    const lock = await acquireLock({ directory, holder: HERE })
    expect(lock.isHeld()).toBe(true)
    expect(readHolder(directory)).toEqual({ holder: HERE, alive: true })
    lock.release()
    lock.release()
    expect(lock.isHeld()).toBe(false)
    expect(readdirSync(directory)).toEqual(['lock.db'])
    expect(statSync(join(directory, 'lock.db')).size).toBe(0)
    expect(readHolder(directory)).toEqual({ holder: undefined, alive: false })
  })

  test('refuses a second handle of its own, and says whose the first one is', async () => {
    const lock = await acquireLock({ directory, holder: HERE })
    const refusal = await acquireLock({ directory, holder: HERE }).catch(error => error)
    expect(refusal).toBeInstanceOf(LockHeldError)
    expect(refusal.exitCode).toBe(5)
    expect(refusal.message).toContain(`pid ${process.pid} on here, mode run, since 2026-01-05T06:00:00.000Z`)
    expect(refusal.hint).toContain(`kill -TERM ${process.pid}`)
    expect(lock.isHeld()).toBe(true)
    lock.release()
  })

  test('creates the directory', async () => {
    const deeper = join(directory, 'logs', 'state')
    const lock = await acquireLock({ directory: deeper, holder: HERE })
    expect(statSync(deeper).mode & 0o777).toBe(0o700)
    lock.release()
  })

  test.each([
    ['no facts', undefined],
    ['broken facts', '{"pid":'],
    ['facts of another shape', '{"pid":"x"}'],
  ])('names a holder with %s as unknown', async (_, text) => {
    const lock = await acquireLock({ directory, holder: HERE })
    rmSync(join(directory, 'lock.json'))
    if (text !== undefined) writeFileSync(join(directory, 'lock.json'), text)
    const refusal = await acquireLock({ directory, holder: HERE }).catch(error => error)
    expect(refusal.message).toContain('holder unknown')
    expect(readHolder(directory)).toEqual({ holder: undefined, alive: true })
    lock.release()
  })

  test('refuses a lock.db that is none, and keeps its bytes', async () => {
    const text = 'these are not the bytes of a database\n'.repeat(40)
    writeFileSync(join(directory, 'lock.db'), text)
    await expect(acquireLock({ directory, holder: HERE })).rejects.toMatchObject({
      code: 'LOCK_UNUSABLE',
      exitCode: 74,
    })
    expect(readFileSync(join(directory, 'lock.db'), 'utf8')).toBe(text)
  })

  test('a directory that cannot be one is LOCK_UNUSABLE', async () => {
    writeFileSync(join(directory, 'file'), '')
    await expect(acquireLock({ directory: join(directory, 'file'), holder: HERE })).rejects.toMatchObject({
      code: 'LOCK_UNUSABLE',
    })
  })

  test('facts that cannot be written leave nothing behind, and the lock is free', async () => {
    mkdirSync(join(directory, 'lock.json'))
    await expect(acquireLock({ directory, holder: HERE })).rejects.toMatchObject({ code: 'LOCK_UNUSABLE' })
    expect(readdirSync(directory).sort()).toEqual(['lock.db', 'lock.json'])
    rmSync(join(directory, 'lock.json'), { recursive: true })
    const lock = await acquireLock({ directory, holder: HERE })
    lock.release()
  })

  test('stops waiting when it is told to', async () => {
    const lock = await acquireLock({ directory, holder: HERE })
    const controller = new AbortController()
    const waiting = acquireLock({
      directory,
      holder: HERE,
      waitMs: 60_000,
      signal: controller.signal,
      onWait: holder => controller.abort(new Error(`gave up on ${holder?.pid}`)),
    })
    await expect(waiting).rejects.toThrow(`gave up on ${process.pid}`)
    lock.release()
  })
})

describe('several processes', { timeout: 60_000 }, () => {
  test('the second is told who the first is, and the first does not notice', async () => {
    const [first, second] = [await startProcess(), await startProcess()]
    expect(await ask(first, { do: 'acquire', directory, waitMs: 0 })).toEqual({ ok: true })
    const refusal = await ask(second, { do: 'acquire', directory, waitMs: 0 })
    expect(refusal).toMatchObject({ ok: false, code: 'LOCK_HELD', holderPid: first.pid })
    expect(refusal.message).toContain(`pid ${first.pid} on`)
    for (let look = 0; look < 50; look++) {
      expect(await ask(second, { do: 'readHolder', directory })).toMatchObject({
        alive: true,
        holderPid: first.pid,
      })
    }
    // Looking from inside the holder's process does not drop the lock either.
    expect(await ask(first, { do: 'readHolder', directory })).toMatchObject({ alive: true })
    expect(await ask(second, { do: 'acquire', directory, waitMs: 0 })).toMatchObject({ code: 'LOCK_HELD' })
    expect(await ask(first, { do: 'isHeld' })).toMatchObject({ held: true })
  })

  test('kill -9 frees it at once; the facts of the dead do no harm', async () => {
    const [first, second] = [await startProcess(), await startProcess()]
    await ask(first, { do: 'acquire', directory, waitMs: 0 })
    const exited = once(first, 'exit')
    first.kill('SIGKILL')
    expect((await exited)[1]).toBe('SIGKILL')
    expect(existsSync(join(directory, 'lock.json'))).toBe(true)
    expect(readHolder(directory)).toMatchObject({ alive: false, holder: { pid: first.pid } })
    expect(await ask(second, { do: 'acquire', directory, waitMs: 0 })).toEqual({ ok: true })
    expect(readHolder(directory)).toMatchObject({ alive: true, holder: { pid: second.pid } })
  })

  test('a stopped holder stays the holder', async () => {
    const [first, second] = [await startProcess(), await startProcess()]
    await ask(first, { do: 'acquire', directory, waitMs: 0 })
    first.kill('SIGSTOP')
    await waitUntilStopped(first.pid!)
    const refusal = await ask(second, { do: 'acquire', directory, waitMs: 500 })
    expect(refusal).toMatchObject({ code: 'LOCK_HELD', holderPid: first.pid })
    expect(refusal.message).toContain('waited 0.5 s')
    first.kill('SIGCONT')
    expect(await ask(first, { do: 'isHeld' })).toMatchObject({ held: true })
  })

  test('one that waits gets it when the holder lets go', async () => {
    const second = await startProcess()
    const lock = await acquireLock({ directory, holder: HERE })
    const waiting = ask(second, { do: 'acquire', directory, waitMs: 20_000 })
    lock.release()
    expect(await waiting).toEqual({ ok: true })
    expect(await ask(second, { do: 'isHeld' })).toMatchObject({ held: true })
  })

  test('the holder notices that lock.db was deleted, and that another one took its place', async () => {
    const [first, second] = [await startProcess(), await startProcess()]
    await ask(first, { do: 'acquire', directory, waitMs: 0 })
    rmSync(join(directory, 'lock.db'))
    expect(await ask(first, { do: 'isHeld' })).toMatchObject({ held: false })
    expect(await ask(second, { do: 'acquire', directory, waitMs: 0 })).toEqual({ ok: true })
    expect(await ask(first, { do: 'isHeld' })).toMatchObject({ held: false })
    // The first one's goodbye must not take the second one's facts with it.
    await ask(first, { do: 'release' })
    expect(readHolder(directory)).toMatchObject({ alive: true, holder: { pid: second.pid } })
    expect(await ask(second, { do: 'isHeld' })).toMatchObject({ held: true })
  })

  test('the trap that rule X1 is for: one read of lock.db through fs, and the lock is gone unnoticed', async () => {
    const [first, second] = [await startProcess(), await startProcess()]
    await ask(first, { do: 'acquire', directory, waitMs: 0 })
    await ask(first, { do: 'openAndCloseByFs', directory })
    expect(await ask(second, { do: 'acquire', directory, waitMs: 0 })).toEqual({ ok: true })
  })

  test(`4 starts at once, ${ROUNDS} rounds: exactly one winner each time`, {
    timeout: 30_000 + ROUNDS * 1_000,
  }, async () => {
    const starters = await Promise.all([startProcess(), startProcess(), startProcess(), startProcess()])
    const winsByPid = new Map<number | undefined, number>()
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 5 === 0) rmSync(join(directory, 'lock.db'), { force: true }) // a first start ever, too
      const replies = await Promise.all(starters.map(s => ask(s, { do: 'acquire', directory, waitMs: 0 })))
      const winners = starters.filter((_, i) => replies[i]?.ok)
      expect(winners.length, JSON.stringify(replies)).toBe(1)
      const [winner] = winners as [ChildProcess]
      winsByPid.set(winner.pid, (winsByPid.get(winner.pid) ?? 0) + 1)
      for (const reply of replies) {
        if (reply.ok) continue
        expect(reply.code).toBe('LOCK_HELD')
        // Unknown while the winner has not written its facts yet; never somebody else.
        expect([winner.pid, undefined]).toContain(reply.holderPid)
      }
      await ask(winner, { do: 'release' })
    }
    // It was a race: not always the same one won.
    expect(winsByPid.size).toBeGreaterThan(1)
  })
})

test('no source file but the lock itself knows the name of the lock file', () => {
  const root = fileURLToPath(new URL('../../src/', import.meta.url))
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  expect(files.length).toBeGreaterThan(5)
  const knowing = files.filter(name => /['"`/]lock\.db/.test(readFileSync(join(root, name), 'utf8')))
  expect(knowing).toEqual([join('adapters', 'sqlite', 'lock.ts')])
})
