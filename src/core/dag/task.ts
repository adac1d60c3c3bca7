// A task: a node of a DAG, in its one normal form. What users write is turned into this by definition/.

import type { FanOut } from '../client/client.ts'
import type { JsonObject } from '../json.ts'
import type { TriggerRule } from './trigger-rule.ts'

export type Backoff = 'exponential' | 'fixed'

export interface Task {
  readonly id: string
  /** A built-in (`shell`, `http`) or the name of a user function under workflows/. */
  readonly workflowRef: string
  readonly params: JsonObject
  /** How many times a failed attempt is tried again: 2 means three attempts in all. */
  readonly retries: number
  /** Base of the backoff, milliseconds. */
  readonly retryDelayMs: number
  readonly backoff: Backoff
  /** Time limit of one attempt, milliseconds; undefined: none. */
  readonly timeoutMs?: number
  readonly dependsOn: readonly string[]
  /** What of these must have happened. Undefined: ALL. */
  readonly triggerRule?: TriggerRule
  /** It is done once for each client that is found. */
  readonly fanOut?: FanOut
  /** Extra environment of a command. */
  readonly env?: Readonly<Record<string, string>>
}
