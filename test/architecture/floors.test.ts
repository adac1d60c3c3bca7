// The house (ARCHITECTURE.md): an arrow only ever goes down, adapters do not know each other, only compose.ts names
// them, and nothing goes in a circle at run time. Test files may reach anywhere.

import { describe, expect, test } from 'vitest'
import { listOf, parseSource, readSources, type SourceFile, type Violation } from './source-file.ts'

/** Rooms by floor, from the ground up. A room is a folder of src/, or a file that lies in src/ itself. */
const FLOORS: readonly (readonly string[])[] = [
  ['core', 'config.ts', 'version.ts'],
  ['ports', 'definition', 'app', 'api'],
  ['daemon', 'worker', 'workflows', 'adapters', 'http'],
  ['compose.ts', 'composition'],
  ['cli', 'index.ts'],
]

/** Arrows between two rooms of the same floor, each with its reason. Everything else on one floor is refused. */
const SIDEWAYS: Readonly<Record<string, string>> = {
  'compose.ts → composition': 'the composition is one page and its parts',
  'config.ts → core': 'settings are read with the errors and durations of core; core knows no settings',
  'definition → ports': 'a definition is loaded into what the port promises: definitions or located problems',
}

describe('floors', () => {
  const sources = readSources('src').filter(({ isTest }) => !isTest)

  test('there is a house to look at', () => {
    expect(sources.length).toBeGreaterThan(50)
    expect(new Set(sources.map(({ path }) => roomOf(path)))).toContain('core')
  })

  test('every file is in a room of the house', () => {
    expect(listOf(sources.flatMap(findStrangers))).toEqual([])
  })

  test('an arrow only ever goes down', () => {
    expect(listOf(sources.flatMap(findUpwardArrows))).toEqual([])
  })

  test('adapters do not import each other', () => {
    expect(listOf(sources.flatMap(findAdapterPairs))).toEqual([])
  })

  test('only compose.ts names adapters', () => {
    expect(listOf(sources.flatMap(findNamedAdapters))).toEqual([])
  })

  test('nothing goes in a circle at run time', () => {
    expect(findCircles(sources)).toEqual([])
  })

  test('every arrow that goes sideways is still needed', () => {
    const seen = new Set(
      sources.flatMap(({ path, imports }) =>
        imports.flatMap(({ target }) =>
          target === undefined ? [] : [`${roomOf(path)} → ${roomOf(target)}`],
        ),
      ),
    )
    expect(Object.keys(SIDEWAYS).filter(arrow => !seen.has(arrow))).toEqual([])
  })
})

describe('the rules bite', () => {
  const written = (path: string, text: string) => parseSource(path, text)

  test.each([
    ['src/core/a.ts', `import { x } from '../ports/clock.ts'`],
    ['src/core/a.ts', `import type { X } from '../config.ts'`],
    ['src/daemon/a.ts', `export { x } from '../cli/b.ts'`],
    ['src/api/a.ts', `import type { X } from '../ports/clock.ts'`],
    ['src/worker/a.ts', `type X = import('../daemon/loop.ts').Loop`],
    ['src/daemon/a.ts', `const x = await import('../compose.ts')`],
  ])('%s may not say %s', (path, text) => {
    expect(findUpwardArrows(written(path, text))).toHaveLength(1)
  })

  test('what goes down is let through', () => {
    const text = `import { x } from '../core/a.ts'\nimport { y } from '../ports/b.ts'\nimport { z } from './c.ts'\nimport zod from 'zod'`
    expect(findUpwardArrows(written('src/daemon/a.ts', text))).toEqual([])
  })

  test('adapters that import each other, and rooms that name an adapter', () => {
    const adapter = written('src/adapters/jsonl/a.ts', `import type { X } from '../sqlite/b.ts'`)
    expect(findAdapterPairs(adapter)).toHaveLength(1)
    const own = written('src/adapters/jsonl/a.ts', `import type { X } from './b.ts'`)
    expect(findAdapterPairs(own)).toEqual([])
    const verb = written('src/cli/main.ts', `import { x } from '../adapters/jsonl/a.ts'`)
    expect(findNamedAdapters(verb)).toHaveLength(1)
    const house = written('src/compose.ts', `import { x } from './adapters/jsonl/a.ts'`)
    expect(findNamedAdapters(house)).toEqual([])
  })

  test('a circle is named by its path; one of types alone is none', () => {
    const circle = [
      written('src/core/a.ts', `import { b } from './b.ts'`),
      written('src/core/b.ts', `export * from './c.ts'`),
      written('src/core/c.ts', `import { a } from './a.ts'`),
    ]
    expect(findCircles(circle)).toEqual(['src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts'])
    const types = [
      written('src/core/a.ts', `import { b } from './b.ts'`),
      written('src/core/b.ts', `import type { A } from './a.ts'`),
    ]
    expect(findCircles(types)).toEqual([])
  })

  test('a folder that the house does not have', () => {
    expect(findStrangers(written('src/services/a.ts', ''))).toHaveLength(1)
  })
})

function roomOf(path: string): string {
  return path.split('/')[1] ?? path
}

function floorOf(room: string): number {
  return FLOORS.findIndex(rooms => rooms.includes(room))
}

function findStrangers({ path }: SourceFile): Violation[] {
  const room = roomOf(path)
  if (floorOf(room) >= 0) return []
  const message = `"${room}" is no room of the house: put the file into one of ${FLOORS.flat().join(', ')}`
  return [{ path, line: 1, message }]
}

function findUpwardArrows({ path, imports }: SourceFile): Violation[] {
  const from = roomOf(path)
  return imports.flatMap(({ target, line }) => {
    const to = target === undefined ? from : target.startsWith('src/') ? roomOf(target) : target
    if (to === from || floorOf(to) === -1) {
      const leaves = target !== undefined && !target.startsWith('src/') && target !== 'package.json'
      return leaves
        ? [{ path, line, message: `${target} is outside src/: nothing in the house may need it` }]
        : []
    }
    if (floorOf(to) < floorOf(from) || `${from} → ${to}` in SIDEWAYS) return []
    const where = `floor ${floorOf(from) + 1} → ${floorOf(to) + 1}`
    const remedy = 'move what both need further down, or ask for it through a port'
    return [{ path, line, message: `${from} may not import ${to} (${where}): ${remedy}` }]
  })
}

function adapterOf(path: string): string | undefined {
  return /^src\/adapters\/([^/]+)\//.exec(path)?.[1]
}

function findAdapterPairs({ path, imports }: SourceFile): Violation[] {
  const own = adapterOf(path)
  if (own === undefined) return []
  return imports.flatMap(({ target, line }) => {
    const other = target === undefined ? undefined : adapterOf(target)
    if (other === undefined || other === own) return []
    return [{ path, line, message: `adapters/${own} imports adapters/${other}: let compose.ts hand it over` }]
  })
}

function findNamedAdapters({ path, imports }: SourceFile): Violation[] {
  if (/^src\/(?:compose\.ts|composition\/)/.test(path) || adapterOf(path) !== undefined) return []
  return imports.flatMap(({ target, line }) => {
    if (target === undefined || adapterOf(target) === undefined) return []
    const message = `only compose.ts names adapters: ask for a port, and let compose.ts fill it (${target})`
    return [{ path, line, message }]
  })
}

/** One circle per first file that closes it, as `a → b → a`. */
function findCircles(sources: readonly SourceFile[]): string[] {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) circles.push([...trail.slice(at), path].join(' → '))
    if (at >= 0 || done.has(path)) return
    for (const { target, isType, isDynamic } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined && !isType && !isDynamic) visit(target, [...trail, path])
    }
    done.add(path)
  }
  for (const path of byPath.keys()) visit(path, [])
  return circles
}
