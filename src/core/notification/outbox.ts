// The outbox: what was queued to be told and has not been yet, by channel and in order; and what must be remembered to know
// what is worth telling. It is part of the state: `evolve` alone changes it, a checkpoint carries it.
//
//   O1. A channel has one line. What fails holds up the rest of its line, which then goes as one message when it can.
//   O2. At most OUTBOX_MAX wait: then the oldest of a channel become one that says how many they were.

import type { NotificationType } from '../dag/notification.ts'
import type { RunStatus } from '../state-machine/event.ts'
import type { Instant } from '../time/instant.ts'
import { InstantHeap } from '../time/instant-heap.ts'

/** Notifications that may wait at once. */
export const OUTBOX_MAX = 10_000

/** How many of the oldest make room together: their ids stand in one line of the journal. */
export const COLLAPSED_AT_ONCE = 500

/** Notifications in one message. */
export const MESSAGE_MAX = 100

/** Longer waits come of a clock that was set back: nobody waits for those. */
export const RETRY_WAIT_MS_MAX = 3_600_000

/** `more` stands for some that were not told one by one. `test`: somebody asked whether the channel works. */
export type Outcome = RunStatus | 'late' | 'missed' | 'more' | 'test'

export interface Notification {
  readonly id: string
  readonly channel: string
  readonly type: NotificationType | 'MORE' | 'TEST'
  readonly outcome: Outcome
  readonly dagName?: string
  readonly tenantId?: string
  readonly runId?: string
  readonly scheduleId?: string
  /** ISO 8601, as in the journal. */
  readonly slot?: string
  /** The same for all of one kind about one DAG: what `dedupe` compares. */
  readonly subject: string
  readonly summary: string
  /** How many others it stands for. */
  readonly more?: number
  readonly queuedAt: Instant
  /** When the window ends in which others of its channel join it. */
  readonly sendAt?: Instant
  /** It is not tried again after this. */
  readonly giveUpAt: Instant
}

export interface ChannelLine {
  /** By id, the oldest first. Never empty. */
  readonly waiting: Map<string, Notification>
  /** Attempts that failed one after the other. */
  failures: number
  /** After a failure: when it is tried again. */
  retryAt: Instant | undefined
}

export interface Told {
  readonly until: Instant
  readonly id: string
}

export class Outbox {
  /** How many there ever were: the last id. */
  count = 0
  /** How many wait. */
  size = 0
  /** Grows whenever what waits changes: tells the sender whether to look. */
  version = 0
  readonly lines = new Map<string, ChannelLine>()
  /** DAGs whose last runs failed: how many one after the other. */
  readonly streaks = new Map<string, number>()
  /** By channel and subject: until when the same is not told again. */
  readonly told = new Map<string, Told>()
  readonly #forgetting = new InstantHeap<string>()

  add(notification: Notification): void {
    let line = this.lines.get(notification.channel)
    if (line === undefined) {
      line = { waiting: new Map(), failures: 0, retryAt: undefined }
      this.lines.set(notification.channel, line)
    }
    line.waiting.set(notification.id, notification)
    this.size += 1
    this.version += 1
  }

  remove(channel: string, ids: readonly string[]): void {
    const line = this.lines.get(channel)
    for (const id of ids) {
      if (line?.waiting.delete(id) !== true) throw new Error(`notification ${id} of ${channel} does not wait`)
      this.size -= 1
    }
    if (line?.waiting.size === 0) this.lines.delete(channel)
    this.version += 1
  }

  /** @param retryAt undefined: the line goes on at once */
  setRetry(channel: string, failures: number, retryAt: Instant | undefined): void {
    const line = this.lines.get(channel)
    if (line === undefined) return
    line.failures = failures
    line.retryAt = retryAt
    this.version += 1
  }

  remember(key: string, told: Told): void {
    this.told.set(key, told)
    this.#forgetting.put(told.until, key)
  }

  /** Drops what nobody compares any more. */
  forget(now: Instant): void {
    for (let due = this.#forgetting.takeDue(now); due !== undefined; due = this.#forgetting.takeDue(now))
      if (this.told.get(due.item)?.until === due.at) this.told.delete(due.item)
  }
}

/** One text per (channel, subject): a channel's name holds no line feed. */
export function toldKey(channel: string, subject: string): string {
  return `${channel}\n${subject}`
}

/** When the line's next message goes, at the latest `now` if it may. */
export function lineDueAt({ waiting, retryAt }: ChannelLine, now: Instant): Instant {
  if (retryAt !== undefined) return retryAt - now > RETRY_WAIT_MS_MAX ? now : retryAt
  const { sendAt, queuedAt } = waiting.values().next().value!
  return sendAt === undefined || queuedAt > now ? now : sendAt
}

/** What the next message holds: what is grouped or has had to wait goes together, everything else one by one. */
export function nextOfLine({ waiting, failures }: ChannelLine): Notification[] {
  const first = waiting.values().next().value!
  const together = failures > 0 || first.sendAt !== undefined
  return waiting
    .values()
    .take(together ? MESSAGE_MAX : 1)
    .toArray()
}
