// Who a process is: reading /proc, one process at a time, cheaply and without throwing for one that vanished.
//
//   1. {pid, start ticks, boot id} names one process for ever; a pid alone names whoever has it now.
//   2. Every read is of a file in memory (about 20 µs); a process that is gone, or not ours to read, gives undefined.
//      Only when this process has no descriptor left do they throw: "cannot look" must not read as "gone".
//   3. Without /proc (macOS, BSD) a process cannot be told from a later one with its pid: `isSameProcess` says no,
//      so that nothing is adopted or signalled by mistake. Commands then still run; what outlives a crash of the
//      scheduler is known by its exit file only.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { ProcessIdentity } from '../../ports/executor.ts'

export interface ProcessStat {
  readonly pid: number
  /** `R`, `S`, `D`, `T`, `Z` … */
  readonly state: string
  readonly parentPid: number
  readonly groupId: number
  readonly sessionId: number
  /** Clock ticks after boot. */
  readonly startTicks: number
}

export const hasProc = readText('/proc/self/stat') !== undefined

/** Of this boot; '' where the system does not tell. */
export const bootId = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''

const PAGE_BYTES = 4096
const scratch = Buffer.allocUnsafe(64 * 1024)

/** Undefined if it is not there or not ours to read. @throws when this process has no file descriptor left */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (isExhausted(error)) throw error
    return undefined
  }
}

/** No descriptor or no memory left: it says nothing about the process that was asked for. */
function isExhausted(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM'
}

/** One line of /proc/<pid>/stat. The name stands in brackets and may hold anything, so it is read from the last ')'. */
export function parseStat(line: string): ProcessStat | undefined {
  const close = line.lastIndexOf(')')
  const pid = Number.parseInt(line, 10)
  const fields = line.slice(close + 2).split(' ')
  const [state, parentPid, groupId, sessionId] = fields
  const startTicks = Number(fields[19])
  if (close < 0 || !Number.isInteger(pid) || state === undefined || !Number.isFinite(startTicks))
    return undefined
  return {
    pid,
    state,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTicks,
  }
}

/** Undefined if there is no such process (or no /proc). */
export function readStat(pid: number): ProcessStat | undefined {
  const line = readText(`/proc/${pid}/stat`)
  return line === undefined ? undefined : parseStat(line)
}

/** False for a zombie: it holds its pid, and nothing else. */
export function isLive(stat: ProcessStat | undefined): stat is ProcessStat {
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X'
}

/** Undefined if there is no such process. Without /proc: the pid with 0 and ''. */
export function readIdentity(pid: number): ProcessIdentity | undefined {
  if (!hasProc) return { pid, startTicks: 0, bootId: '' }
  const stat = readStat(pid)
  return stat && { pid, startTicks: stat.startTicks, bootId }
}

/** True if that very process runs now. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  if (!hasProc || identity.bootId === '' || identity.bootId !== bootId) return false
  const stat = readStat(identity.pid)
  return isLive(stat) && stat.startTicks === identity.startTicks
}

/** Resident memory of a process in bytes; undefined if it is gone. */
export function readResidentBytes(pid: number): number | undefined {
  const pages = readText(`/proc/${pid}/statm`)?.split(' ')[1]
  return pages === undefined ? undefined : Number(pages) * PAGE_BYTES
}

/** The argument list of a process, program first; empty if it is gone. */
export function readArgs(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return text === '' ? [] : text.replace(/\0$/, '').split('\0')
  } catch {
    return []
  }
}

/** The pid that was given out last; undefined where the system does not tell. */
export function readLastPid(): number | undefined {
  const last = Number(readText('/proc/loadavg')?.trim().split(' ').at(-1))
  return Number.isInteger(last) && last > 0 ? last : undefined
}

/** What the environment of a process says of one variable. */
export type VariableReading =
  | { kind: 'set'; value: string }
  | { kind: 'unset' }
  /** Another user's. */
  | { kind: 'denied' }
  /** Has none at all: a kernel thread, started without any, or between fork and exec for a moment. */
  | { kind: 'empty' }
  | { kind: 'gone' }

/** Reads a variable of the environment that a process was started with. */
export function readVariable(pid: number, name: string): VariableReading {
  let fd: number
  try {
    fd = openSync(`/proc/${pid}/environ`, 'r')
  } catch (error) {
    if (isExhausted(error)) throw error
    const { code } = error as NodeJS.ErrnoException
    return { kind: code === 'EACCES' || code === 'EPERM' ? 'denied' : 'gone' }
  }
  try {
    const parts: Buffer[] = []
    for (;;) {
      const bytes = readSync(fd, scratch, 0, scratch.length, null)
      if (bytes === 0) break
      parts.push(Buffer.from(scratch.subarray(0, bytes)))
    }
    if (parts.length === 0) return { kind: 'empty' }
    const text = `\0${Buffer.concat(parts).toString('latin1')}`
    const at = text.indexOf(`\0${name}=`)
    if (at < 0) return { kind: 'unset' }
    const start = at + name.length + 2
    const end = text.indexOf('\0', start)
    return { kind: 'set', value: text.slice(start, end < 0 ? undefined : end) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { kind: code === 'EACCES' || code === 'EPERM' ? 'denied' : 'gone' }
  } finally {
    closeSync(fd)
  }
}
