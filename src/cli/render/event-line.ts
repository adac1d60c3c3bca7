// An event in words, for logs and progress: one line, the subject first.

import { describeTiming, readTiming } from '../../core/schedule/timing.ts'
import type { Event, SystemEvent } from '../../core/state-machine/event.ts'
import { isUserEvent } from '../../core/state-machine/event.ts'
import { plain } from '../output.ts'
import { conditionsInWords } from './condition-words.ts'
import { formatSeconds } from './time.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface EventLine {
  readonly level: Level
  /** Without time. */
  readonly text: string
}

/** Says what happened. `withRun` names the run in lines about its tasks, where several runs share one log. */
export function describeEvent(event: Event, withRun = true): EventLine {
  const { level, text } = describe(event, withRun)
  return { level, text: plain(text) }
}

function describe(event: Event, withRun: boolean): EventLine {
  if (isUserEvent(event)) return { level: 'info', text: `recorded ${listFields(event)}` }
  const of = withRun && 'run_id' in event ? ` of ${event.run_id}` : ''
  switch (event.event) {
    case 'scheduler_started':
      return info(`scheduler started (${event.mode}, pid ${event.pid}, epoch ${event.epoch})`)
    case 'scheduler_stopping':
      return info(`scheduler stopping: ${event.reason}`)
    case 'scheduler_stopped':
      return info('scheduler stopped')
    case 'definitions_loaded':
      return info(`definitions loaded: ${event.schedules} schedules, ${event.dags} dags (${event.cause})`)
    case 'definitions_rejected':
      return {
        level: 'warn',
        text: `definitions rejected, the last good ones stay: ${event.errors.join('; ')}`,
      }
    case 'schedule_registered':
      return debug(
        `schedule ${event.schedule_id} registered (${event.cause}): ${describeTiming(readTiming(event))} ${event.timezone}`,
      )
    case 'schedule_retired':
      return info(`schedule ${event.schedule_id} retired (${event.cause})`)
    case 'schedule_paused':
      return info(`schedule ${event.schedule_id} paused${untilWords(event.until)}: ${event.reason}`)
    case 'schedule_resumed':
      return info(`schedule ${event.schedule_id} resumed: ${event.reason}`)
    case 'scheduling_frozen':
      return { level: 'warn', text: `every schedule paused${untilWords(event.until)}: ${event.reason}` }
    case 'scheduling_thawed':
      return info(`every schedule resumed: ${event.reason}`)
    case 'slot_skip_requested':
      return info(`schedule ${event.schedule_id} slot ${event.slot} is to be skipped: ${event.reason}`)
    case 'slot_skip_withdrawn':
      return info(`schedule ${event.schedule_id} slot ${event.slot} is not to be skipped: ${event.reason}`)
    case 'slot_opened':
      return debug(`schedule ${event.schedule_id} slot ${event.slot} is due: its conditions are asked`)
    case 'slot_deferred':
      return info(
        `schedule ${event.schedule_id} slot ${event.slot} waits (${event.reason}), asked again at ${event.retry_at}: ${conditionsInWords(event.inputs) ?? ''}`,
      )
    case 'schedule_enqueued':
      return info(`schedule ${event.schedule_id} slot ${event.slot} enqueued (${event.reason})`)
    case 'schedule_skipped':
      return {
        level: 'warn',
        text: `schedule ${event.schedule_id} slot ${event.slot} skipped (${event.reason}) ${JSON.stringify(event.inputs)}`,
      }
    case 'schedule_missed': {
      const span = event.count === 1 ? event.from : `${event.from} to ${event.to}, ${event.count} slots,`
      return { level: 'warn', text: `schedule ${event.schedule_id} slot ${span} missed (${event.reason})` }
    }
    case 'run_requested':
      return info(`run ${event.run_id} requested (${event.cause})`)
    case 'run_started':
      return info(`run ${event.run_id} started`)
    case 'run_resumed':
      return info(
        `run ${event.run_id} resumed: ${event.tasks_finished} tasks finished, ${event.tasks_interrupted} interrupted`,
      )
    case 'run_cancel_requested':
      return info(`run ${event.run_id} is being cancelled: ${event.reason}`)
    case 'run_finished': {
      const counts = `${event.tasks_succeeded} ok, ${event.tasks_failed} failed, ${event.tasks_skipped} skipped`
      const clients =
        event.clients_succeeded === undefined
          ? ''
          : `, clients: ${event.clients_succeeded} ok, ${event.clients_failed} failed, ${event.clients_skipped} skipped`
      const text = `run ${event.run_id} ${event.status} (${counts}${clients}, ${formatSeconds(event.duration_ms)})`
      if (event.status === 'failed') return { level: 'error', text: withCause(text, event.error) }
      const isWell = event.status === 'success' || event.status === 'skipped'
      return { level: isWell ? 'info' : 'warn', text: withCause(text, event.error) }
    }
    case 'task_start':
      return info(`task ${event.task_id}${of} started (attempt ${event.attempt})`)
    case 'task_spawned':
      return debug(`task ${event.task_id}${of} has pid ${event.pid} (attempt ${event.attempt})`)
    case 'task_readopted':
      return info(`task ${event.task_id}${of} still runs, pid ${event.pid} (attempt ${event.attempt})`)
    case 'task_ok':
      return info(`task ${event.task_id}${of} ok (${tried(event)})`)
    case 'task_retry':
      return {
        level: 'warn',
        text: `task ${event.task_id}${of} failed, again at ${event.retry_at} (${tried(event)}): ${event.error.message}`,
      }
    case 'task_lost':
      return {
        level: 'warn',
        text: `task ${event.task_id}${of} lost, again at ${event.retry_at} (attempt ${event.attempt}): ${event.reason}`,
      }
    case 'task_fail':
      return {
        level: 'error',
        text: `task ${event.task_id}${of} failed (${tried(event)}): ${event.error?.message ?? event.message}`,
      }
    case 'task_cancelled':
      return {
        level: 'warn',
        text: `task ${event.task_id}${of} cancelled (attempt ${event.attempt}): ${event.reason}`,
      }
    case 'task_skip':
      return info(
        `task ${event.task_id}${of} skipped (${event.reason})${event.detail ? `: ${event.detail}` : ''}`,
      )
    case 'clients_found': {
      const part = event.parts === 1 ? '' : ` (${event.part} of ${event.parts})`
      return info(`task ${event.task_id}${of} has found ${event.clients.length} clients${part}`)
    }
    case 'notification_queued':
      return info(`notification ${event.notification_id} to ${event.channel} queued: ${event.subject}`)
    case 'notification_sent':
      return info(`notification ${event.notification_ids.join(' ')} sent to ${event.channel}`)
    case 'notification_retry':
      return {
        level: 'warn',
        text: `notification ${event.notification_ids.join(' ')} to ${event.channel} not sent, again at ${event.retry_at} (attempt ${event.attempt}): ${event.error}`,
      }
    case 'notification_failed':
      return {
        level: 'error',
        text: `notification ${event.notification_ids.join(' ')} to ${event.channel} never sent (${event.reason}): ${event.error}`,
      }
    case 'notification_suppressed':
      return info(
        `notification ${event.notification_ids.length > 3 ? `of ${event.notification_ids.length}` : event.notification_ids.join(' ')} to ${event.channel} suppressed (${event.reason})`,
      )
    case 'clock_jumped':
      return {
        level: 'warn',
        text: `clock jumped ${event.direction}: wall ${event.wall_ms} ms, monotonic ${event.monotonic_ms} ms`,
      }
    case 'journal_recovered':
      return {
        level: 'warn',
        text: `journal recovered (${event.reason}): ${event.dropped_bytes} bytes dropped`,
      }
    case 'journal_resumed':
      return {
        level: 'warn',
        text: `journal resumed: disk was full since ${event.since}, ${event.refused} refused`,
      }
    default:
      // Also what a newer version writes: a reader must not stumble over an event that it does not know.
      return debug(`${(event as SystemEvent).event} ${listFields(event)}`)
  }
}

function info(text: string): EventLine {
  return { level: 'info', text }
}

function debug(text: string): EventLine {
  return { level: 'debug', text }
}

function untilWords(until: string | undefined): string {
  return until === undefined ? '' : ` until ${until}`
}

function withCause(text: string, cause: string | undefined): string {
  return cause === undefined ? text : `${text}: ${cause}`
}

function tried({ attempt, duration_ms }: { attempt: number; duration_ms: number }): string {
  return `attempt ${attempt}, ${formatSeconds(duration_ms)}`
}

const ELSEWHERE = new Set(['timestamp', 'event', 'seq', 'source', 'commit', 'c', 'items', 'definition'])

function listFields(event: Event): string {
  const name = isUserEvent(event) ? [String(event.event)] : []
  const fields = Object.entries(event)
    .filter(([key, value]) => !ELSEWHERE.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [...name, ...fields].join(' ')
}
