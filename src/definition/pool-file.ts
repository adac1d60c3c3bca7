// The file of pools: text → pools by name, and what is wrong with it. Every problem is found in one go; a file with any
// of them has no pools.

import { checkId, ID_WORDS } from '../core/ids.ts'
import { isJsonObject } from '../core/json.ts'
import type { Pool, Pools } from '../core/schedule/pool.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import { AnyNamePoolFile, POOL_MAPPING, poolWords } from './pool-schema.ts'
import { ProblemList } from './problem.ts'
import type { LooseSchedule } from './schedule-file.ts'
import { addSchemaProblems } from './schema-problems.ts'
import type { SourceText, Span } from './source-text.ts'
import { readYaml } from './yaml-tree.ts'

export interface CheckedPoolFile {
  readonly source: SourceText
  readonly problems: ProblemList
  /** Undefined if anything is wrong. `place` is that of the name. */
  readonly pools: readonly { readonly name: string; readonly pool: Pool; readonly place: Span }[] | undefined
}

/** Checks the file. Never throws for what the text says. */
export async function checkPoolFile(source: SourceText): Promise<CheckedPoolFile> {
  const problems = new ProblemList(source)
  const tree = await readYaml(problems)
  if (!tree) {
    if (problems.errorCount === 0)
      problems.add({ start: 0, end: 0 }, `the file is empty: expected ${POOL_MAPPING}`, {
        help: 'write {} if there are none, or delete the file: one that is being saved can look empty for a moment',
      })
    return { source, problems, pools: undefined }
  }
  const names = isJsonObject(tree.value) ? Object.keys(tree.value) : []
  for (const name of names) {
    const wrong = checkId(name)
    if (wrong === undefined) continue
    const help = wrong
    problems.add(tree.locateKey([], name), `expected ${ID_WORDS}, got ${JSON.stringify(name)}`, { help })
  }
  addSchemaProblems(AnyNamePoolFile, poolWords(names), tree, problems)
  const parsed = problems.errorCount === 0 ? AnyNamePoolFile.safeParse(tree.value) : undefined
  if (!parsed?.success) return { source, problems, pools: undefined }
  const pools = Object.entries(parsed.data).map(([name, entry]) => {
    const { slots, description } = typeof entry === 'number' ? { slots: entry } : entry
    const pool: Pool = Object.freeze(description === undefined ? { slots } : { slots, description })
    return { name, pool, place: tree.locateKey([], name) }
  })
  return { source, problems, pools }
}

/** Warnings of pools that no schedule names. An entry that is wrong may mean any of them: then none is told of. */
export function addUnusedPools(
  files: Iterable<CheckedPoolFile>,
  known: Pools,
  schedules: readonly LooseSchedule[],
  problems: DefinitionProblem[],
): void {
  const isWrong = ({ schedule }: LooseSchedule) =>
    schedule === undefined || (schedule.pool !== undefined && !known.has(schedule.pool))
  if (schedules.some(isWrong)) return
  const named = new Set(schedules.map(({ schedule }) => schedule?.pool))
  for (const { source, pools: entries = [] } of files) {
    const list = new ProblemList(source)
    for (const { name, place } of entries) {
      if (named.has(name)) continue
      list.add(place, `no schedule names the pool "${name}"`, {
        severity: 'warning',
        code: 'unused_pool',
        help: 'remove it, or write `pool:` in the schedules that share it',
      })
    }
    problems.push(...list.finish())
  }
}
