// `scheduler validate [files…]`: every problem of every file, with its place. Exit 3 if there is an error.

import { relative, resolve } from 'node:path'
import { EXIT } from '../../core/error.ts'
import { summarizeProblems } from '../../definition/problem.ts'
import type { DefinitionProblem } from '../../ports/definition-source.ts'
import type { CommandContext } from '../context.ts'
import { writeJson } from '../output.ts'
import { writeProblems } from '../render/problem.ts'

export async function run(context: CommandContext, files: readonly string[]): Promise<number> {
  const { settings, out, json, cwd } = context
  const house = await context.house()
  const within = (file: string, folder: string) => !relative(folder, file).startsWith('..')
  const folders = [...settings.scheduleDirs, settings.dagsDir]
  const paths = files.map(file => resolve(cwd, file))
  const inside = paths.filter(path => folders.some(folder => within(path, folder)))

  let problems: DefinitionProblem[] = []
  let what = ''
  if (files.length === 0 || inside.length > 0) {
    const result = await house.loadDefinitions(settings)
    problems.push(...(result.ok ? result.warnings : result.problems))
    if (result.ok) {
      const { schedules, dags } = result.definitions
      what = `${plural(schedules.size, 'schedule')}, ${plural(dags.size, 'DAG')}`
    }
  }
  if (files.length > 0) {
    // A file is checked among its neighbours, since its references must resolve; only its own problems are its.
    problems = problems.filter(problem => inside.includes(resolve(settings.root, problem.file)))
    for (const path of paths.filter(candidate => !inside.includes(candidate))) {
      const result = await house.loadDagFile(settings, path)
      if (!result.ok) problems.push(...result.problems)
    }
    what = plural(files.length, 'file')
  }
  const good = problems.every(problem => problem.severity === 'warning')
  if (json) {
    writeJson(out.data, 'Validation', { ok: good, items: problems })
  } else {
    writeProblems(out.data, problems)
    const count = problems.length > 0 ? summarizeProblems(problems) : `${what}: no problems`
    out.note.line(problems.length > 0 && good ? `${what}: ${count}` : count)
  }
  return good ? EXIT.ok : EXIT.configInvalid
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
