import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WatchedPaths } from '../../ports/path-watch.ts'
import { openGround, readDefinitionFile } from './definition-files.ts'
import { createDefinitionSource, DEFAULT_FOLDERS, type DefinitionFolders } from './definition-source.ts'

const DAG = 'name: d\ntasks:\n  - {id: a, workflow_ref: shell, params: {command: x}}\n'
const schedule = (id: string, dag = 'd') => `- id: ${id}\n  cron: "0 6 * * *"\n  dag: ${dag}\n`

let base = ''
let root = ''
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'dagbok-definitions-'))
  root = join(base, 'root')
  mkdirSync(root)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function write(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function open(folders: Partial<DefinitionFolders> = {}) {
  const watched: string[] = []
  const watch = async (paths: readonly string[]): Promise<WatchedPaths> => {
    watched.push(...paths)
    return { add: more => void watched.push(...more), close: async () => {} }
  }
  return { source: createDefinitionSource({ root, ...DEFAULT_FOLDERS, ...folders }, watch), watched }
}

async function load(folders: Partial<DefinitionFolders> = {}) {
  const result = await open(folders).source.load()
  const problems = result.ok ? result.warnings : result.problems
  const said = problems.map(each => `${each.file}:${each.line}:${each.column} ${each.message} | ${each.help}`)
  return { said, ids: result.ok ? [...result.definitions.schedules.keys()] : undefined, result }
}

describe('definition source on folders', () => {
  it('finds nothing, and nothing wrong, where there are no folders', async () => {
    expect(await load()).toMatchObject({ said: [], ids: [] })
  })

  it('calls a folder missing that someone named', async () => {
    expect((await load({ scheduleDirs: ['nowhere'], scheduleDirsAreNamed: true })).said).toEqual([
      'nowhere:1:1 no such folder | create it, or correct the path',
    ])
    write('afile', 'x')
    expect((await load({ scheduleDirs: ['afile'], scheduleDirsAreNamed: true })).said).toEqual([
      'afile:1:1 expected a folder, got a file | name the folder that holds the file',
    ])
  })

  it('reads *.yaml and *.yml of every folder, recursively, in sorted order, and nothing hidden', async () => {
    write('configs/dags/d.yaml', DAG)
    write('configs/schedules/b.yaml', schedule('b'))
    write('configs/schedules/a/z.yml', schedule('z'))
    write('configs/schedules/.swp.yaml', 'broken: [')
    write('configs/schedules/.git/x.yaml', 'broken: [')
    write('configs/schedules/readme.md', 'broken: [')
    write('more/m.yaml', schedule('m'))
    const { said, ids } = await load({ scheduleDirs: ['configs/schedules', 'more', 'configs/schedules/a'] })
    expect(said).toEqual([])
    expect(ids).toEqual(['z', 'b', 'm'])
  })

  it('knows the workflows of workflows/, by base name', async () => {
    for (const name of ['one.ts', 'two.mjs', 'one.test.ts', 'three.d.ts', 'lib/four.ts'])
      write(`workflows/${name}`, '')
    const tasks = ['one', 'two', 'three', 'four', 'one.test'].map(
      ref => `  - {id: ${ref}, workflow_ref: ${ref}}\n`,
    )
    write('configs/dags/d.yaml', `name: d\ntasks:\n${tasks.join('')}`)
    expect((await load()).said.map(each => each.split(' | ')[0])).toEqual([
      'configs/dags/d.yaml:5:31 RunnerError: Unknown workflow: three',
      'configs/dags/d.yaml:6:30 RunnerError: Unknown workflow: four',
      'configs/dags/d.yaml:7:34 RunnerError: Unknown workflow: one.test',
    ])
  })

  it('tells of a workflow that has two files, and of one that is built in', async () => {
    for (const name of ['one.ts', 'one.js', 'shell.ts']) write(`workflows/${name}`, '')
    expect((await load()).said).toEqual([
      'workflows/one.ts:1:1 the workflow "one" has two files, the other one is workflows/one.js | rename or remove one of them',
      'workflows/shell.ts:1:1 the workflow "shell" is built in: this file is never used | give the file another name',
    ])
  })

  it('reads a DAG outside the folder when a schedule names it, and watches it from then on', async () => {
    write('jobs/d.yaml', DAG)
    write('configs/schedules/s.yaml', schedule('s', 'jobs/d.yaml'))
    const { source, watched } = open()
    const stop = await source.watch(() => {})
    expect(watched).not.toContain(join(root, 'jobs/d.yaml'))
    expect(await source.load()).toMatchObject({ ok: true })
    expect(watched).toEqual([
      join(root, 'configs/schedules'),
      join(root, 'configs/dags'),
      join(root, 'configs/calendars'),
      join(root, 'configs/pools.yaml'),
      join(root, 'configs/notifications.yaml'),
      join(root, 'configs/vars'),
      join(root, 'workflows'),
      join(root, 'jobs/d.yaml'),
    ])
    await stop()
  })

  it('reads a DAG once, whatever path leads to it', async () => {
    write('configs/dags/d.yaml', DAG)
    write(
      'configs/schedules/s.yaml',
      schedule('s', 'configs/dags/d.yaml') + schedule('t', './configs/dags/../dags/d.yaml'),
    )
    expect(await load()).toMatchObject({ said: [], ids: ['s', 't'] })
  })

  it.each([
    [
      '../d.yaml',
      'expected a path inside the root folder | write the path relative to the root, for example configs/dags/nightly.yaml',
    ],
    [
      '/etc/d.yaml',
      'expected a path inside the root folder | write the path relative to the root, for example configs/dags/nightly.yaml',
    ],
    ['configs/dags/dd.yaml', 'no such file | did you mean "configs/dags/d.yaml"?'],
    ['jobs/other.yaml', 'no such file | create jobs/other.yaml, or name a DAG of configs/dags'],
    ['configs/dags', 'expected a .yaml or .yml file | rename the file'],
  ])('refuses dag: %s', async (path, expected) => {
    write('configs/dags/d.yaml', DAG)
    writeFileSync(join(base, 'd.yaml'), DAG)
    write('configs/schedules/s.yaml', schedule('s', path))
    expect((await load()).said).toEqual([
      `configs/schedules/s.yaml:3:8 unknown DAG file "${path}": ${expected}`,
    ])
  })

  it('refuses symlinks that leave the root, files and folders, and follows those that stay', async () => {
    writeFileSync(join(base, 'secret.yaml'), schedule('secret'))
    mkdirSync(join(base, 'outside'))
    writeFileSync(join(base, 'outside/x.yaml'), schedule('x'))
    write('configs/dags/d.yaml', DAG)
    write('configs/schedules/..data/s.yaml', schedule('s'))
    symlinkSync('..data/s.yaml', join(root, 'configs/schedules/s.yaml'))
    expect(await load()).toMatchObject({ said: [], ids: ['s'] })
    symlinkSync(join(base, 'secret.yaml'), join(root, 'configs/schedules/link.yaml'))
    symlinkSync(join(base, 'outside'), join(root, 'configs/schedules/folder'))
    symlinkSync('.', join(root, 'configs/schedules/loop'))
    const { said } = await load()
    expect(said).toEqual([
      'configs/schedules/folder:1:1 the symlink leads out of the root folder | put the file itself there, or name its folder with --dir',
      'configs/schedules/link.yaml:1:1 the symlink leads out of the root folder | put the file itself there, or name its folder with --dir',
    ])
    expect(JSON.stringify(said)).not.toContain('secret')
  })

  it('reads a named folder outside the root', async () => {
    mkdirSync(join(base, 'elsewhere'))
    writeFileSync(join(base, 'elsewhere/s.yaml'), `${schedule('s')}  x: 1\n`)
    write('configs/dags/d.yaml', DAG)
    const { said } = await load({ scheduleDirs: [join(base, 'elsewhere')], scheduleDirsAreNamed: true })
    expect(said).toEqual([expect.stringContaining(`${join(base, 'elsewhere/s.yaml')}:4:3 unknown key "x"`)])
  })

  it('tells of what cannot be read, each by name, and reads the rest', async () => {
    write('configs/dags/d.yaml', DAG)
    write('configs/schedules/big.yaml', '#'.repeat(1024 * 1024 + 1))
    write('configs/schedules/latin.yaml', Uint8Array.from([0x2d, 0x20, 0xe9]))
    write('configs/schedules/sound.yaml', `${schedule('s')}  x: 1\n`)
    symlinkSync('nothing', join(root, 'configs/schedules/dangling.yaml'))
    symlinkSync('self.yaml', join(root, 'configs/schedules/self.yaml'))
    execFileSync('mkfifo', [join(root, 'configs/schedules/fifo.yaml')])
    const { said } = await load()
    expect(said.map(each => each.split(' | ')[0])).toEqual([
      'configs/schedules/big.yaml:1:1 expected a file of at most 1048576 bytes, got 1048577',
      'configs/schedules/dangling.yaml:1:1 no such file',
      'configs/schedules/fifo.yaml:1:1 expected a file, got something else',
      'configs/schedules/latin.yaml:1:3 expected UTF-8 text, got a byte that is none',
      expect.stringMatching(/^configs\/schedules\/self\.yaml:1:1 the file cannot be read: ELOOP/),
      'configs/schedules/sound.yaml:4:3 unknown key "x"',
    ])
  })

  it('refuses the file of another user', async () => {
    write('configs/schedules/s.yaml', schedule('s'))
    const ground = await openGround(root)
    const path = join(root, 'configs/schedules/s.yaml')
    expect((await readDefinitionFile(ground, path, dirname(path))).content).toHaveProperty('bytes')
    const strict = { ...ground, trustedUids: new Set([987_654]) }
    expect((await readDefinitionFile(strict, path, dirname(path))).content).toMatchObject({
      problem: {
        message: expect.stringMatching(/^the file belongs to user \d+: expected this process's user/),
      },
    })
  })

  it('keeps the last answer apart from the next: a reload is a new set', async () => {
    write('configs/dags/d.yaml', DAG)
    write('configs/schedules/s.yaml', schedule('s'))
    const { source } = open()
    const first = await source.load()
    write('configs/schedules/s.yaml', schedule('t'))
    const [second, third] = await Promise.all([source.load(), source.load()])
    const ids = [first, second, third].map(each => each.ok && [...each.definitions.schedules.keys()])
    expect(ids).toEqual([['s'], ['t'], ['t']])
  })

  it('loads one DAG file from anywhere, for scheduler run', async () => {
    writeFileSync(join(base, 'mine.yaml'), DAG)
    const { source } = open()
    expect(await source.loadDag('../mine.yaml')).toMatchObject({ ok: true, dag: { name: 'd' } })
    expect(await source.loadDag('none.yaml')).toMatchObject({
      ok: false,
      problems: [{ file: 'none.yaml', line: 1, message: 'no such file' }],
    })
  })
})
