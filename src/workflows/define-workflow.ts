// What a user function is: `(args, ctx) => object`. For those who want their editor to know; a plain function will do.

import type { JsonObject } from '../core/json.ts'

/** What a function is told about the attempt it is. */
export interface WorkflowContext {
  readonly runId: string
  readonly dagName: string
  readonly taskId: string
  /** From 1; above 1 it is a retry. */
  readonly attempt: number
  readonly tenantId: string
  readonly scheduleId?: string
  /** The slot the run stands for, ISO 8601 UTC. Use it instead of the current time: a rerun then does the same work. */
  readonly logicalDate: string
  /** Of a task that does its work for one client: which. */
  readonly clientId?: string
  /** In a manifest's run: what its root has collected (TaskRuntimeInfo). */
  readonly runtime?: JsonObject
  /** Aborted when the attempt is cancelled or out of time. What does not heed it is killed after the grace. */
  readonly signal: AbortSignal
  /** Writes a line to the attempt's log, as `console.log` does. */
  log(...values: unknown[]): void
}

/**
 * Takes its params with the outputs of its upstreams (`<task>__<key>`), returns its own output; or `'SKIP'`, `'SKIP: why'`:
 * there is nothing to do, and nothing downstream either.
 */
export type Workflow<Args = JsonObject, Output = JsonObject | undefined | Skip> = (
  args: Args,
  ctx: WorkflowContext,
) => Output | Promise<Output>

export type Skip = 'SKIP' | `SKIP: ${string}`

/** The function itself, with its types checked: `export default defineWorkflow((args, ctx) => ({ … }))`. */
export function defineWorkflow<Args, Output extends object | undefined | Skip>(
  workflow: Workflow<Args, Output>,
): Workflow<Args, Output> {
  return workflow
}
