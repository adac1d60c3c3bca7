// Finding processes by the cookie in their environment (the way Jenkins finds what a build left behind): it also finds
// what called setsid, was double-forked or outlived the scheduler.
//
//   1. A search reads /proc in slices and lets the event loop run in between: 1,000 processes must not stop it.
//   2. Nothing escapes by moving: pids that appear while a search runs are searched too, and a process that vanished
//      or was between fork and exec while it was read makes the search run again.
//   3. What follows a short command is found without listing /proc at all: its children have pids between its own
//      and the last one given out.

import { readdirSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FoundProcess } from '../../ports/processes.ts'
import { bootId, hasProc, isLive, readArgs, readLastPid, readStat, readVariable } from './process-identity.ts'

export const COOKIE_VARIABLE = 'DAGBOK_COOKIE'

/** Reads between two turns of the event loop: about 1 ms. */
const SLICE = 32
/** A search that met moving processes runs again, at most so often. */
const MAX_ROUNDS = 3
/** Below these, the pids after the leader's are asked one by one: so few cannot have gone round. */
const SHORT_MS = 2_000
const SHORT_SPAN = 128

export interface SearchHint {
  /** Nothing of interest is older than this process … */
  readonly leaderPid: number
  /** … which was started so many milliseconds ago. */
  readonly ranMs: number
}

type Probe = FoundProcess | 'other' | 'empty' | 'gone'

function probe(pid: number, cookie: string): Probe {
  const reading = readVariable(pid, COOKIE_VARIABLE)
  if (reading.kind === 'gone' || reading.kind === 'empty') return reading.kind
  if (reading.kind !== 'set') return 'other'
  const { value } = reading
  if (cookie.endsWith('*') ? !value.startsWith(cookie.slice(0, -1)) : value !== cookie) return 'other'
  const stat = readStat(pid)
  if (stat === undefined) return 'gone'
  if (!isLive(stat)) return 'other'
  return {
    identity: { pid, startTicks: stat.startTicks, bootId },
    cookie: value,
    leads: stat.groupId === pid && stat.sessionId === pid,
    parentPid: stat.parentPid,
    args: readArgs(pid),
  }
}

function listPids(): number[] {
  const pids: number[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (Number.isInteger(pid)) pids.push(pid)
  }
  return pids
}

/** Asks every pid from the leader's to the last one given out; undefined if there are too many for that. */
function searchAfter(hint: SearchHint, cookie: string): FoundProcess[] | undefined {
  const found: FoundProcess[] = []
  let next = hint.leaderPid + 1
  for (;;) {
    const last = readLastPid()
    if (last === undefined || last < hint.leaderPid || last - hint.leaderPid > SHORT_SPAN) return undefined
    if (next > last) return found
    for (; next <= last; next++) {
      const seen = probe(next, cookie)
      if (typeof seen === 'object') found.push(seen)
      // Gone is fine here: whatever it started has a later pid and is asked next. Perhaps being started is not.
      else if (seen === 'empty' && isLive(readStat(next))) return undefined
    }
  }
}

/** Processes that run now and carry the cookie (ending in `*`: whose cookie begins so), this process left out. */
export async function findByCookie(cookie: string, hint?: SearchHint): Promise<FoundProcess[]> {
  if (!hasProc) return []
  if (hint !== undefined && hint.ranMs < SHORT_MS) {
    const found = searchAfter(hint, cookie)
    if (found !== undefined) return found
  }
  const empty = new Set<number>()
  for (let round = 1; ; round++) {
    const found: FoundProcess[] = []
    let unsure = false
    let reads = 0
    for (const pid of listPids()) {
      if (pid === process.pid) continue
      if (++reads % SLICE === 0) await nextTurn()
      const seen = probe(pid, cookie)
      if (typeof seen === 'object') found.push(seen)
      else if (seen === 'gone') unsure = true
      else if (seen === 'empty' && !empty.has(pid)) {
        empty.add(pid)
        unsure ||= isLive(readStat(pid)) && readStat(pid)?.parentPid !== 2
      }
    }
    if (found.length > 0 || !unsure || round === MAX_ROUNDS) return found
    await nextTurn()
  }
}

/** Pids of the live members of a process group that are also in the session it began with. */
export async function findGroup(groupId: number): Promise<number[]> {
  if (!hasProc) return []
  const members: number[] = []
  let reads = 0
  for (const pid of listPids()) {
    if (++reads % SLICE === 0) await nextTurn()
    const stat = readStat(pid)
    if (isLive(stat) && stat.groupId === groupId && stat.sessionId === groupId) members.push(pid)
  }
  return members
}
