// Documents tell the truth about the code: every error code has its page and every page its code, every link leads
// somewhere, every architecture decision has its parts.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  dottedName,
  isNode,
  listOf,
  literalText,
  type Node,
  parseSource,
  ROOT,
  readSources,
  type SourceFile,
  type Violation,
  walk,
} from './source-file.ts'

const ERRORS = 'docs/errors'

/** Files that pass on a code that they were given: the code itself stands elsewhere. */
const PASSES_ON: Readonly<Record<string, string>> = {
  'src/api/wire.ts': 'an error comes out of the socket as it went in',
}

/** Codes that are no page's: nothing that people could do anything about. */
const WITHOUT_PAGE = new Set(['INTERNAL'])

describe('errors', () => {
  const source = readSources('src').filter(({ isTest }) => !isTest)
  const raised = collectCodes(source)
  const pages = existsSync(join(ROOT, ERRORS))
    ? readdirSync(join(ROOT, ERRORS)).map(name => name.replace(/\.md$/, ''))
    : []

  test('there are errors to look at', () => {
    expect(raised.codes.size).toBeGreaterThan(20)
  })

  test('every code is written where it is raised, so that it can be found', () => {
    expect(listOf(raised.unclear)).toEqual([])
  })

  test('every code has its page', () => {
    const missing = [...raised.codes].filter(([code]) => !pages.includes(code) && !WITHOUT_PAGE.has(code))
    expect(
      missing.map(([code, { path, line }]) => `${path}:${line}: ${ERRORS}/${code}.md is missing`),
    ).toEqual([])
  })

  test('every page has its code', () => {
    expect(pages.filter(code => code !== 'README' && !raised.codes.has(code))).toEqual([])
  })

  test('a page begins with its code and says what, why and what now', () => {
    const bad = pages.flatMap(code => {
      const text = readFileSync(join(ROOT, ERRORS, `${code}.md`), 'utf8')
      if (code === 'README') return []
      if (!text.startsWith(`# ${code}\n`)) return [`${code}.md does not begin with "# ${code}"`]
      return text.split(/\s+/).length < 25 ? [`${code}.md says too little`] : []
    })
    expect(bad).toEqual([])
  })
})

describe('links', () => {
  const documents = listDocuments()

  test('there are documents to look at', () => {
    expect(documents).toContain('README.md')
  })

  test('every link leads somewhere', () => {
    expect(
      listOf(documents.flatMap(path => findBrokenLinks(path, readFileSync(join(ROOT, path), 'utf8')))),
    ).toEqual([])
  })
})

describe('commands', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

  test('every npm script that a document names is there', () => {
    const missing = listDocuments().flatMap(path =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)]
        .filter(([, name = '']) => !(name in scripts))
        .map(([words]) => `${path}: ${words}`),
    )
    expect(missing).toEqual([])
  })

  test("the README's plan is what the scheduler prints", () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const [, words = '', output = ''] =
      /\$ npm run --silent scheduler -- (run .* --dry-run)\n([\s\S]*?)\n\n\$/.exec(readme) ?? []
    const door = join(ROOT, 'bin/scheduler.js')
    const { status, stdout } = spawnSync(process.execPath, [door, ...words.split(' ')], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect({ status, stdout: stdout.trimEnd() }).toEqual({ status: 0, stdout: output })
    expect(output).toContain("DRY RUN: DAG 'weekly_ops_chain'")
  })
})

describe('the map', () => {
  test('ARCHITECTURE.md names every folder of src/', () => {
    const map = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
    const folders = new Set(readSources('src').map(({ path }) => posix.dirname(path)))
    const missing = [...folders].filter(folder => {
      const inside = folder.replace(/^src\//, '')
      return (
        folder !== 'src' &&
        folder !== 'src/adapters' &&
        !map.includes(`\`${inside}/\``) &&
        !map.includes(`\`${folder}/\``)
      )
    })
    expect(missing).toEqual([])
  })

  test('and nothing that is not there', () => {
    const map = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
    const named = [
      ...map.matchAll(
        /`((?:core|adapters|cli|daemon|api|src|test|bench|deploy|schemas|scripts)\/[\w./-]*)`/g,
      ),
    ]
    const paths = named.map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(25)
    expect(
      paths.filter(path => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, 'src', path))),
    ).toEqual([])
  })
})

describe('decisions', () => {
  const files = existsSync(join(ROOT, 'docs/adr')) ? readdirSync(join(ROOT, 'docs/adr')).sort() : []

  test('are numbered without a hole', () => {
    const records = files.filter(name => /^\d{4}-[a-z0-9-]+\.md$/.test(name))
    expect(records.map(name => Number(name.slice(0, 4)))).toEqual(records.map((_, index) => index + 1))
    expect(files.filter(name => !records.includes(name) && name !== 'README.md')).toEqual([])
  })

  test('say their context, choice, cost, and what would change our mind', () => {
    const parts = ['## Context', '## Choice', '## Given up', '## What would change our mind']
    const bad = files
      .filter(name => name !== 'README.md')
      .flatMap(name => {
        const text = readFileSync(join(ROOT, 'docs/adr', name), 'utf8')
        return parts
          .filter(part => !text.includes(`\n${part}\n`))
          .map(part => `${name}: "${part}" is missing`)
      })
    expect(bad).toEqual([])
  })
})

describe('the rules bite', () => {
  const written = (text: string) => parseSource('src/daemon/a.ts', text)

  test('codes are found where they are raised', () => {
    const { codes, unclear } = collectCodes([
      written(`throw new DagbokError('A_ONE', 'x')
        class B extends DagbokError { constructor() { super('B_TWO', 'x') } }
        class C extends B { constructor() { super('no code') } }
        throw new DagbokError(full ? 'C_THREE' : 'D_FOUR', 'x')
        throw new DagbokError(code, 'x')
        function refuse(code, message) { return new DagbokError(code, message) }
        throw refuse('E_FIVE', 'x')`),
    ])
    expect([...codes.keys()]).toEqual(['A_ONE', 'B_TWO', 'C_THREE', 'D_FOUR', 'E_FIVE'])
    expect(unclear).toHaveLength(1)
  })

  test('a link that leads nowhere, to a file or to a heading', () => {
    const find = (text: string) => findBrokenLinks('docs/a.md', text).length
    expect(find('[x](no-such-page.md)')).toBe(1)
    expect(find('[x](../package.json) [y](https://example.org) [z](mailto:a@example.org)')).toBe(0)
    expect(find('# One word\n[x](#one-word) [y](#two-words)')).toBe(1)
    expect(find('```\n[x](no-such-page.md)\n```\n`[x](no.md)`')).toBe(0)
    expect(find('```\n# not a heading\n```\n[x](#not-a-heading)')).toBe(1)
  })
})

interface Codes {
  readonly codes: Map<string, { path: string; line: number }>
  readonly unclear: Violation[]
}

/** Codes given to DagbokError and to the classes that extend it. */
function collectCodes(source: readonly SourceFile[]): Codes {
  const codes = new Map<string, { path: string; line: number }>()
  const unclear: Violation[] = []
  for (const { path, program, lineAt } of source) {
    if (path === 'src/core/error.ts') continue
    const forwarders = findForwarders(program)
    walk(program, (node, parents) => {
      const [first] = (node['arguments'] ?? []) as unknown[]
      const isForwarder = node.type === 'CallExpression' && forwarders.has(dottedName(node['callee']) ?? '')
      const argument = isForwarder && isNode(first) ? first : codeArgument(node, parents)
      if (argument === undefined) return
      const place = { path, line: lineAt(node.start) }
      const texts = textsOf(argument)
      for (const text of texts) if (/^[A-Z][A-Z0-9_]+$/.test(text)) codes.set(text, codes.get(text) ?? place)
      const owner = dottedName(parents.findLast(({ type }) => type === 'FunctionDeclaration')?.['id'])
      const isForwarded = node.type === 'NewExpression' && owner !== undefined && forwarders.has(owner)
      const isClear = texts.length > 0 || isForwarded || path in PASSES_ON
      // A class that extends another may hand on what it was given; whoever makes it is looked at.
      if (node.type !== 'CallExpression' && !isClear) {
        unclear.push({ ...place, message: 'write the code out, so that it can be found and has a page' })
      }
    })
  }
  return { codes, unclear }
}

/** Functions of a file that hand their first parameter on as a code: `refuse('CODE', …)`. */
function findForwarders(program: Node): Set<string> {
  const names = new Set<string>()
  walk(program, (node, parents) => {
    const code = node.type === 'NewExpression' ? codeArgument(node, parents) : undefined
    const owner = parents.findLast(({ type }) => type === 'FunctionDeclaration')
    const [first] = (owner?.['params'] ?? []) as unknown[]
    const isHandedOn = code?.type === 'Identifier' && dottedName(first) === dottedName(code)
    if (isHandedOn) names.add(dottedName(owner?.['id']) ?? '')
  })
  return names
}

function codeArgument(node: Node, parents: readonly Node[]): Node | undefined {
  const [first] = (node['arguments'] ?? []) as unknown[]
  if (!isNode(first)) return undefined
  if (node.type === 'NewExpression') return dottedName(node['callee']) === 'DagbokError' ? first : undefined
  const callee = node['callee']
  if (node.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'Super') return undefined
  const owner = parents.findLast(({ type }) => type === 'ClassDeclaration' || type === 'ClassExpression')
  return dottedName(owner?.['superClass'])?.endsWith('Error') ? first : undefined
}

/** The texts that an expression may have: a literal, or either side of a choice. */
function textsOf(node: Node): string[] {
  if (node.type === 'ConditionalExpression') {
    return [node['consequent'], node['alternate']].flatMap(side => (isNode(side) ? textsOf(side) : []))
  }
  const text = literalText(node)
  return text === undefined ? [] : [text]
}

function listDocuments(): string[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .map(name => posix.join('docs', name.replaceAll('\\', '/')))
    .filter(path => path.endsWith('.md'))
  return [...readdirSync(ROOT).filter(name => name.endsWith('.md')), ...below].sort()
}

function findBrokenLinks(path: string, text: string): Violation[] {
  // Code is blanked, not removed: lines keep their numbers.
  const prose = text.replace(/^```[\s\S]*?^```|`[^`\n]*`/gm, code => code.replace(/[^\n]/g, ' '))
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(({ 1: link = '', index }) => {
    if (/^[a-z]+:/.test(link)) return []
    const [file = '', heading] = link.split('#')
    const target = file === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(file))
    const line = prose.slice(0, index).split('\n').length
    if (file !== '' && !existsSync(join(ROOT, target)))
      return [{ path, line, message: `${link}: no such file` }]
    if (heading === undefined || !target.endsWith('.md')) return []
    const known = headingsOf(file === '' ? text : readFileSync(join(ROOT, target), 'utf8'))
    return known.includes(heading) ? [] : [{ path, line, message: `${link}: no such heading` }]
  })
}

/** Anchors as GitHub makes them. */
function headingsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(({ 1: title = '' }) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}
