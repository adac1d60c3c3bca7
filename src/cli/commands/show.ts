// `scheduler show <dag>`: what a DAG is, in words; with --expanded, as YAML (or JSON) that loads again to the same DAG.

import type { Dag } from '../../core/dag/dag.ts'
import { EXIT } from '../../core/error.ts'
import type { Definitions } from '../../core/schedule/definitions.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { DefinitionsInvalidError } from '../../definition/problem.ts'
import type { CommandContext } from '../context.ts'
import { findDag } from '../dag-name.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import { writeJson } from '../output.ts'
import { dagJson, renderDag } from '../render/dag.ts'
import { nameTarget } from '../target.ts'

export async function run(
  context: CommandContext,
  name: string,
  flags: { expanded?: boolean },
): Promise<number> {
  const { out, json } = context
  const definitions = await loadGoodDefinitions(context)
  const dag = await requireDag(context, definitions, name)
  const schedules = [...definitions.schedules.values()].filter(({ dagName }) => dagName === dag.name)
  if (flags.expanded === true) {
    const { authorDag, formatYaml } = await import('../../definition/author-dag.ts')
    const definition = authorDag(dag, ownSchedule(dag, schedules))
    if (json) writeJson(out.data, 'DagDefinition', { definition })
    else out.data.write(formatYaml(definition))
  } else if (json) writeJson(out.data, 'Dag', dagJson(dag, schedules))
  else for (const line of renderDag(dag, schedules)) out.data.line(line)
  return EXIT.ok
}

/** A file is named for the DAG in it, which must be among the definitions: a schedule may need its neighbours. */
async function requireDag(context: CommandContext, { dags }: Definitions, name: string): Promise<Dag> {
  const target = nameTarget(context.cwd, name)
  if ('dag' in target) return findDag(dags, target.dag)
  const result = await (await context.house()).loadDagFile(context.settings, target.file)
  if (!result.ok) throw new DefinitionsInvalidError(result.problems)
  return findDag(dags, result.dag.name)
}

/** The schedule that a manifest brings: it has the name of the DAG. */
function ownSchedule({ name, manifest }: Dag, schedules: readonly Schedule[]): Schedule | undefined {
  const { mode } = manifest ?? {}
  return mode === 'schedule' || mode === 'CONDITIONAL_CRON'
    ? schedules.find(({ id }) => id === name)
    : undefined
}
