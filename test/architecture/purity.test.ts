// src/core is pure: what to do is a function of (definitions, state, now), so that the same code runs live, at boot,
// in `simulate`, in `explain` and in tests on a virtual clock (promise P7). Each finding names the replacement.

import { isBuiltin } from 'node:module'
import { describe, expect, test } from 'vitest'
import {
  dottedName,
  isNode,
  listOf,
  type Node,
  parseSource,
  readSources,
  type SourceFile,
  type Violation,
  walk,
} from './source-file.ts'

const TAKE_NOW = 'take the instant as a parameter (`now`)'
const TAKE_RANDOM = 'take `random: () => number` as a parameter; it is drawn once and journaled'
const LATER = 'return the instant at which something is due; the daemon has the only timer'
const RETURN_IT = 'return it; whoever calls decides what people see'
const ASK_PORT = 'ask for it through a port (src/ports), in a floor above'

/** Free names, and members of them, that core may not use. */
const IMPURE: Readonly<Record<string, string>> = {
  'Date.now': TAKE_NOW,
  'Temporal.Now': TAKE_NOW,
  performance: TAKE_NOW,
  'Math.random': TAKE_RANDOM,
  crypto: TAKE_RANDOM,
  setTimeout: LATER,
  setInterval: LATER,
  setImmediate: LATER,
  queueMicrotask: LATER,
  process: 'take the value as a parameter; config.ts is where the environment is read',
  console: RETURN_IT,
  fetch: ASK_PORT,
  Buffer: 'use Uint8Array and TextEncoder, which every JavaScript has',
  globalThis: 'name what you need, so that it can be seen',
  require: 'import it',
  Promise: 'core does not wait: return what is to be done, the daemon does it',
}

/** Readers of the host's zone or locale: the answer would differ between two machines. */
const HOST_MEMBERS: ReadonlyMap<string, string> = new Map([
  ...['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds'].flatMap(part => [
    [`get${part}`, `reads the host's time zone: use getUTC${part}, or core/time/zone.ts`] as const,
    [`set${part}`, `writes in the host's time zone: use setUTC${part}, or core/time/zone.ts`] as const,
  ]),
  ['getTimezoneOffset', "reads the host's time zone: use core/time/zone.ts"],
  ['toLocaleString', "depends on the host's locale and zone: use core/time/instant.ts"],
  ['toLocaleDateString', "depends on the host's locale and zone: use core/time/instant.ts"],
  ['toLocaleTimeString', "depends on the host's locale and zone: use core/time/instant.ts"],
  ['localeCompare', "depends on the host's locale: compare with < and >"],
])

/** Packages that are pure themselves, with what they are asked. */
const PURE_PACKAGES: Readonly<Record<string, string>> = {
  'cron-parser': 'reads and checks the fields of an expression',
  'temporal-polyfill': 'zones and calendars',
  '@marcbachmann/cel-js': 'conditions',
  cronstrue: 'an expression in words',
}

describe('purity', () => {
  const core = readSources('src/core').filter(({ isTest }) => !isTest)

  test('there is a core to look at', () => {
    expect(core.length).toBeGreaterThan(30)
  })

  test('core asks nothing of the world', () => {
    expect(listOf(core.flatMap(findImpurities))).toEqual([])
  })
})

describe('the rules bite', () => {
  test.each([
    [`import fs from 'node:fs'`, 'node:fs'],
    [`import { join } from 'path'`, 'path'],
    [`import PQueue from 'p-queue'`, 'p-queue'],
    ['const t = Date.now()', 'Date.now'],
    ['const t = new Date()', 'new Date()'],
    ['const t = Date()', 'Date()'],
    ['const t = new Date(2026, 0, 5)', 'new Date(2026'],
    ['const t = date.getHours()', 'getHours'],
    ['const t = Temporal.Now.instant()', 'Temporal.Now'],
    ['const r = Math.random()', 'Math.random'],
    ['setTimeout(f, 1)', 'setTimeout'],
    ['const p = process.env', 'process'],
    ['const { env } = process', 'process'],
    [`console.log('x')`, 'console'],
    ['async function f() {}', 'async'],
    ['const f = async () => {}', 'async'],
    ['const x = await y', 'await'],
    ['for await (const x of y) z(x); export {}', 'for await'],
    [`const x = import('./a.ts')`, 'import()'],
    ['const p = new Promise(f)', 'Promise'],
    ['const n = a.localeCompare(b)', 'localeCompare'],
  ])('%s is refused', (text, what) => {
    const found = findImpurities(parseSource('src/core/a.ts', text))
    expect(found.length).toBeGreaterThan(0)
    expect(found[0]?.message).toContain(what)
  })

  test.each([
    'const t = new Date(now)',
    'const t = Date.parse(text)',
    'const t = Date.UTC(2026, 0, 5)',
    'const x = task.process?.pid',
    'interface A { process: number; console: string }',
    'const x = { process: 1, performance: 2 }',
    'function f(process: { pid: number }) { return process.pid }',
    'const m = Math.floor(random() * 3)',
    '// Date.now() would be wrong here',
    `const s = 'await setTimeout'`,
    'const h = date.getUTCHours()',
  ])('%s is let through', text => {
    expect(findImpurities(parseSource('src/core/a.ts', text))).toEqual([])
  })
})

function findImpurities(source: SourceFile): Violation[] {
  const { path, lineAt } = source
  const found: Violation[] = []
  const say = (node: Node, what: string, remedy: string) =>
    found.push({ path, line: lineAt(node.start), message: `${what}: ${remedy}` })

  for (const { specifier, target, line } of source.imports) {
    if (target !== undefined) continue
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
    if (isBuiltin(specifier)) found.push({ path, line, message: `${specifier}: ${ASK_PORT}` })
    else if (!(name in PURE_PACKAGES)) {
      found.push({
        path,
        line,
        message: `${specifier}: only ${Object.keys(PURE_PACKAGES).join(', ')}; ${ASK_PORT}`,
      })
    }
  }

  const declared = declaredNames(source.program)
  walk(source.program, (node, parents) => {
    if (node['async'] === true) say(node, 'async', 'core does not wait')
    switch (node.type) {
      case 'AwaitExpression':
        return void say(node, 'await', 'core does not wait')
      case 'ForOfStatement':
        if (node['await'] === true) say(node, 'for await', 'core does not wait')
        return
      case 'ImportExpression':
        return void say(node, 'import()', 'it is a promise, and core does not wait: import at the top')
      case 'NewExpression':
        if (dottedName(node['callee']) !== 'Date' || declared.has('Date')) return
        return void sayDate(node, source, say)
      case 'CallExpression':
        if (dottedName(node['callee']) === 'Date') say(node, 'Date()', TAKE_NOW)
        return
      case 'MemberExpression': {
        const chain = dottedName(node)
        if (chain !== undefined && chain in IMPURE && !declared.has(chain.split('.')[0]!)) {
          say(node, chain, IMPURE[chain]!)
        }
        const member = node['computed'] === true ? undefined : dottedName(node['property'])
        const hosted = member === undefined ? undefined : HOST_MEMBERS.get(member)
        if (hosted !== undefined) say(node, member!, hosted)
        return
      }
      case 'Identifier': {
        const name = node['name'] as string
        if (name in IMPURE && !declared.has(name) && isUse(node, parents)) say(node, name, IMPURE[name]!)
        return
      }
    }
  })
  return found
}

function sayDate(
  node: Node,
  { text }: SourceFile,
  say: (node: Node, what: string, remedy: string) => void,
): void {
  const count = (node['arguments'] as unknown[]).length
  if (count === 0) say(node, 'new Date()', TAKE_NOW)
  if (count > 1) say(node, text.slice(node.start, node.end), "reads the host's time zone: use Date.UTC(…)")
}

/** Names that the file itself binds: its own `process` is no global. */
function declaredNames(program: Node): Set<string> {
  const names = new Set<string>()
  const bind = (pattern: unknown): void => {
    if (!isNode(pattern)) return
    if (pattern.type === 'Identifier') names.add(pattern['name'] as string)
    else if (pattern.type === 'AssignmentPattern') bind(pattern['left'])
    else if (pattern.type === 'RestElement') bind(pattern['argument'])
    else if (pattern.type === 'Property') bind(pattern['value'])
    else for (const part of childrenOf(pattern)) bind(part)
  }
  walk(program, node => {
    if (node.type === 'VariableDeclarator' || node.type.endsWith('FunctionDeclaration')) bind(node['id'])
    if (node.type === 'ClassDeclaration') bind(node['id'])
    if (node.type.startsWith('Import') && isNode(node['local'])) bind(node['local'])
    if (Array.isArray(node['params'])) for (const parameter of node['params']) bind(parameter)
  })
  return names
}

function childrenOf(pattern: Node): unknown[] {
  return [...((pattern['properties'] ?? pattern['elements'] ?? []) as unknown[])]
}

/** False where an identifier is only a name: of a member, a key, a type's field, a label. */
function isUse(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1)
  if (parent === undefined) return true
  if (parents.some(({ type }) => type.startsWith('TS') && !EXPRESSIONS.has(type))) return false
  if (parent.type === 'MemberExpression') return parent['object'] === node || parent['computed'] === true
  if ('key' in parent && parent['key'] === node)
    return parent['computed'] === true || parent['shorthand'] === true
  return true
}

/** Parts of TypeScript's syntax that are left at run time. */
const EXPRESSIONS = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'])
