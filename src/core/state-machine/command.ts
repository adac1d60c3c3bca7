// Everything that can be asked of the state machine. A command is imperative and may be refused; what comes of it are
// events, which are past and may not.

import type { Answers, Condition } from '../condition/condition.ts'
import type { Dag } from '../dag/dag.ts'
import type { JsonObject } from '../json.ts'
import type { Taken } from '../run/taken.ts'
import type { Definitions } from '../schedule/definitions.ts'
import type { Instant } from '../time/instant.ts'
import type { AttemptError, BlobRef, SchedulerMode } from './event.ts'

/** What one attempt came to, as the worker reports it. */
export type AttemptResult =
  | { kind: 'ok'; output: JsonObject; taken?: Taken }
  /** The output is too large for a line and stands in a blob. `stops`: it says `continue: 0`. */
  | { kind: 'ok_blob'; blob: BlobRef; stops: boolean; taken?: Taken }
  | { kind: 'skip'; reason: 'returned_skip' | 'condition'; detail: string; inputs?: JsonObject }
  | { kind: 'clients'; clients: readonly string[] }
  | { kind: 'failed'; error: AttemptError }
  | { kind: 'cancelled'; reason: string }
  | { kind: 'lost'; reason: string }

/** What a channel made of a message. */
export type NotificationResult =
  | { kind: 'sent' }
  /** Another try may go better. The channel may ask for more patience than it would be given. */
  | { kind: 'failed'; error: string; retryAfterMs?: number }
  /** Another try would be refused, too. */
  | { kind: 'refused'; error: string }

export type Command =
  /** The scheduler has opened its journal. First command of every start. */
  | { type: 'boot'; mode: SchedulerMode; pid: number; host: string; version: string }
  | { type: 'use_definitions'; definitions: Definitions; cause: 'start' | 'reload' }
  | { type: 'reject_definitions'; errors: string[]; cause: 'start' | 'reload' }
  /** It is now at least `now`; nothing more. */
  | { type: 'tick' }
  /** Look again at what may start: a retry has come, a limit has changed. Plans no slot. */
  | { type: 'wake' }
  | {
      type: 'trigger'
      runId: string
      dag: Dag
      cause: string
      params?: JsonObject
      /** A decided slot that is run once more. */
      slot?: { scheduleId: string; at: Instant }
    }
  /** Without a schedule: everything. */
  | { type: 'pause'; scheduleId?: string; reason: string; until?: Instant }
  | { type: 'resume'; scheduleId?: string; reason: string }
  /** Without a slot: the next one. */
  | { type: 'skip_slot'; scheduleId: string; slot?: Instant; reason: string }
  /** A slot that was to be skipped is not. Without a slot: the next one that was. */
  | { type: 'unskip_slot'; scheduleId: string; slot?: Instant; reason: string }
  /** A slot that is undecided has its run now; one that is decided is run once more. */
  | { type: 'run_slot'; scheduleId: string; slot: Instant; cause: string }
  /**
   * What the world said about the conditions of an open slot. They come along: those that were asked decide, whatever has
   * been loaded since.
   */
  | {
      type: 'answered'
      scheduleId: string
      slot: Instant
      /** `OpenSlot.asks` when it was asked. */
      ask: number
      conditions: readonly Condition[]
      answers: Answers
    }
  /** What became of a message with these notifications. */
  | { type: 'notified'; channel: string; notificationIds: readonly string[]; result: NotificationResult }
  | { type: 'cancel'; runId: string; reason: string }
  | { type: 'record'; fields: { event: string } & JsonObject }
  | {
      type: 'spawned'
      runId: string
      taskId: string
      attempt: number
      pid: number
      startTicks: number
      bootId: string
    }
  | { type: 'readopted'; runId: string; taskId: string; attempt: number; pid: number }
  | {
      type: 'ended'
      runId: string
      taskId: string
      attempt: number
      durationMs: number
      result: AttemptResult
    }
  | { type: 'note_clock_jump'; direction: 'forward' | 'backward'; wallMs: number; monotonicMs: number }
  | { type: 'note_disk_full'; since: Instant; refused: number }
  | { type: 'stop'; reason: string }
  | { type: 'stopped' }
