// The `root_task_wrapper` workflow: the root of a manifest's run (seed 000). It collects what every task is told about the run
// (TaskRuntimeInfo), and says SKIP where the poll or the stream before it gave nothing.

import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { AttemptOutcome, AttemptSpec, Executor } from '../ports/executor.ts'

/** @param host of this machine, as it stands in the runtime info */
export function createRootTaskWrapper({ host }: { host: string }): Executor {
  return {
    start: spec => settled(outcomeOf(spec, host)),
    // It takes no time, so nothing of it can be under way; asked again it says the same.
    adopt: spec => settled(outcomeOf(spec, host)),
    close: async () => {},
  }
}

function settled(outcome: AttemptOutcome) {
  return { outcome: Promise.resolve(outcome), cancel: () => {} }
}

function outcomeOf(spec: AttemptSpec, host: string): AttemptOutcome {
  const { source, stages, mode, environment } = spec.params
  if (typeof source === 'string') {
    const given = spec.params[`${source}__new_files`]
    // Dead letters are something: a run that is skipped has read nothing, and the next one would find them again.
    const dead = spec.params[`${source}__dead`] ?? 0
    if ((!Array.isArray(given) || given.length === 0) && dead === 0)
      return { kind: 'skip', reason: 'returned_skip', detail: `${source} gave no new files` }
  }
  const { cause = 'unknown', definitionHash = '', slot, previousSlot } = spec.facts ?? {}
  const runtime: JsonObject = {
    run_id: spec.runId,
    dag_name: spec.dagName,
    tenant_id: spec.tenantId,
    schedule_id: spec.scheduleId ?? null,
    slot: slot ?? null,
    logical_date: spec.logicalDate,
    data_interval_start: previousSlot ?? null,
    data_interval_end: slot ?? null,
    // Whoever asks for a run of a DAG that has a schedule has it on demand.
    trigger_mode: mode !== 'triggered' && spec.scheduleId === undefined ? 'on-demand' : (mode ?? 'on-demand'),
    cause,
    attempt: spec.attempt,
    environment: environment ?? 'default',
    definition_hash: definitionHash,
    host,
    stages: isJsonObject(stages) ? stages : {},
  }
  return { kind: 'ok', output: runtime }
}
