// The habits of the house (CONTRIBUTING.md): every file says its job, has a fitting name and size, is used by somebody,
// leaves nothing undone, and does not touch what would do harm unseen.

import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  dottedName,
  listOf,
  literalText,
  parseSource,
  ROOT,
  readSources,
  type SourceFile,
  type Violation,
  walk,
} from './source-file.ts'

const LINES_MAX = 400
const TEST_LINES_MAX = 700

/** Files that are longer, each with its reason. One that has become shorter must leave the list. */
const LONGER: Readonly<Record<string, string>> = {
  'src/config.ts': 'every setting with its words, in one place',
  'scripts/generate-journal-schema.ts': 'one description of every event, which the compiler holds complete',
}

/** Where a program or a reader comes in: what none of these reaches is dead. */
const ENTRIES = ['src/index.ts', 'src/cli/main.ts', 'scripts/generate-schemas.ts']

/** Kept for those who test against the ports: the tests reach it, and users may. */
const FOR_TESTS = 'src/adapters/memory/'

const EMPTY_NAMES = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'types',
  'misc',
  'shared',
  'lib',
])

const source = readSources('src')
const everything = [
  ...source,
  ...['test', 'bench', 'scripts', 'workflows'].flatMap(folder => readSources(folder)),
]

describe('tidy', () => {
  test('there is something to look at', () => {
    expect(source.length).toBeGreaterThan(50)
  })

  test('every file opens with a comment that says its job', () => {
    expect(listOf(everything.flatMap(findSilent))).toEqual([])
  })

  test('no file has a name that says nothing', () => {
    expect(listOf(everything.flatMap(findEmptyName))).toEqual([])
  })

  test('no file is too long to read at once', () => {
    expect(listOf(everything.flatMap(findTooLong))).toEqual([])
  })

  test('a file that is listed as longer is longer', () => {
    const shorter = Object.keys(LONGER).filter(path => {
      const file = everything.find(candidate => candidate.path === path)
      return file === undefined || lengthOf(file) <= LINES_MAX
    })
    expect(shorter).toEqual([])
  })

  test('nothing is left to be done later', () => {
    expect(listOf(everything.flatMap(findUndone))).toEqual([])
  })

  test('no test is left out, and none runs alone', () => {
    expect(listOf(everything.flatMap(findLeftOut))).toEqual([])
  })

  test('relative imports end in .ts and lead somewhere', () => {
    expect(listOf(everything.flatMap(findLostImports))).toEqual([])
  })

  test('only SQLite opens lock.db', () => {
    expect(listOf(source.filter(({ isTest }) => !isTest).flatMap(findLockReaders))).toEqual([])
  })

  test('lines are split on byte 0x0A, never by readline', () => {
    expect(listOf(source.flatMap(findReadline))).toEqual([])
  })

  test('what runs depends on what package.json says, and on nothing else', () => {
    // Optional peers are asked for when they are needed, and missed politely.
    const { dependencies: own, peerDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    )
    const dependencies = { ...own, ...peerDependencies }
    const used = new Set(source.filter(({ isTest }) => !isTest).flatMap(packagesOf))
    expect({ missing: [...used].filter(name => !(name in dependencies)) }).toEqual({ missing: [] })
    expect({ unused: Object.keys(dependencies).filter(name => !used.has(name)) }).toEqual({ unused: [] })
  })

  test('no file is dead', () => {
    expect(findDead(source, everything)).toEqual([])
  })
})

describe('the rules bite', () => {
  const written = (text: string, path = 'src/daemon/a.ts') => parseSource(path, text)

  test('a file without a job', () => {
    expect(findSilent(written('export const a = 1'))).toHaveLength(1)
    expect(findSilent(written('// biome-ignore lint: x\nexport const a = 1'))).toHaveLength(1)
    expect(findSilent(written('// The loop: the only writer of the journal.\nexport const a = 1'))).toEqual(
      [],
    )
    expect(findSilent(written('#!/usr/bin/env node\n// The door of the command line.\n'))).toEqual([])
  })

  test('a name that says nothing', () => {
    expect(findEmptyName(written('', 'src/core/utils.ts'))).toHaveLength(1)
    expect(findEmptyName(written('', 'src/core/helpers/a.ts'))).toHaveLength(1)
    expect(findEmptyName(written('', 'src/core/ids.ts'))).toEqual([])
  })

  test('a file that is too long', () => {
    expect(findTooLong(written('x\n'.repeat(LINES_MAX)))).toEqual([])
    expect(findTooLong(written('x\n'.repeat(LINES_MAX + 1)))).toHaveLength(1)
    expect(findTooLong(written('x\n'.repeat(LINES_MAX + 1), 'src/core/a.test.ts'))).toEqual([])
  })

  test('what is left undone, in comments only', () => {
    expect(findUndone(written(`// ${'TO' + 'DO'}: later`))).toHaveLength(1)
    expect(findUndone(written(`const s = '${'TO' + 'DO'}'`))).toEqual([])
  })

  test('a test that is left out', () => {
    for (const text of [
      'test.only(f)',
      'describe.skip(f)',
      'it.todo(f)',
      'test.concurrent.only(f)',
      'test.fails(f)',
    ]) {
      expect(findLeftOut(written(text, 'src/core/a.test.ts'))).toHaveLength(1)
    }
    expect(findLeftOut(written('test.each([1])(f); list.skip(1)', 'src/core/a.test.ts'))).toEqual([])
  })

  test('an import that leads nowhere', () => {
    expect(findLostImports(written(`import { a } from './loop.js'`))).toHaveLength(1)
    expect(findLostImports(written(`import { a } from './no-such-file.ts'`))).toHaveLength(1)
    expect(findLostImports(written(`import { a } from './loop.ts'`))).toEqual([])
  })

  test('a stranger at the lock, and readline', () => {
    expect(findLockReaders(written(`readFileSync(join(dir, 'lock.db'))`))).toHaveLength(1)
    expect(findReadline(written(`import { createInterface } from 'node:readline/promises'`))).toHaveLength(1)
  })

  test('a package that is imported', () => {
    const text = `import a from '@x/y/z'; import fs from 'node:fs'; import { b } from './b.ts'; import('zod/v4')`
    expect(packagesOf(written(text))).toEqual(['@x/y', 'zod'])
  })

  test('a file that nobody reaches', () => {
    const files = [
      written(`import { b } from './b.ts'; new URL('./c.ts', import.meta.url)`, 'src/cli/main.ts'),
      written('', 'src/cli/b.ts'),
      written(`import type { D } from './d.ts'`, 'src/cli/c.ts'),
      written('', 'src/cli/d.ts'),
      written('', 'src/cli/dead.ts'),
      written(`import { dead } from './dead.ts'`, 'src/cli/dead.test.ts'),
      written('', 'src/adapters/memory/queue.ts'),
      written(`import { q } from '../../src/adapters/memory/queue.ts'`, 'test/contract/queue.test.ts'),
    ]
    const inSource = files.filter(({ path }) => path.startsWith('src/'))
    expect(findDead(inSource, files)).toEqual(['src/cli/dead.ts'])
  })
})

/** A unit test beside its file needs no words: its job is that file. */
function findSilent({ path, text, comments }: SourceFile): Violation[] {
  if (/^src\/.*\.test\.ts$/.test(path) && existsSync(join(ROOT, path.replace('.test.ts', '.ts')))) return []
  const start = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0
  const first = comments.find(comment => comment.start >= start)
  if (
    first?.start === start &&
    !/^\s*(?:biome-ignore|@ts-|eslint)/.test(first.value) &&
    first.value.length > 15
  ) {
    return []
  }
  return [{ path, line: 1, message: 'open the file with a comment that says its one job and its boundary' }]
}

function findEmptyName({ path }: SourceFile): Violation[] {
  const empty = path.split('/').find(part => EMPTY_NAMES.has(part.replace(/(?:\.test)?\.ts$/, '')))
  if (empty === undefined) return []
  return [{ path, line: 1, message: `"${empty}" says nothing: name the file after what it holds` }]
}

function lengthOf({ text }: SourceFile): number {
  return text.replace(/\n$/, '').split('\n').length
}

function findTooLong(file: SourceFile): Violation[] {
  const { path, isTest } = file
  const max = isTest ? TEST_LINES_MAX : LINES_MAX
  const lines = lengthOf(file)
  if (lines <= max || path in LONGER) return []
  return [
    { path, line: max + 1, message: `${lines} lines, at most ${max}: it has more than one job, split it` },
  ]
}

function findUndone({ path, comments, lineAt }: SourceFile): Violation[] {
  return comments.flatMap(({ value, start }) => {
    const word = /\b(?:TODO|FIXME|HACK|XXX)\b/.exec(value)?.[0]
    return word === undefined
      ? []
      : [{ path, line: lineAt(start), message: `${word}: do it now, or open an issue` }]
  })
}

function findLeftOut({ path, program, lineAt }: SourceFile): Violation[] {
  const found: Violation[] = []
  walk(program, node => {
    const chain = dottedName(node)?.split('.')
    if (chain === undefined || !['test', 'it', 'describe'].includes(chain[0]!)) return
    const word = chain.slice(1).find(part => ['only', 'skip', 'todo', 'fails'].includes(part))
    if (word === undefined || chain.at(-1) !== word) return
    found.push({ path, line: lineAt(node.start), message: `.${word}: every test runs, and all of them do` })
  })
  return found
}

function findLostImports({ path, imports }: SourceFile): Violation[] {
  return imports.flatMap(({ specifier, target, line }) => {
    if (target === undefined || target.endsWith('.json')) return []
    if (!target.endsWith('.ts')) return [{ path, line, message: `${specifier}: relative imports end in .ts` }]
    if (existsSync(join(ROOT, target))) return []
    return [{ path, line, message: `${specifier}: there is no ${target}` }]
  })
}

/** Closing any descriptor of a file drops the POSIX locks of its whole process: SQLite's too, and nobody would know. */
function findLockReaders({ path, program, lineAt }: SourceFile): Violation[] {
  if (path === 'src/adapters/sqlite/lock.ts') return []
  const found: Violation[] = []
  walk(program, node => {
    const text = literalText(node) ?? ''
    if (!/(?:^|\/)lock\.db$/.test(text)) return
    const message =
      'lock.db is opened by SQLite alone (src/adapters/sqlite/lock.ts): one read by others drops the lock'
    found.push({ path, line: lineAt(node.start), message })
  })
  return found
}

function findReadline({ path, imports }: SourceFile): Violation[] {
  return imports.flatMap(({ specifier, line }) =>
    /^(?:node:)?readline(?:\/promises)?$/.test(specifier)
      ? [
          {
            path,
            line,
            message: 'readline splits at U+2028 and hides a missing last line feed: split on byte 0x0A',
          },
        ]
      : [],
  )
}

function packagesOf({ imports }: SourceFile): string[] {
  return imports.flatMap(({ specifier, target }) => {
    if (target !== undefined || isBuiltin(specifier)) return []
    return [
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    ]
  })
}

function findDead(inSource: readonly SourceFile[], all: readonly SourceFile[]): string[] {
  const byPath = new Map(all.map(file => [file.path, file]))
  const reached = new Set<string>()
  const reach = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || reached.has(path)) return
    reached.add(path)
    for (const { target } of file.imports) if (target !== undefined) reach(target)
    for (const reference of file.references) reach(reference)
  }
  for (const entry of ENTRIES) reach(entry)
  for (const { path, imports, isTest } of all) {
    if (!isTest && path.startsWith('src/')) continue
    for (const { target } of imports) if (target?.startsWith(FOR_TESTS)) reach(target)
  }
  return inSource.filter(({ path, isTest }) => !isTest && !reached.has(path)).map(({ path }) => path)
}

describe('what starts the programs', () => {
  test('the binary leads to the command line', () => {
    const door = readFileSync(join(ROOT, 'bin/scheduler.js'), 'utf8')
    expect(door).toContain('../src/cli/main.ts')
    expect(ENTRIES).toContain(posix.normalize('bin/../src/cli/main.ts'))
  })
})
