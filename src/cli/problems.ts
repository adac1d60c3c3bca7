// Everything that is wrong with the definitions, or with some of their files: what `validate` and `lint` begin with.

import { relative, resolve } from 'node:path'
import type { Definitions } from '../core/schedule/definitions.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import type { CommandContext } from './context.ts'

export interface FoundProblems {
  readonly problems: readonly DefinitionProblem[]
  /** What was looked at: `3 schedules, 3 DAGs`, `2 files`. */
  readonly what: string
  /** Undefined if they are broken, or were not looked at. */
  readonly definitions: Definitions | undefined
  /** True for a file that was asked for, named as problems name it. */
  isAsked(file: string): boolean
}

/** @param files as typed; none: everything */
export async function findProblems(
  context: CommandContext,
  files: readonly string[],
): Promise<FoundProblems> {
  const { settings, cwd } = context
  const house = await context.house()
  const within = (file: string, folder: string) => !relative(folder, file).startsWith('..')
  const { scheduleDirs, dagsDir, calendarsDir, poolsFile, notificationsFile, varsDir } = settings
  const folders = [...scheduleDirs, dagsDir, calendarsDir, poolsFile, notificationsFile, varsDir]
  const paths = files.map(file => resolve(cwd, file))
  const inside = paths.filter(path => folders.some(folder => within(path, folder)))

  let problems: DefinitionProblem[] = []
  let what = ''
  let definitions: Definitions | undefined
  if (files.length === 0 || inside.length > 0) {
    const result = await house.loadDefinitions(settings)
    problems.push(...(result.ok ? result.warnings : result.problems))
    if (result.ok) {
      definitions = result.definitions
      const { schedules, dags, calendars, pools, channels } = definitions
      what = `${plural(schedules.size, 'schedule')}, ${plural(dags.size, 'DAG')}`
      const manifests = dags.values().reduce((count, dag) => (dag.manifest ? count + 1 : count), 0)
      if (manifests > 0) what += ` (${plural(manifests, 'manifest')})`
      if (calendars.size > 0) what += `, ${plural(calendars.size, 'calendar')}`
      if (pools.size > 0) what += `, ${plural(pools.size, 'pool')}`
      if (channels.size > 0) what += `, ${plural(channels.size, 'channel')}`
    }
  }
  const isAsked = (file: string) =>
    files.length === 0 || inside.some(path => path === resolve(settings.root, file))
  if (files.length > 0) {
    // A file is checked among its neighbours, since its references must resolve; only its own problems are its.
    problems = problems.filter(problem => isAsked(problem.file))
    for (const path of paths.filter(candidate => !inside.includes(candidate))) {
      const result = await house.loadDagFile(settings, path)
      if (!result.ok) problems.push(...result.problems)
    }
    what = plural(files.length, 'file')
  }
  return { problems, what, definitions, isAsked }
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
