// What zod found, in words and with places: one problem per thing that is wrong.

import type { z } from 'zod'
import { checkId, ID_WORDS } from '../core/ids.ts'
import { isJsonObject } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import { VARIABLE_PATTERN } from './dag-schema.ts'
import { checkDuration, DURATION_WORDS } from './duration-text.ts'
import { describeValue, type Field, type FieldWords, findWords, formatPath } from './expected-words.ts'
import type { ProblemList } from './problem.ts'
import { SCHEDULE_LIST } from './schedule-schema.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

/** Adds what is wrong with the form of `tree`; true if nothing is. */
export function addSchemaProblems(
  schema: z.ZodType,
  words: FieldWords,
  tree: YamlTree,
  problems: ProblemList,
): boolean {
  const result = schema.safeParse(tree.value)
  if (result.success) return true
  const issues = result.error.issues.flatMap(findCause)
  // A mistyped key is one problem, not two: the key that it stands for is not also called missing.
  const meant = new Set<string>()
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    for (const [index, key] of issue.keys.entries()) {
      if (problems.isFull) {
        problems.count(issue.keys.length - index)
        break
      }
      const name = addUnknownKey(issue.path as Path, key, words, tree, problems)
      if (name !== undefined) meant.add(JSON.stringify([...issue.path, name]))
    }
  }
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys' || meant.has(JSON.stringify(issue.path))) continue
    if (problems.isFull) problems.count(1)
    else addIssue(issue, words, tree, problems)
  }
  return false
}

/**
 * Of a value that may be one of several kinds, what is wrong with the kind that it is: the one whose outermost type
 * fits. If that is none, or several, the value as a whole is wrong.
 */
function findCause(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const fits = ({ code, path }: z.core.$ZodIssue) => path.length > 0 || code === 'unrecognized_keys'
  const fitting = issue.errors.filter(issues => issues.every(fits))
  if (fitting.length !== 1) return [issue]
  return fitting[0]!.flatMap(inner => findCause({ ...inner, path: [...issue.path, ...inner.path] }))
}

function addIssue(issue: z.core.$ZodIssue, words: FieldWords, tree: YamlTree, problems: ProblemList): void {
  const path = issue.path as Path
  if (issue.code === 'invalid_key') {
    const key = String(path.at(-1))
    problems.add(
      tree.locateKey(path.slice(0, -1), key),
      `expected the name of an environment variable (capital letters, digits, "_"), got "${key}"`,
      { help: `for example ${nameVariable(key)}` },
    )
    return
  }
  const field = findWords(words, path)
  const value = valueAt(tree.value, path)
  const key = path.at(-1)
  if (value === undefined && typeof key === 'string') {
    const parent = path.slice(0, -1)
    const where = describeOwner(tree, parent)
    problems.add(tree.locate(parent), `missing key "${key}"${where}`, {
      help: `add ${field?.example ?? `${key}:`}`,
    })
    return
  }
  const expected = field?.expected ?? 'another value'
  problems.add(tree.locate(path), `expected ${expected}, got ${describeFailed(issue, value)}`, {
    help: suggest(value, field),
  })
}

/** The nearest name that a variable may have. */
function nameVariable(key: string): string {
  const name = key.toUpperCase().replace(/[^A-Z0-9_]/g, '_')
  return VARIABLE_PATTERN.test(name) ? name : 'LOG_LEVEL'
}

/** Lists that are too short or too long are told with their length. */
function describeFailed(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'too_big' && Array.isArray(value)) return `${value.length}`
  if (issue.code === 'too_big' && typeof value === 'string') return `${value.length} characters`
  return describeValue(value)
}

function suggest(value: unknown, field: Field | undefined): string | undefined {
  if (!field) return undefined
  const { expected, example } = field
  if (typeof value === 'string') {
    if (expected === ID_WORDS) return checkId(value)
    if (expected === DURATION_WORDS) return checkDuration(value) ?? `for example ${example}`
    if (expected === 'true or false') {
      if (/^(?:true|false)$/i.test(value)) return `write ${value.toLowerCase()} without quotes`
      if (/^(?:yes|on|y|1)$/i.test(value)) return 'write true'
      if (/^(?:no|off|n|0)$/i.test(value)) return 'write false'
    }
    if (expected === 'a list of task ids') return `write [${value}]`
    const choices = expected.split(/, | or /)
    const near = choices.length > 1 ? (findNearest(value, choices) ?? findBegun(value, choices)) : undefined
    if (near !== undefined) return `did you mean "${near}"?`
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    if (expected === DURATION_WORDS && typeof value === 'number')
      return `say the unit, for example "${value}s"`
    if (expected === ID_WORDS || expected === 'a text' || expected === 'a task id')
      return `quote it: "${value}"`
  }
  if (value === null) return `write a value, for example ${example}`
  if (expected === SCHEDULE_LIST && isJsonObject(value) && Object.hasOwn(value, 'cron'))
    return 'put "- " before the first key, and two spaces before the others'
  return `for example ${example}`
}

/** The one choice that begins with the text. */
function findBegun(text: string, choices: readonly string[]): string | undefined {
  const begun = text.length < 3 ? [] : choices.filter(choice => choice.startsWith(text))
  return begun.length === 1 ? begun[0] : undefined
}

/** Returns the key that is meant, if one is near. */
function addUnknownKey(
  path: Path,
  key: string,
  words: FieldWords,
  tree: YamlTree,
  problems: ProblemList,
): string | undefined {
  const prefix = formatPath(path)
  const begin = prefix === '' ? '' : `${prefix}.`
  const known = Object.keys(words)
    .filter(name => name.startsWith(begin) && name !== '' && name !== prefix)
    .map(name => name.slice(begin.length))
    .filter(name => !/[.[*]/.test(name))
  const meant =
    known.find(name => words[begin + name]?.aliases?.includes(key.toLowerCase())) ?? findNearest(key, known)
  problems.add(tree.locateKey(path, key), `unknown key "${key}"`, {
    help: meant === undefined ? `known keys: ${known.join(', ')}` : `did you mean "${meant}"?`,
  })
  return meant
}

/** ` in task "sweep"`, if the mapping at `path` has an id to call it by. */
function describeOwner(tree: YamlTree, path: Path): string {
  const owner = valueAt(tree.value, path)
  if (typeof owner !== 'object' || owner === null || path.length === 0) return ''
  const { id } = owner as { id?: unknown }
  const noun = path.length === 1 ? 'schedule' : 'task'
  return typeof id === 'string' ? ` in ${noun} "${id}"` : ''
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = Object.hasOwn(current, step) ? (current as Record<string | number, unknown>)[step] : undefined
  }
  return current
}
