// When a scheduler was there to decide slots: spans of life and of downtime, from what schedulers say about themselves.
//
// Only `serve` and `once` decide slots: a foreground run or a command that held the state for a moment counts as nobody.

import type { Event, SchedulerStarted } from '../state-machine/event.ts'
import { isUserEvent } from '../state-machine/event.ts'
import { type Instant, parseInstant } from '../time/instant.ts'

export interface Downtime {
  /** Undefined: there was no scheduler before. */
  readonly from: string | undefined
  /** Undefined: it lasts. */
  readonly to: string | undefined
  /** `stopped` in order, `crashed` without a word. */
  readonly how: 'stopped' | 'crashed' | 'never_started'
}

interface Life {
  readonly started: SchedulerStarted
  readonly stoppedAt: string | undefined
  /** `seq` of the next start of any kind, which is the proof of a crash. */
  readonly endedBySeq: number | undefined
}

/**
 * The downtime that an instant fell into, or undefined if a scheduler was there.
 * @param events `scheduler_started` and `scheduler_stopped`, in any order
 * @param lastSign  the timestamp of the last line before a `seq`: when a scheduler that crashed was last heard of
 * @param isRunning whether the scheduler that started last still runs
 */
export function downtimeAt(
  instant: Instant,
  events: readonly Event[],
  lastSign: (beforeSeq: number | undefined) => string | undefined,
  isRunning: boolean,
): Downtime | undefined {
  const lives = livesOf(events)
  const index = lives.findLastIndex(({ started }) => parseInstant(started.timestamp) <= instant)
  const to = lives[index + 1]?.started.timestamp
  const life = lives[index]
  if (life === undefined) return { from: undefined, to, how: 'never_started' }
  if (life.stoppedAt !== undefined) {
    return parseInstant(life.stoppedAt) <= instant ? { from: life.stoppedAt, to, how: 'stopped' } : undefined
  }
  if (life.endedBySeq === undefined && isRunning) return undefined
  const from = lastSign(life.endedBySeq) ?? life.started.timestamp
  return parseInstant(from) <= instant ? { from, to, how: 'crashed' } : undefined
}

function livesOf(events: readonly Event[]): Life[] {
  const sorted = events.filter(event => !isUserEvent(event)).toSorted((a, b) => a.seq - b.seq) as Event[]
  const lives: Life[] = []
  for (const [index, event] of sorted.entries()) {
    if (isUserEvent(event) || event.event !== 'scheduler_started') continue
    if (event.mode !== 'serve' && event.mode !== 'once') continue
    const next = sorted[index + 1]
    const stopped = next !== undefined && next.event === 'scheduler_stopped' ? next.timestamp : undefined
    lives.push({ started: event, stoppedAt: stopped, endedBySeq: next?.seq })
  }
  return lives
}
