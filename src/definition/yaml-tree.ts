// YAML text → a plain JSON value and the place of every part of it. Refuses what no definition needs.
//
//   Y1. Nothing here throws, whatever the text holds; what is wrong is in the problem list, with its place.
//   Y2. Bounded: nesting (definition/yaml-document.ts), and the expansion of aliases by MAX_EXPANDED values, long texts
//       counting as several. Linear in the text: keys are compared through a map, not pairwise as the library does.
//   Y3. The value is built by copy: JSON types only, ordinary objects, never a key `__proto__`, `constructor` or
//       `prototype`. Of duplicate keys the first one counts.
//   Y4. A text with syntax errors has no value: what it would be read as is a guess.

import { setImmediate } from 'node:timers/promises'
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { Json, JsonObject } from '../core/json.ts'
import type { ProblemList } from './problem.ts'
import type { Span } from './source-text.ts'
import { composeDocument, LARGE_TEXT } from './yaml-document.ts'

const MAX_EXPANDED = 100_000

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

export type Path = readonly (string | number)[]

/** The value of a file and the places of its parts. */
export interface YamlTree {
  readonly value: Json
  /** The place of a value; of the nearest part above it that exists, if it does not. Mappings: their first key. */
  locate(path: Path): Span
  /** The place of a key of the mapping at `path`. */
  locateKey(path: Path, key: string): Span
  /** The source text between the quotes stands at this offset; undefined if the text was folded or escaped. */
  textOffset(path: Path): number | undefined
}

/** Reads a text; undefined if it has no value (empty, or not YAML as we want it), and then a problem says why. */
export async function readYaml(problems: ProblemList): Promise<YamlTree | undefined> {
  const { text } = problems.source
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text)
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    problems.add(
      { start: control.index, end: control.index + 1 },
      `expected text, got the control character U+${code}`,
      { help: 'remove it; inside double quotes it can be written as an escape' },
    )
    return undefined
  }
  try {
    const document = await composeDocument(text, problems)
    if (!document || problems.errorCount > 0 || !document.contents) return undefined
    if (text.length > LARGE_TEXT) await setImmediate()
    const tree = new TreeReader(document.contents, problems).read()
    if (text.length > LARGE_TEXT) await setImmediate()
    return tree
  } catch (error) {
    // The library gave up, which MAX_DEPTH should not let happen; a file must not stop the others all the same.
    problems.add(
      { start: 0, end: 1 },
      `YAML could not be read: ${error instanceof Error ? error.message : error}`,
    )
    return undefined
  }
}

class TreeReader {
  readonly #root: ParsedNode
  readonly #problems: ProblemList
  /** What an alias of a finished anchor stands for, and how many values that is. */
  readonly #anchors = new Map<string, { node: Node; value: Json; size: number }>()
  readonly #aliases = new Map<Node, Node>()
  readonly #openAnchors = new Set<string>()
  /** Where values with an unknown tag begin. */
  readonly #tagged: number[] = []
  /** Values so far, those behind aliases included; long texts count as several. */
  #size = 0
  /** Of these, the ones behind aliases: the text bounds the others. */
  #expanded = 0

  constructor(root: ParsedNode, problems: ProblemList) {
    this.#root = root
    this.#problems = problems
  }

  read(): YamlTree | undefined {
    const value = this.#convert(this.#root)
    this.#problems.settle(this.#tagged)
    if (this.#expanded > MAX_EXPANDED) return undefined
    const { text } = this.#problems.source
    return {
      value,
      locate: path => this.#placeOf(this.#find(path).node),
      locateKey: (path, key) => this.#placeOfKey(path, key),
      textOffset: path => {
        const { node, found } = this.#find(path)
        if (!found || !isScalar(node) || typeof node.value !== 'string' || !node.range) return undefined
        const [start] = node.range
        const offset = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? start + 1 : start
        return text.startsWith(node.value, offset) ? offset : undefined
      },
    }
  }

  #convert(node: Node): Json {
    const sizeBefore = this.#size
    const anchor = isAlias(node) ? undefined : (node as Scalar).anchor
    if (anchor === undefined) return this.#convertNode(node)
    this.#openAnchors.add(anchor)
    const value = this.#convertNode(node)
    this.#openAnchors.delete(anchor)
    this.#anchors.set(anchor, { node, value, size: this.#size - sizeBefore })
    return value
  }

  #convertNode(node: Node): Json {
    this.#size++
    if (isAlias(node)) return this.#resolveAlias(node, node.source)
    this.#refuseTag(node)
    if (isMap(node)) return this.#convertMap(node)
    if (isSeq(node)) return node.items.map(item => (isNode(item) ? this.#convert(item) : null))
    return isScalar(node) ? this.#convertScalar(node) : null
  }

  #resolveAlias(node: Node, name: string): Json {
    if (this.#openAnchors.has(name)) {
      this.#add(node, `the anchor "${name}" contains itself`, 'write the value out')
      return null
    }
    const anchor = this.#anchors.get(name)
    if (!anchor) {
      this.#add(
        node,
        `unknown anchor "${name}": nothing above is marked with &${name}`,
        'write the value out',
      )
      return null
    }
    const before = this.#expanded
    this.#size += anchor.size
    this.#expanded += anchor.size
    if (before <= MAX_EXPANDED && this.#expanded > MAX_EXPANDED)
      this.#add(node, `aliases expand to more than ${MAX_EXPANDED} values`, 'write out what is meant')
    this.#aliases.set(node, anchor.node)
    return anchor.value
  }

  #convertMap(map: YAMLMap): JsonObject {
    const object: JsonObject = {}
    const places = new Map<string, Node>()
    for (const { key, value } of map.items) {
      const node = isNode(value) ? value : undefined
      if (!isNode(key)) continue
      if (isMap(key) && map.flow) {
        this.#tellTemplate(map)
        return object
      }
      const name = this.#readKey(key)
      if (name === undefined) {
        if (node) this.#convert(node)
        continue
      }
      const first = places.get(name)
      if (first) {
        const { line } = this.#problems.source.positionAt(first.range?.[0] ?? 0)
        this.#add(key, `duplicate key "${name}", first on line ${line}`, 'keep one of them')
        if (node) this.#convert(node)
        continue
      }
      places.set(name, key)
      object[name] = node ? this.#convert(node) : null
    }
    return object
  }

  #readKey(key: Node): string | undefined {
    if (isAlias(key) || !isScalar(key)) {
      this.#add(key, 'expected a plain key, got a list, a mapping or an alias', 'write the key as text')
      return undefined
    }
    this.#refuseTag(key)
    const name = typeof key.value === 'string' ? key.value : (key.source ?? '')
    if (name === '') {
      this.#add(key, 'expected a key before ":", got nothing', 'write the key')
      return undefined
    }
    if (FORBIDDEN_KEYS.has(name)) {
      this.#add(key, `the key "${name}" is not allowed anywhere`, 'choose another name')
      return undefined
    }
    if (name === '<<') {
      this.#add(
        key,
        'merge keys ("<<") are not supported',
        'write the keys out; an alias can stand as a whole value',
      )
      return undefined
    }
    return name
  }

  #convertScalar(node: Scalar): Json {
    const { value, source = '' } = node
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) {
        this.#add(node, `expected a finite number, got ${source}`, `quote it if it is text: "${source}"`)
        return 0
      }
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        this.#add(node, `the number ${source} is too large to be exact`, `quote it: "${source}"`)
        return 0
      }
      if (/^[-+]?0\d/.test(source) && node.type === 'PLAIN')
        this.#problems.add(this.#placeOf(node), `${source} is read as the number ${value}`, {
          severity: 'warning',
          help: `quote it to keep the zeros: "${source}"`,
        })
      return value
    }
    if (typeof value === 'string') this.#size += value.length >> 5
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    this.#add(node, 'expected text, a number, true, false or null', 'quote the value')
    return null
  }

  #refuseTag(node: Node): void {
    const { tag } = node as Scalar
    if (
      tag === undefined ||
      tag === '!' ||
      /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/.test(tag)
    )
      return
    const shown = tag.replace('tag:yaml.org,2002:', '!!')
    const start = this.#findTag(node, shown)
    this.#tagged.push(this.#placeOf(node).start)
    this.#problems.add(
      start === undefined ? this.#placeOf(node) : { start, end: start + shown.length },
      `the tag ${shown} is not supported`,
      { help: 'remove the tag; values are text, numbers, true, false, null, lists and mappings' },
    )
  }

  #findTag(node: Node, shown: string): number | undefined {
    const start = node.range?.[0] ?? 0
    const at = this.#problems.source.text.lastIndexOf(shown, start)
    return at !== -1 && start - at < shown.length + 80 ? at : undefined
  }

  #tellTemplate(map: YAMLMap): void {
    const [start = 0, end = start + 1] = map.range ?? []
    const { text } = this.#problems.source
    const written = text.slice(start, end).split('\n')[0]!.trimEnd()
    this.#problems.add({ start, end }, `expected a value, got ${written}, which YAML reads as a mapping`, {
      help: `quote the template: "${written}"`,
    })
  }

  #add(node: Node, message: string, help: string): void {
    this.#problems.add(this.#placeOf(node), message, { help })
  }

  #find(path: Path): { node: Node; found: boolean } {
    let node: Node = this.#root
    for (const step of path) {
      const next = this.#step(node, step)
      if (!next) return { node, found: false }
      node = next
    }
    return { node, found: true }
  }

  #step(node: Node, step: string | number): Node | undefined {
    const target = this.#aliases.get(node) ?? node
    if (isSeq(target)) {
      const item = target.items[Number(step)]
      return isNode(item) ? item : undefined
    }
    if (!isMap(target)) return undefined
    const pair = target.items.find(({ key }) => isScalar(key) && keyName(key) === step)
    // A key without a value is shown at the key.
    if (!isNode(pair?.value) || isEmptyScalar(pair.value)) return isNode(pair?.key) ? pair.key : undefined
    return pair.value
  }

  #placeOfKey(path: Path, key: string): Span {
    const { node } = this.#find(path)
    const target = this.#aliases.get(node) ?? node
    const pair = isMap(target)
      ? target.items.find(item => isScalar(item.key) && keyName(item.key) === key)
      : undefined
    return this.#placeOf(isNode(pair?.key) ? pair.key : node)
  }

  #placeOf(node: Node): Span {
    if (isMap(node) && !node.flow) {
      const key = node.items[0]?.key
      if (isNode(key) && !isMap(key)) return this.#placeOf(key)
    }
    const [start = 0, end = start + 1] = node.range ?? []
    return { start, end: Math.max(end, start) }
  }
}

function keyName(key: Scalar): string {
  return typeof key.value === 'string' ? key.value : (key.source ?? '')
}

function isEmptyScalar(node: Node): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === ''
}
