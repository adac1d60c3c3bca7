// `scheduler plan`: what the definitions, as they are in the files, would do to the state: schedules that come, go or move,
// slots that are given up, DAGs that differ from what ran last. Changes nothing.

import type { Dag } from '../../core/dag/dag.ts'
import type { Task } from '../../core/dag/task.ts'
import { EXIT } from '../../core/error.ts'
import { previewDefinitions } from '../../core/simulation/preview.ts'
import { isUserEvent, type RunRequested, type ScheduleEnqueued } from '../../core/state-machine/event.ts'
import type { State } from '../../core/state-machine/state.ts'
import { canonicalText } from '../../ports/run-rows.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import type { Reader } from '../house.ts'
import { readJournaledState } from '../journaled-state.ts'
import { writeJson } from '../output.ts'
import { type DagChange, type DefinitionPlan, planJson, renderChanges } from '../render/definition-plan.ts'

export async function run(context: CommandContext, flags: { exitCode?: boolean }): Promise<number> {
  const { out, json, settings } = context
  const definitions = await loadGoodDefinitions(context)
  const { holder, alive } = await (await context.house()).readHolder(settings)
  const isScheduling = alive && (holder?.mode === 'serve' || holder?.mode === 'once')
  const { state, reader } = await readJournaledState(context)
  let plan: DefinitionPlan
  try {
    const { seq } = state
    const dags = reader === undefined ? [] : findChangedDags(reader, state, definitions.dags.values())
    const { changes, backlog } = previewDefinitions(state, definitions, context.now())
    plan = {
      seq,
      scheduler: isScheduling ? { pid: holder!.pid, host: holder!.host } : undefined,
      changes,
      dags,
      // What passed while nobody ran is the next start's to decide; a scheduler that runs has decided it.
      backlog: isScheduling ? [] : backlog,
    }
  } finally {
    await reader?.close()
  }
  if (json) writeJson(out.data, 'Plan', planJson(plan))
  else for (const line of renderChanges(plan, out.data)) out.data.line(line)
  const isChange = plan.changes.length > 0 || plan.dags.length > 0
  return isChange && flags.exitCode === true ? EXIT.runFailed : EXIT.ok
}

/** DAGs whose last run had another definition. Which tasks differ is told as far as the journal's last segment knows. */
function findChangedDags(reader: Reader, state: State, dags: Iterable<Dag>): DagChange[] {
  const changes: DagChange[] = []
  for (const dag of dags) {
    const [last] = reader.index.runs({ dagName: dag.name, limit: 1 })
    if (last === undefined) continue
    const before = findDefinitionHash(reader, last.run_id)
    if (before === undefined || before === dag.hash) continue
    const known = state.definitions.get(before)
    changes.push({
      dagName: dag.name,
      lastRun: last.run_id,
      before,
      after: dag.hash,
      tasks: known === undefined ? undefined : compareTasks(known.tasks, dag.tasks),
    })
  }
  return changes
}

/** The definition that a run was asked for with; undefined where that line is no longer kept. */
function findDefinitionHash({ index }: Reader, runId: string): string | undefined {
  for (const event of ['schedule_enqueued', 'run_requested']) {
    // A user may record lines of that name; theirs are passed over.
    const asked = index.events({ runId, event, limit: 100 }).find(line => !isUserEvent(line))
    if (asked !== undefined) return (asked as ScheduleEnqueued | RunRequested).definition_hash
  }
  return undefined
}

function compareTasks(before: ReadonlyMap<string, Task>, after: readonly Task[]): DagChange['tasks'] {
  const kept = new Set(after.map(({ id }) => id))
  return {
    added: after.filter(({ id }) => !before.has(id)).map(({ id }) => id),
    removed: [...before.keys()].filter(id => !kept.has(id)),
    changed: after
      .filter(task => before.has(task.id) && canonicalText(before.get(task.id)) !== canonicalText(task))
      .map(({ id }) => id),
  }
}
