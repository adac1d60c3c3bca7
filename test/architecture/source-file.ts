// A source file as the architecture tests see it: its syntax tree, its imports, its comments. Reads, never judges.
//
//   - The tree comes from vite's parser (vitest brings it): text search would stumble over strings and comments.
//   - Paths are relative to the repository's root, with forward slashes.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A node of the tree, as loosely as the rules need it. */
export interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

export interface Import {
  /** As it is written. */
  readonly specifier: string
  /** The file it means (`src/core/ids.ts`); undefined for a package. */
  readonly target: string | undefined
  /** True if nothing of it is left at run time. */
  readonly isType: boolean
  readonly isDynamic: boolean
  readonly line: number
}

export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly program: Node
  readonly comments: readonly { value: string; start: number; end: number }[]
  readonly imports: readonly Import[]
  /** Files named by `new URL('…', import.meta.url)`: what a worker or a child process starts with. */
  readonly references: readonly string[]
  readonly isTest: boolean
  lineAt(offset: number): number
}

/** A rule that was broken, at a place. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Every TypeScript file under a folder of the repository; none if the folder does not exist. */
export function readSources(folder: string): SourceFile[] {
  const directory = join(ROOT, folder)
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map(name => posix.join(folder, name.replaceAll('\\', '/')))
    .filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .map(path => parseSource(path, readFileSync(join(ROOT, path), 'utf8')))
}

/**
 * @throws Error naming the file if it is not TypeScript
 */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length
  const root = program as unknown as Node
  const imports: Import[] = []
  const references: string[] = []
  const resolve = (specifier: string) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined
  walk(root, node => {
    const specifier = importedBy(node)
    if (specifier !== undefined) {
      imports.push({
        specifier,
        target: resolve(specifier),
        isType: isTypeOnly(node),
        isDynamic: node.type === 'ImportExpression',
        line: lineAt(node.start),
      })
    }
    const reference = referredBy(node)
    if (reference !== undefined) references.push(resolve(reference) ?? reference)
  })
  const isTest = /\.test\.ts$/.test(path) || path.startsWith('test/')
  return { path, text, program: root, comments, imports, references, isTest, lineAt }
}

/** Calls `visit` for a node and everything below it; `parents` lead from the root to it. */
export function walk(
  node: Node,
  visit: (node: Node, parents: readonly Node[]) => void,
  parents: readonly Node[] = [],
): void {
  visit(node, parents)
  const below = [...parents, node]
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, below)
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

/** The text of a string literal, or of a template without holes. */
export function literalText(value: unknown): string | undefined {
  if (!isNode(value)) return undefined
  if (value.type === 'Literal' && typeof value['value'] === 'string') return value['value']
  return undefined
}

/** `a.b.c` for a chain of plain names, else undefined. */
export function dottedName(value: unknown): string | undefined {
  if (!isNode(value)) return undefined
  if (value.type === 'Identifier') return value['name'] as string
  if (value.type === 'ThisExpression') return 'this'
  if (value.type === 'MetaProperty') return 'import.meta'
  if (value.type !== 'MemberExpression' || value['computed'] === true) return undefined
  const object = dottedName(value['object'])
  const property = dottedName(value['property'])
  return object === undefined || property === undefined ? undefined : `${object}.${property}`
}

/** Violations as lines that a terminal makes clickable. */
export function listOf(violations: readonly Violation[]): string[] {
  return violations.map(({ path, line, message }) => `${path}:${line}: ${message}`)
}

function importedBy(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literalText(node['source']) ?? literalText(node['argument'])
    default:
      return undefined
  }
}

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType') return true
  // `import { type A }` keeps the import at run time under verbatimModuleSyntax: it is not type-only.
  return node['importKind'] === 'type' || node['exportKind'] === 'type'
}

function referredBy(node: Node): string | undefined {
  if (node.type !== 'NewExpression' || dottedName(node['callee']) !== 'URL') return undefined
  const [path, base] = node['arguments'] as unknown[]
  return dottedName(base) === 'import.meta.url' ? literalText(path) : undefined
}
