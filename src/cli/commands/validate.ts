// `scheduler validate [files…]`: every problem of every file, with its place. Exit 3 if there is an error.

import { EXIT } from '../../core/error.ts'
import { summarizeProblems } from '../../definition/problem.ts'
import type { CommandContext } from '../context.ts'
import { writeJson } from '../output.ts'
import { findProblems } from '../problems.ts'
import { writeProblems } from '../render/problem.ts'

export async function run(context: CommandContext, files: readonly string[]): Promise<number> {
  const { out, json } = context
  const { problems, what } = await findProblems(context, files)
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
