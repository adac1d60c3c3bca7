// Vars: what `{{vars.name}}` stands for in a manifest. The values of `default.yaml`, overlaid by those of the environment.
//
//   V1. A text that is nothing but the mark takes the value as it is; in a longer text stands a text, a number, true or
//       false.
//   V2. It is done once, before anything is checked: what was filled in is not looked through for marks again, and other
//       marks stay as they are.
//   V3. Bounded: what is filled into one file has at most FILLED_MAX characters.
//   V4. While a file of vars is wrong nobody knows what is missing: then nothing is said of unknown ones.

import { findMarks, type PlacedMark } from '../core/condition/occasion.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import { describeValue } from './expected-words.ts'
import type { ProblemList } from './problem.ts'
import type { Span } from './source-text.ts'
import { viewTree } from './tree-view.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

export const DEFAULT_ENVIRONMENT = 'default'

/** One name of a var: those with dots are mappings in mappings. */
export const VAR_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/
export const VAR_NAME_WORDS = 'a name (letters, digits, "_", "-"; a letter or "_" first)'

const FILLED_MAX = 1_000_000
/** Names that a help line is looked for among. */
const NAMES_MAX = 2_000

export interface Vars {
  readonly environment: string
  readonly values: JsonObject
  /** The files that a value may come from, as people see them, whether or not they are there. */
  readonly files: readonly string[]
  /** False while something is wrong with one of them. */
  readonly areKnown: boolean
  /** Equal for equal values of the same environment. */
  readonly key: string
}

export const NO_VARS: Vars = {
  environment: DEFAULT_ENVIRONMENT,
  values: {},
  files: ['configs/vars/default.yaml'],
  areKnown: true,
  key: '',
}

/** A mapping is laid over a mapping name by name; anything else takes the place of what was there. */
export function overlay(below: JsonObject, above: JsonObject): JsonObject {
  const values = { ...below }
  for (const [name, value] of Object.entries(above)) {
    const under = values[name]
    values[name] = isJsonObject(under) && isJsonObject(value) ? overlay(under, value) : value
  }
  return values
}

/** True for the name of a mark that means a var, also a wrong one. */
export function isVarMark(name: string): boolean {
  return name === 'vars' || name.startsWith('vars.')
}

export interface Filled {
  readonly tree: YamlTree
  /** There is a mark of a var. */
  readonly asksVars: boolean
  /** Every mark of a var was filled in. */
  readonly isWhole: boolean
}

/** The tree with its vars filled in. Unknown ones are problems, and all there is to say about their texts. */
export function fillVars(tree: YamlTree, vars: Vars, problems: ProblemList): Filled {
  const filler = new Filler(tree, vars, problems)
  const value = filler.fill(tree.value, [])
  for (const [path, filled] of filler.filled)
    problems.note(tree.locate(path).start, `with its vars filled in it is ${describeValue(filled)}`)
  problems.settle(filler.unfilled.map(path => tree.locate(path).start))
  const view = viewTree(tree, value, path => path)
  const offset = (path: Path) => (filler.isMoved(path) ? undefined : tree.textOffset(path))
  const asksVars = filler.marks > 0
  return { tree: { ...view, textOffset: offset }, asksVars, isWhole: filler.unfilled.length === 0 }
}

class Filler {
  readonly #tree: YamlTree
  readonly #vars: Vars
  readonly #problems: ProblemList
  readonly #moved = new Set<string>()
  #characters = 0
  marks = 0
  readonly unfilled: Path[] = []
  readonly filled: [path: Path, value: Json][] = []

  constructor(tree: YamlTree, vars: Vars, problems: ProblemList) {
    this.#tree = tree
    this.#vars = vars
    this.#problems = problems
  }

  /** True for a text that is not as it stands in the file. */
  isMoved(path: Path): boolean {
    return this.#moved.has(JSON.stringify(path))
  }

  fill(value: Json, path: Path): Json {
    if (typeof value === 'string') return value.includes('{{') ? this.#fillText(value, path) : value
    if (Array.isArray(value)) return value.map((item, index) => this.fill(item, [...path, index]))
    if (!isJsonObject(value)) return value
    const filled: JsonObject = {}
    for (const [key, item = null] of Object.entries(value)) filled[key] = this.fill(item, [...path, key])
    return filled
  }

  #fillText(text: string, path: Path): Json {
    const marks = findMarks(text).filter(({ name }) => isVarMark(name))
    if (marks.length === 0) return text
    this.marks += marks.length
    this.#moved.add(JSON.stringify(path))
    const [only] = marks
    if (text.trim() === text.slice(only!.start, only!.end)) {
      const value = this.#look(only!, path)
      return value === undefined ? this.#leave(text, path) : this.#put(value, path)
    }
    let filled = ''
    let from = 0
    let isWhole = true
    for (const mark of marks) {
      const value = this.#look(mark, path)
      if (value === null || typeof value === 'object')
        this.#problems.add(
          this.#placeOf(mark, path),
          `expected a text, a number, true or false for "{{${mark.name}}}" in a longer text, got ${describeValue(value)}`,
          { help: 'let the mark be the whole text, or give the var such a value' },
        )
      if (value === undefined || typeof value === 'object') isWhole = false
      filled += text.slice(from, mark.start) + String(value)
      from = mark.end
    }
    return isWhole ? this.#put(filled + text.slice(from), path) : this.#leave(text, path)
  }

  #put(value: Json, path: Path): Json {
    this.filled.push([path, value])
    return value
  }

  #leave(text: string, path: Path): string {
    this.unfilled.push(path)
    return text
  }

  #look(mark: PlacedMark, path: Path): Json | undefined {
    const { values, areKnown, files } = this.#vars
    const name = mark.name.slice('vars.'.length)
    const value = name === '' ? undefined : lookUp(values, name)
    if (value === undefined) {
      if (areKnown)
        this.#problems.add(this.#placeOf(mark, path), `unknown var "${name}"`, {
          help: () => suggestVar(name, values, files),
        })
      return undefined
    }
    this.#characters += typeof value === 'string' ? value.length : JSON.stringify(value).length
    if (this.#characters <= FILLED_MAX) return value
    this.#problems.add(
      this.#placeOf(mark, path),
      `the vars of this file come to more than ${FILLED_MAX} characters`,
      { help: 'put the data into a file and pass its path' },
    )
    return undefined
  }

  #placeOf({ start, end }: PlacedMark, path: Path): Span {
    const offset = this.#tree.textOffset(path)
    return offset === undefined ? this.#tree.locate(path) : { start: offset + start, end: offset + end }
  }
}

function lookUp(values: JsonObject, name: string): Json | undefined {
  let value: Json | undefined = values
  for (const step of name.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}

function suggestVar(name: string, values: JsonObject, files: readonly string[]): string {
  const names = [...namesOf(values)].slice(0, NAMES_MAX)
  const near = findNearest(name, names)
  const where = `looked in ${files.join(' and ')}`
  if (near !== undefined) return `did you mean "{{vars.${near}}}"? ${where}`
  const shown = names.length > 12 ? [...names.slice(0, 12), '…'] : names
  return names.length === 0 ? `there are no vars: ${where}` : `vars: ${shown.join(', ')}; ${where}`
}

function* namesOf(values: JsonObject, prefix = ''): Generator<string> {
  for (const [name, value] of Object.entries(values)) {
    if (isJsonObject(value)) yield* namesOf(value, `${prefix}${name}.`)
    else yield `${prefix}${name}`
  }
}
