// What is wrong, for people: errors with code and remedy, definition problems with their frames.

import { SettingsError } from '../../config.ts'
import { DagbokError } from '../../core/error.ts'
import { summarizeProblems } from '../../definition/problem.ts'
import type { DefinitionProblem } from '../../ports/definition-source.ts'
import { type Channel, harmless, plain } from '../output.ts'

/** `file:line:column severity: message`, its frame, its help. */
export function writeProblems(channel: Channel, problems: readonly DefinitionProblem[]): void {
  for (const problem of problems) {
    const place = channel.style('bold', `${plain(problem.file)}:${problem.line}:${problem.column}`)
    const severity = channel.style(problem.severity === 'error' ? 'red' : 'yellow', `${problem.severity}:`)
    channel.line(`${place} ${severity} ${problem.message}`)
    if (problem.frame !== '') channel.line(problem.frame.replace(/\n+$/, ''))
  }
}

/** Definition problems that an error carries, if it does. */
export function problemsOf(error: unknown): readonly DefinitionProblem[] {
  const carried = error instanceof DagbokError ? (error as { problems?: unknown }).problems : undefined
  if (error instanceof SettingsError || !Array.isArray(carried)) return []
  return carried.filter(problem => typeof problem?.frame === 'string')
}

/** An error that ends a command: what, remedy, page. A bug of ours comes with its stack. */
export function writeError(channel: Channel, error: unknown): void {
  const problems = problemsOf(error)
  writeProblems(channel, problems)
  if (!(error instanceof DagbokError)) {
    channel.line(`${channel.style('red', 'error:')} ${error instanceof Error ? error.stack : String(error)}`)
    return
  }
  // Its message holds the frames once more.
  const message = problems.length > 0 ? summarizeProblems(problems) : error.message
  const [first, ...more] = harmless(message).split('\n')
  channel.line(`${channel.style('red', 'error:')} ${first} ${channel.style('dim', `[${error.code}]`)}`)
  for (const line of more) channel.line(line)
  if (error.hint !== undefined) channel.line(`${channel.style('cyan', 'hint:')} ${harmless(error.hint)}`)
}
