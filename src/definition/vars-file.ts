// One file of vars: text → values by name, and what is wrong with it. Every problem is found in one go; a file with any of
// them has no values.

import { findMarks } from '../core/condition/occasion.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { describeValue } from './expected-words.ts'
import { ProblemList } from './problem.ts'
import type { SourceText } from './source-text.ts'
import { isVarMark, VAR_NAME, VAR_NAME_WORDS } from './vars.ts'
import { type Path, readYaml, type YamlTree } from './yaml-tree.ts'

export interface CheckedVarsFile {
  readonly source: SourceText
  readonly problems: ProblemList
  /** Undefined if anything is wrong. */
  readonly values: JsonObject | undefined
}

const MAPPING = 'vars (a mapping of names to values)'

/** Checks one file. Never throws for what the text says. */
export async function checkVarsFile(source: SourceText): Promise<CheckedVarsFile> {
  const problems = new ProblemList(source)
  const tree = await readYaml(problems)
  if (!tree) {
    if (problems.errorCount === 0)
      problems.add({ start: 0, end: 0 }, `the file is empty: expected ${MAPPING}`, {
        help: 'write {} if there are none, or delete the file: one that is being saved can look empty for a moment',
      })
    return { source, problems, values: undefined }
  }
  const { value } = tree
  if (!isJsonObject(value)) {
    problems.add(tree.locate([]), `expected ${MAPPING}, got ${describeValue(value)}`, {
      help: 'for example schedule: "0 6 * * *"',
    })
    return { source, problems, values: undefined }
  }
  checkNames(value, [], tree, problems)
  return { source, problems, values: problems.errorCount === 0 ? value : undefined }
}

/** Mappings in mappings are names with dots; what stands in a list is a value. */
function checkNames(mapping: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): void {
  for (const [name, value = null] of Object.entries(mapping)) {
    const here = [...path, name]
    if (!VAR_NAME.test(name))
      problems.add(tree.locateKey(path, name), `expected ${VAR_NAME_WORDS}, got ${JSON.stringify(name)}`, {
        help: name.includes('.') ? 'write a mapping in the mapping for a name with dots' : 'rename it',
      })
    if (isJsonObject(value)) checkNames(value, here, tree, problems)
    else refuseMarks(value, here, tree, problems)
  }
}

function refuseMarks(value: Json, path: Path, tree: YamlTree, problems: ProblemList): void {
  if (typeof value === 'string') {
    const mark = findMarks(value).find(({ name }) => isVarMark(name))
    if (mark !== undefined)
      problems.add(tree.locate(path), `"{{${mark.name}}}" is not filled in here: vars hold no other vars`, {
        help: 'write the value out',
      })
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseMarks(item, [...path, index], tree, problems)
  } else if (isJsonObject(value)) {
    for (const [key, item = null] of Object.entries(value)) refuseMarks(item, [...path, key], tree, problems)
  }
}
