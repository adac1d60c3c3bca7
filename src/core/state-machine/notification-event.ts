// What happens to notifications: queued in the same commit as what they tell of, and ended in one of three ways.

import type { NotificationType } from '../dag/notification.ts'
import type { Line } from './event-line.ts'

export interface NotificationQueued extends Line {
  event: 'notification_queued'
  notification_id: string
  channel: string
  /** `MORE`: it stands for some that made room. */
  type: NotificationType | 'MORE'
  outcome: 'success' | 'failed' | 'partial' | 'skipped' | 'cancelled' | 'late' | 'missed' | 'more'
  dag_name?: string
  tenant_id?: string
  run_id?: string
  schedule_id?: string
  slot?: string
  subject: string
  summary: string
  /** How many others it stands for. */
  more?: number
  /** When the window ends in which others of its channel join it. */
  send_at?: string
  /** It is not tried again after this. */
  give_up_at: string
  /** The same subject is not queued for this channel before. */
  dedupe_until?: string
}
/** The channel took one message with all of these. */
export interface NotificationSent extends Line {
  event: 'notification_sent'
  notification_ids: string[]
  channel: string
  attempt: number
}
/** The channel did not take them: it is tried again at `retry_at`, drawn once. */
export interface NotificationRetry extends Line {
  event: 'notification_retry'
  notification_ids: string[]
  channel: string
  attempt: number
  error: string
  retry_at: string
}
/** They are not tried again: nobody was told. */
export interface NotificationFailed extends Line {
  event: 'notification_failed'
  notification_ids: string[]
  channel: string
  attempt: number
  /** `refused`: another try would be refused, too. `gave_up`: their time is over. */
  reason: 'refused' | 'gave_up'
  error: string
}
/** They are not told one by one. */
export interface NotificationSuppressed extends Line {
  event: 'notification_suppressed'
  notification_ids: string[]
  channel: string
  /** `duplicate`: the same was queued a short while ago. `outbox_full`: others stand for them. */
  reason: 'duplicate' | 'outbox_full'
  /** Of a duplicate: what it would have told, and what told it before. */
  duplicate_of?: string
  type?: NotificationType
  dag_name?: string
  run_id?: string
  schedule_id?: string
  slot?: string
  subject?: string
}

export type NotificationEvent =
  | NotificationQueued
  | NotificationSent
  | NotificationRetry
  | NotificationFailed
  | NotificationSuppressed
