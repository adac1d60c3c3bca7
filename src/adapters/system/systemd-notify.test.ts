import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openSystemd } from './systemd-notify.ts'

let folder: string
let command: string
let heard: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dagbok-notify-'))
  command = join(folder, 'notify')
  heard = join(folder, 'heard')
  writeFileSync(heard, '')
  // Stands in for systemd-notify: one line per call, its arguments in brackets.
  writeFileSync(
    command,
    `#!/bin/sh\n{ printf '%s' "$NOTIFY_SOCKET"; for a; do printf ' [%s]' "$a"; done; echo; } >> ${heard}\n`,
  )
  chmodSync(command, 0o700)
})
afterEach(() => rmSync(folder, { recursive: true }))

const lines = () => readFileSync(heard, 'utf8').split('\n').filter(Boolean)

test('says ready, what goes on, alive and stopping', async () => {
  const manager = openSystemd({ NOTIFY_SOCKET: '/run/x', PATH: process.env['PATH'] }, command)
  manager.ready('3 schedules\nnext soon')
  await vi.waitFor(() => expect(lines()).toEqual(['/run/x [READY=1] [STATUS=3 schedules next soon]']))
  manager.describe('busy')
  manager.alive()
  await vi.waitFor(() => expect(lines().slice(1)).toEqual(['/run/x [STATUS=busy]', '/run/x [WATCHDOG=1]']))
  manager.stopping(65_000)
  await vi.waitFor(() =>
    expect(lines().slice(3)).toEqual(['/run/x [STOPPING=1] [EXTEND_TIMEOUT_USEC=65000000]']),
  )
})

test('of messages that pile up only the newest of each kind goes out', async () => {
  const manager = openSystemd({ NOTIFY_SOCKET: '/run/x', PATH: process.env['PATH'] }, command)
  for (let i = 0; i < 50; i++) {
    manager.describe(String(i))
    manager.alive()
  }
  await vi.waitFor(() => expect(lines().at(-1)).toContain('STATUS=49'))
  expect(lines()).toEqual(['0', '', '49'].map(s => `/run/x [${s === '' ? 'WATCHDOG=1' : `STATUS=${s}`}]`))
})

test('without systemd nothing is started, and a missing command does no harm', async () => {
  const nobody = openSystemd({}, command)
  nobody.ready('x')
  nobody.alive()
  expect(nobody.watchdogMs).toBeUndefined()
  const broken = openSystemd({ NOTIFY_SOCKET: '/run/x' }, join(folder, 'absent'))
  broken.ready('x')
  broken.alive()
  await new Promise(resolve => setImmediate(resolve))
  expect(lines()).toEqual([])
})

test('the watchdog is taken only if it is meant for this process', () => {
  const watchdog = (env: Record<string, string>) =>
    openSystemd({ NOTIFY_SOCKET: '/run/x', ...env }).watchdogMs
  expect(watchdog({ WATCHDOG_USEC: '60000000' })).toBe(60_000)
  expect(watchdog({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) })).toBe(60_000)
  expect(watchdog({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' })).toBeUndefined()
  expect(watchdog({ WATCHDOG_USEC: '0' })).toBeUndefined()
  expect(watchdog({ WATCHDOG_USEC: 'soon' })).toBeUndefined()
})
