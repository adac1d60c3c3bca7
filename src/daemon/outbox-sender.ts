// The sender: has what waits in the outbox carried to its channels, and reports what became of it into the inbox.
//
//   S1. It acts only on durable state: the daemon calls `sync` after each append, and nobody else does; what comes up in
//       between asks for such a moment (`wake`). Of one channel, one message is under way.
//   S2. At least once: what was sent when the process died, before that was durable, is sent again with the same id.
//   S3. A channel that hangs holds up itself and nothing else: no run, no slot, no other channel, and no stop for more than
//       a moment.

import { CHANNEL_DEFAULTS } from '../core/notification/channel.ts'
import { makeMessage } from '../core/notification/message.ts'
import { type ChannelLine, lineDueAt, nextOfLine } from '../core/notification/outbox.ts'
import type { Definitions } from '../core/schedule/definitions.ts'
import type { Command, NotificationResult } from '../core/state-machine/command.ts'
import type { State } from '../core/state-machine/state.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Clock } from '../ports/clock.ts'
import type { Notifier, SendResult } from '../ports/notifier.ts'

export interface OutboxSenderOptions {
  readonly state: State
  readonly clock: Clock
  readonly notifier: Notifier
  readonly journalId: string
  readonly definitions: () => Definitions
  readonly submit: (command: Command) => Promise<unknown>
  /** Has `sync` called soon. */
  readonly wake: () => void
}

export class OutboxSender {
  readonly #options: OutboxSenderOptions
  /** Channels to which a message is under way. */
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  #seenVersion = -1
  #callOff: (() => void) | undefined
  /** True: nobody waits for windows any more. */
  #isHurried = false

  constructor(options: OutboxSenderOptions) {
    this.#options = options
  }

  /** Sends what is due. All of the state must be durable. Costs nothing when nothing has changed. */
  sync(): void {
    const { outbox } = this.#options.state
    if (this.#stop.signal.aborted || outbox.version === this.#seenVersion) return
    this.#seenVersion = outbox.version
    const now = this.#options.clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const [channel, line] of outbox.lines) {
      if (this.#underWay.has(channel)) continue
      const at = this.#dueAt(line, now)
      if (at <= now) this.#begin(channel, line)
      else next = Math.min(next, at)
    }
    this.#wakeAt(next, now)
  }

  /** A message is under way, or could be at once. */
  isBusy(): boolean {
    if (this.#underWay.size > 0) return true
    const now = this.#options.clock.now()
    return this.#options.state.outbox.lines.values().some(line => this.#dueAt(line, now) <= now)
  }

  /** From here on windows are not waited for: whoever ends soon sends what it has. */
  hurry(): void {
    this.#isHurried = true
    this.#look()
  }

  /** Nothing is sent any more. Resolves when what was under way has been called off. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#callOff?.()
    await Promise.all(this.#underWay.values())
  }

  #look(): void {
    this.#seenVersion = -1
    this.#options.wake()
  }

  #dueAt(line: ChannelLine, now: Instant): Instant {
    return this.#isHurried && line.retryAt === undefined ? now : lineDueAt(line, now)
  }

  #begin(channel: string, line: ChannelLine): void {
    this.#underWay.set(channel, this.#send(channel, line))
  }

  async #send(channel: string, line: ChannelLine): Promise<void> {
    const { journalId, submit } = this.#options
    const message = makeMessage(channel, nextOfLine(line), journalId)
    const notificationIds = message.notifications.map(({ id }) => id)
    const result = await this.#carry(channel, message)
    // A stop has called it off: the next start sends it, with the same id.
    const isOver = this.#stop.signal.aborted && result.kind !== 'sent'
    const taken = isOver
      ? false
      : await submit({ type: 'notified', channel, notificationIds, result }).then(
          () => true,
          () => false,
        )
    this.#underWay.delete(channel)
    // A loop that takes nothing any more has no use for another try.
    if (taken) this.#look()
  }

  async #carry(channel: string, message: ReturnType<typeof makeMessage>): Promise<NotificationResult> {
    const definition = this.#options.definitions().channels.get(channel)
    if (definition === undefined) return { kind: 'refused', error: 'no channel has this name any more' }
    const { clock, notifier } = this.#options
    // A notifier that forgets its time limit would hold up its channel for ever.
    const overdue = Promise.withResolvers<SendResult>()
    const callOff = clock.after((definition.timeoutMs || CHANNEL_DEFAULTS.timeoutMs) + OVERTIME_MS, () =>
      overdue.resolve({ kind: 'failed', error: 'no answer in time' }),
    )
    try {
      const sent = notifier.send(message, definition, this.#stop.signal)
      const { detail: _, ...result } = await Promise.race([sent, overdue.promise])
      return result
    } catch {
      return { kind: 'failed', error: 'the message could not be sent' }
    } finally {
      callOff()
    }
  }

  #wakeAt(at: Instant, now: Instant): void {
    this.#callOff?.()
    this.#callOff = undefined
    if (at === Number.POSITIVE_INFINITY) return
    // Not `at` itself if it is far: a clock that is set meanwhile is noticed.
    this.#callOff = this.#options.clock.after(Math.min(at - now, LOOK_AGAIN_MS), () => {
      this.#look()
    })
  }
}

/** What a notifier may take beyond the time limit of its channel: ending a command takes a moment. */
const OVERTIME_MS = 5_000

const LOOK_AGAIN_MS = 60_000
