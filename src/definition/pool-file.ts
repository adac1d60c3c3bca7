// The file of pools: text → pools by name, and what is wrong with it. Every problem is found in one go; a file with any
// of them has no pools.

import { checkId, ID_WORDS } from '../core/ids.ts'
import { isJsonObject } from '../core/json.ts'
import type { Pool } from '../core/schedule/pool.ts'
import { AnyNamePoolFile, POOL_MAPPING, poolWords } from './pool-schema.ts'
import { ProblemList } from './problem.ts'
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
