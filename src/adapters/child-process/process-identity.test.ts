// Reading /proc: whatever a process is called, and whatever vanishes under our hands.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bootId,
  isSameProcess,
  parseStat,
  readIdentity,
  readResidentBytes,
  readStat,
  readVariable,
} from './process-identity.ts'
import { findByCookie } from './process-search.ts'

test('a stat line is read from its last bracket, whatever the name is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 15 }), fc.integer({ min: 1 }), (name, startTicks) => {
      const rest = Array.from({ length: 14 }, (_, n) => n).join(' ')
      const line = `42 (${name}) S 1 42 43 0 ${rest} ${startTicks} 99 99`
      expect(parseStat(line)).toEqual({
        pid: 42,
        state: 'S',
        parentPid: 1,
        groupId: 42,
        sessionId: 43,
        startTicks,
      })
    }),
  )
})

describe.skipIf(!existsSync('/proc/self/environ'))('processes of this machine', () => {
  test('this process is itself, and no other', () => {
    const self = readIdentity(process.pid)!
    expect(self.bootId).toBe(bootId)
    expect(isSameProcess(self)).toBe(true)
    expect(isSameProcess({ ...self, startTicks: self.startTicks + 1 })).toBe(false)
    expect(isSameProcess({ ...self, bootId: '' })).toBe(false)
    expect(readResidentBytes(process.pid)).toBeGreaterThan(1e6)
  })

  test('what is gone is undefined', async () => {
    const child = spawn('true', { stdio: 'ignore' })
    const identity = readIdentity(child.pid!)!
    await once(child, 'exit')
    expect(readStat(child.pid!)).toBeUndefined()
    expect(readIdentity(child.pid!)).toBeUndefined()
    expect(readResidentBytes(child.pid!)).toBeUndefined()
    expect(readVariable(child.pid!, 'PATH')).toEqual({ kind: 'gone' })
    expect(isSameProcess(identity)).toBe(false)
  })

  test('a variable is found whole: not as a part of another, not by a part of its value', async () => {
    const env = { NOT_A: '1', A: 'x=y', AB: '2', LAST: '' }
    const child = spawn('/bin/sleep', ['60'], { env, stdio: 'ignore' })
    await once(child, 'spawn')
    expect(readVariable(child.pid!, 'A')).toEqual({ kind: 'set', value: 'x=y' })
    expect(readVariable(child.pid!, 'LAST')).toEqual({ kind: 'set', value: '' })
    expect(readVariable(child.pid!, 'B')).toEqual({ kind: 'unset' })
    child.kill('SIGKILL')
    await once(child, 'exit')
  })

  test('a cookie is found exactly, or by its beginning when it ends in a star', async () => {
    const cookie = `test-${process.pid}-${Date.now()}`
    const child = spawn('/bin/sleep', ['60'], {
      env: { DAGBOK_COOKIE: `${cookie}.1` },
      detached: true,
      stdio: 'ignore',
    })
    await once(child, 'spawn')
    expect(await findByCookie(cookie)).toEqual([])
    const found = [
      {
        identity: readIdentity(child.pid!),
        cookie: `${cookie}.1`,
        leads: true,
        parentPid: process.pid,
        args: ['/bin/sleep', '60'],
      },
    ]
    expect(await findByCookie(`${cookie}.1`)).toEqual(found)
    expect(await findByCookie(`${cookie}.*`)).toEqual(found)
    expect(await findByCookie(`${cookie}.1`, { leaderPid: child.pid! - 1, ranMs: 1 })).toEqual(found)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await findByCookie(`${cookie}.*`)).toEqual([])
  })
})
