// Tells systemd how the service does (sd_notify), by way of its own `systemd-notify`: Node has no datagram sockets.
//
//   Y1. Does nothing unless NOTIFY_SOCKET is set. Never throws, never holds the process open, never waits.
//   Y2. systemd-notify waits until systemd has read the message (no --no-block): what a process that is already gone has
//       sent may be dropped, since systemd cannot tell any more who it was.
//   Y3. At most one message is under way; the newest waits, older ones of its kind are dropped.

import { type ChildProcess, spawn } from 'node:child_process'
import type { ServiceManager } from '../../ports/service-manager.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The manager that `env` names, or one that hears nothing. `command` is for tests. */
export function openSystemd(env: Environment, command = 'systemd-notify'): ServiceManager {
  const socket = env['NOTIFY_SOCKET']
  if (!socket) return { watchdogMs: undefined, ready() {}, describe() {}, alive() {}, stopping() {} }

  let running: ChildProcess | undefined
  const waiting = new Map<string, string[]>()

  const next = () => {
    const first = waiting.entries().next()
    if (running !== undefined || first.done) return
    const [kind, message] = first.value
    waiting.delete(kind)
    const done = () => {
      running = undefined
      next()
    }
    try {
      running = spawn(command, message, {
        stdio: 'ignore',
        env: { NOTIFY_SOCKET: socket, PATH: env['PATH'] },
      })
      running.once('error', done)
      running.once('exit', done)
      running.unref()
    } catch {
      // No process to spare: systemd hears from us the next time.
      running = undefined
    }
  }
  const tell = (kind: string, ...message: string[]) => {
    waiting.set(kind, message)
    next()
  }

  return {
    watchdogMs: readWatchdog(env),
    ready: status => tell('ready', 'READY=1', `STATUS=${oneLine(status)}`),
    describe: status => tell('status', `STATUS=${oneLine(status)}`),
    alive: () => tell('watchdog', 'WATCHDOG=1'),
    stopping: withinMs => {
      waiting.clear()
      tell('stopping', 'STOPPING=1', `EXTEND_TIMEOUT_USEC=${Math.ceil(withinMs * 1000)}`)
    },
  }
}

/** WATCHDOG_PID, where it is set, must be ours: the variables may have been meant for a parent. */
function readWatchdog(env: Environment): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env
  if (usec === undefined || !/^\d{1,18}$/.test(usec) || Number(usec) === 0) return undefined
  if (pid !== undefined && pid !== String(process.pid)) return undefined
  return Number(usec) / 1000
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
