// The kill ladder: SIGTERM to everything that belongs to an attempt, a grace, SIGKILL, and a search until none is left.
//
//   1. "Everything" is the leader's process group and whatever carries the attempt's cookie, in whatever session.
//   2. The group is signalled only while it is provably the leader's: its leader or a member is the very process
//      by its cookie, or it was watched without a gap (while a group has members its id is given to no other).
//   3. A stopped process gets SIGCONT, or it would never see its SIGTERM.
//   4. `done` settles only when a whole search finds nothing. What the kernel will not let die is waited for.

import type { ProcessIdentity } from '../../ports/executor.ts'
import type { Retirement, RetireTarget } from '../../ports/processes.ts'
import { hasProc, isLive, isSameProcess, readStat, readVariable } from './process-identity.ts'
import { COOKIE_VARIABLE, findByCookie, findGroup } from './process-search.ts'

const FIRST_POLL_MS = 2
const LONGEST_POLL_MS = 100
/** A group that still answers after so long may consist of zombies that nobody reaps: then /proc is asked. */
const ASK_PROC_AFTER_MS = 20

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Signals one process, if it is still that one. */
function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isSameProcess(identity)) send(identity.pid, signal)
}

class Ladder implements Retirement {
  readonly done: Promise<void>
  readonly #target: RetireTarget
  readonly #begun = performance.now()
  #killAt: number
  #wake: () => void = () => {}
  /** Members seen in the last look into /proc: asking them again is cheaper than listing /proc again. */
  #members: number[] = []

  constructor(target: RetireTarget) {
    this.#target = target
    this.#killAt = this.#begun + Math.max(0, target.graceMs)
    this.done = this.#insist()
  }

  hasten(graceMs: number): void {
    this.#killAt = Math.min(this.#killAt, performance.now() + Math.max(0, graceMs))
    this.#wake()
  }

  /** A look into /proc can fail for want of a file descriptor: that is no reason to leave anything running. */
  async #insist(): Promise<void> {
    for (;;) {
      try {
        return await this.#run()
      } catch {
        await this.#pause(LONGEST_POLL_MS)
      }
    }
  }

  async #run(): Promise<void> {
    await this.#end(
      () => this.#groupAlive(),
      signal => {
        const { leader } = this.#target
        if (leader === undefined) return
        send(-leader.pid, signal)
        if (signal === 'SIGTERM') send(-leader.pid, 'SIGCONT')
      },
    )
    // The hint holds only for the first search: what was signalled may have started more, with any pid.
    let hint = this.#hint()
    for (;;) {
      const found = await findByCookie(this.#target.cookie, hint)
      if (found.length === 0) return
      hint = undefined
      await this.#end(
        async () => found.some(({ identity }) => isSameProcess(identity)),
        signal => {
          for (const { identity } of found) {
            signalProcess(identity, signal)
            if (signal === 'SIGTERM') signalProcess(identity, 'SIGCONT')
          }
        },
      )
    }
  }

  #hint() {
    const { leader, ranMs } = this.#target
    if (leader === undefined || ranMs === undefined) return undefined
    return { leaderPid: leader.pid, ranMs: ranMs + performance.now() - this.#begun }
  }

  /** One rung after the other until `alive` says no. */
  async #end(alive: () => Promise<boolean>, signal: (signal: NodeJS.Signals) => void): Promise<void> {
    let asked = false
    let pollMs = FIRST_POLL_MS
    while (await alive()) {
      if (performance.now() >= this.#killAt) signal('SIGKILL')
      else if (!asked) signal('SIGTERM')
      asked = true
      await this.#pause(Math.min(pollMs, Math.max(FIRST_POLL_MS, this.#killAt - performance.now())))
      pollMs = Math.min(LONGEST_POLL_MS, pollMs * 2)
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #groupAlive(): Promise<boolean> {
    const { leader, watched, cookie } = this.#target
    if (leader === undefined) return false
    if (!send(-leader.pid, 0)) return false
    const stat = readStat(leader.pid)
    const leads = isLive(stat) && stat.startTicks === leader.startTicks
    if (leads && (watched || (isSameProcess(leader) && carries(leader.pid, cookie)))) return true
    if (!hasProc) return watched
    if (watched && performance.now() - this.#begun < ASK_PROC_AFTER_MS) return true
    // The leader is gone; its group lives on in others, in zombies, or the number belongs to someone else by now.
    if (!this.#members.some(pid => this.#belongs(pid, leader, watched, cookie)))
      this.#members = (await findGroup(leader.pid)).filter(pid => this.#belongs(pid, leader, watched, cookie))
    return this.#members.length > 0
  }

  #belongs(pid: number, leader: ProcessIdentity, watched: boolean, cookie: string): boolean {
    const stat = readStat(pid)
    if (!isLive(stat) || stat.groupId !== leader.pid || stat.sessionId !== leader.pid) return false
    if (stat.startTicks < leader.startTicks) return false
    return watched || carries(pid, cookie)
  }
}

function carries(pid: number, cookie: string): boolean {
  const reading = readVariable(pid, COOKIE_VARIABLE)
  return reading.kind === 'set' && reading.value === cookie
}

/** Ends everything that belongs to the target. */
export function retire(target: RetireTarget): Retirement {
  return new Ladder(target)
}
