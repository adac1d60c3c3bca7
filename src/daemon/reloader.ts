// Taking changed definitions into force: read and checked as a whole, swapped at once, or refused with the last good ones
// still in force and the reason in the journal. A bad edit never stops anything (P5).

import { sameDag } from '../core/dag/dag.ts'
import { clip } from '../core/json.ts'
import { sameChannels } from '../core/notification/channel.ts'
import { samePools } from '../core/schedule/pool.ts'
import { sameSchedule } from '../core/schedule/schedule.ts'
import type { DefinitionProblem, DefinitionSource, Definitions } from '../ports/definition-source.ts'
import type { Loop } from './loop.ts'

/** Problems of one rejected reload that the journal names, and characters of each. */
const PROBLEMS_MAX = 20
const TEXT_MAX = 1_000

export interface ReloadAnswer {
  ok: boolean
  schedules: number
  dags: number
  errors: string[]
}

export interface ReloaderOptions {
  readonly loop: Loop
  readonly source: DefinitionSource
  note(level: 'info' | 'warn' | 'error', message: string): void
}

export class Reloader {
  readonly #options: ReloaderOptions
  #last: Promise<unknown> = Promise.resolve()
  /** Of the last reload, if it was refused. */
  errors: readonly string[] = []

  constructor(options: ReloaderOptions) {
    this.#options = options
  }

  /** Reloads never overlap: the last one asked for sees the last state of the files. */
  reload(): Promise<ReloadAnswer> {
    const reloaded = this.#last.then(() => this.#reload())
    this.#last = reloaded.catch(() => {})
    return reloaded
  }

  async #reload(): Promise<ReloadAnswer> {
    const { loop, source } = this.#options
    const result = await source.load()
    if (result.ok) await this.#accept(result.definitions)
    else await this.#refuse(result.problems)
    const { schedules, dags } = loop.definitions
    return { ok: result.ok, schedules: schedules.size, dags: dags.size, errors: [...this.errors] }
  }

  async #accept(definitions: Definitions): Promise<void> {
    const { loop, note } = this.#options
    this.errors = []
    if (sameDefinitions(definitions, loop.definitions)) return
    await loop.submit({ type: 'use_definitions', definitions, cause: 'reload' })
    note(
      'info',
      `definitions reloaded: ${definitions.schedules.size} schedules, ${definitions.dags.size} DAGs`,
    )
  }

  async #refuse(problems: readonly DefinitionProblem[]): Promise<void> {
    const { loop, note } = this.#options
    const errors = problems.filter(({ severity }) => severity === 'error').map(describeProblem)
    const isNews = errors.join('\n') !== this.errors.join('\n')
    this.errors = errors
    if (!isNews) return
    const told = errors.slice(0, PROBLEMS_MAX).map(line => clip(line, TEXT_MAX))
    await loop.submit({ type: 'reject_definitions', errors: told, cause: 'reload' })
    const frames = problems.map(({ frame }) => frame).join('\n')
    note('error', `the changed definitions are refused, the last good ones stay in force\n${frames}`)
  }
}

/** A save that changed nothing is no reload. */
function sameDefinitions(a: Definitions, b: Definitions): boolean {
  if (a === b) return true
  if (a.schedules.size !== b.schedules.size || a.dags.size !== b.dags.size) return false
  if (a.calendars.size !== b.calendars.size) return false
  for (const [name, { plan }] of a.calendars) if (b.calendars.get(name)?.plan.hash !== plan.hash) return false
  if (!samePools(a.pools, b.pools) || !sameChannels(a.channels, b.channels)) return false
  for (const [name, dag] of a.dags) {
    const other = b.dags.get(name)
    if (other === undefined || !sameDag(dag, other)) return false
  }
  for (const [id, schedule] of a.schedules) {
    const other = b.schedules.get(id)
    if (other === undefined || !sameSchedule(schedule, other)) return false
  }
  return true
}

function describeProblem({ file, line, column, severity, message }: DefinitionProblem): string {
  return `${file}:${line}:${column} ${severity}: ${message}`
}
