// Clients: the members of a fan-out, found at the moment of the run. The structure is the state: there is no list to keep
// (seed 000, ADR-0004).

import type { Condition } from '../condition/condition.ts'

/** Where clients are found. */
export type ClientSource =
  /** Each folder in a folder is a client. */
  | { readonly kind: 'directory'; readonly path: string }
  /** Each row's first column. An SQLite database at a path. */
  | { readonly kind: 'sqlite'; readonly database: string; readonly query: string }
  /** Each schema of a database; the environment variable that holds the connection URL. */
  | { readonly kind: 'postgres'; readonly database: string }
  /** Each line of its output. A text goes to `/bin/sh -c`, a list is an argv. */
  | { readonly kind: 'command'; readonly command: string | readonly string[] }

export interface FanOut {
  readonly source: ClientSource
  /** Names that are no clients. */
  readonly exclude: readonly string[]
  /** Clients at once. */
  readonly parallel: number
  /** What must hold for a client, asked before each: questions and `all any not` of them. */
  readonly conditions?: readonly Condition[]
}

/** Names that no database's schema of a client has (seed 000). */
export const NO_CLIENTS = ['PUBLIC', 'INFORMATION_SCHEMA'] as const

/** Clients of one fan-out at most. */
export const CLIENTS_MAX = 10_000

/** The id of the task that does a fan-out's work for one client. */
export function clientTaskId(taskId: string, client: string): string {
  return `${taskId}[${client}]`
}

/** The fan-out and the client of such a task; undefined for any other: no id of a task that users write has a bracket. */
export function splitClientTaskId(taskId: string): { taskId: string; client: string } | undefined {
  const at = taskId.indexOf('[')
  return at < 0 ? undefined : { taskId: taskId.slice(0, at), client: taskId.slice(at + 1, -1) }
}
