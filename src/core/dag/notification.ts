// Who is told of a DAG's runs, and of what (seed 000). What a channel is stands elsewhere; here it is a name.

export const NOTIFICATION_TYPES = [
  'ON_ERROR',
  'ON_SUCCESS',
  'ALWAYS',
  'ON_SKIP',
  'ON_RECOVERY',
  'ON_LATE',
  'ON_MISSED',
] as const
export type NotificationType = (typeof NOTIFICATION_TYPES)[number]

export const DEFAULT_NOTIFICATION_TYPE: NotificationType = 'ON_ERROR'

export interface Notification {
  /** In the order they were written, each once. */
  readonly types: readonly NotificationType[]
  /** Names of channels, each once. */
  readonly channels: readonly string[]
  /** A run that has not ended so long after its slot is late. There if and only if `ON_LATE` is among the types. */
  readonly lateAfterMs?: number
  /** ON_ERROR is told from so many failures in a row on. */
  readonly failuresInRow: number
}
