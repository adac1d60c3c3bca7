// Words to exit codes: the grammar, settings, errors and help, with no scheduler behind them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../test/support/command-line.ts'
import { DagbokError } from '../core/error.ts'
import { VERSION } from '../version.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine()
})
afterEach(() => line.remove())

test('--help lists the two modes and every command, on stdout', async () => {
  expect(await line.run('--help')).toBe(0)
  expect(line.stderr.text).toBe('')
  for (const word of [
    '--serve',
    '--once',
    '--dir',
    ...'run trigger cancel validate next status runs logs events reload record journal config'.split(' '),
  ]) {
    expect(line.stdout.text).toMatch(new RegExp(`^ +${word}\\b`, 'm'))
  }
})

test('a command has its own help, without the settings of all', async () => {
  expect(await line.run('logs', '--help')).toBe(0)
  expect(line.stdout.text).toContain('--follow')
  expect(line.stdout.text).not.toContain('--tick-ms')
})

test('--version', async () => {
  expect(await line.run('--version')).toBe(0)
  expect(line.stdout.text).toBe(`${VERSION}\n`)
})

describe('what cannot be meant ends with 2 and says what could', () => {
  test.each<[string, RegExp]>([
    ['valdate', /unknown command "valdate".*\n.*did you mean "validate"\?/],
    ['flurb', /unknown command "flurb".*\nhint: `scheduler --help` lists the commands/],
    ['--onec', /unknown option '--onec' \[USAGE\]\nhint: did you mean --once\?/],
    ['', /nothing was asked for/],
    ['--dir', /option '--dir <dir>' argument missing/],
    ['run', /missing required argument 'dag'/],
    ['status extra', /too many arguments/],
    ['--once next', /--once and next cannot be combined/],
    ['next --count 0', /--count: expected a whole number from 1 to 10000, got "0"/],
    ['next -n many', /--count: expected a whole number/],
    ['events --after x', /--after: expected a position/],
    [
      'runs --status lost',
      /--status: expected queued, running, success, failed, partial, skipped, cancelled, got "lost"/,
    ],
    ['runs --since yesterday', /--since: expected an instant/],
    ['logs r --attempt 0', /--attempt: expected/],
    ['journal check', /journal: expected verify, rebuild-index or path, got "check"/],
    ['record deployed version', /record: expected key=value, got "version"/],
    ['record deployed seq=1', /record: the field "seq" is written by the scheduler itself/],
    ['run x --param =1', /--param: expected key=value/],
    ['config --tick-ms 5', /--tick-ms: expected a whole number of milliseconds from 10 to 60000, got "5"/],
  ])('scheduler %s', async (words, said) => {
    expect(await line.run(...words.split(' ').filter(Boolean))).toBe(2)
    expect(line.stderr.text).toMatch(said)
    expect(line.stdout.text).toBe('')
  })
})

test('with --json an error is also a document on stdout', async () => {
  expect(await line.run('reload', '--json')).toBe(6)
  expect(JSON.parse(line.stdout.text)).toMatchObject({
    apiVersion: 'dagbok/v1',
    kind: 'Error',
    error: { code: 'DAEMON_UNREACHABLE', exit_code: 6 },
  })
  expect(line.stderr.text).toContain('[DAEMON_UNREACHABLE]')
})

test('a bug of ours comes with its stack and ends with 1', async () => {
  line.house.loadDefinitions = () => {
    throw new TypeError('oops')
  }
  expect(await line.run('validate')).toBe(1)
  expect(line.stderr.text).toMatch(/TypeError: oops\n +at /)
})

test('of --serve and --once the last one said wins, since `npm start` has said --once already', async () => {
  const modes: string[] = []
  line.house.openServiceManager = () => ({
    watchdogMs: undefined,
    ready() {},
    describe() {},
    alive() {},
    stopping() {},
  })
  line.house.openSession = async (_settings, mode) => {
    modes.push(mode)
    throw new Error('far enough')
  }
  await line.run('--once', '--dir', 'configs/schedules', '--serve')
  await line.run('--serve', '--once')
  expect(modes).toEqual(['serve', 'once'])
})

test('an error from elsewhere cannot move the cursor, and keeps its lines', async () => {
  line.house.loadDefinitions = () => {
    throw new DagbokError('X', 'one\u001b[2J\n  two\r\u0007', { hint: '\u009b31mthree' })
  }
  expect(await line.run('validate')).toBe(1)
  expect(line.stderr.text).toBe('error: one [X]\n  two\nhint: three\n')
})

describe('config', () => {
  test('shows each value and where it came from; flags count before and behind the command', async () => {
    writeFileSync(join(line.root, 'dagbok.yaml'), 'max_tasks: 4\n')
    expect(await line.run('--tick-ms', '20', 'config', '--max-parallel', '9')).toBe(0)
    const rows = line.stdout.text.split('\n')
    expect(rows.find(row => row.startsWith('tickMs'))).toMatch(/^tickMs +20 +flag --tick-ms +SCHED_TICK_MS$/)
    expect(rows.find(row => row.startsWith('maxParallel'))).toMatch(/ 9 +flag --max-parallel/)
    expect(rows.find(row => row.startsWith('maxTasks'))).toMatch(/ 4 +file dagbok\.yaml:1 /)
    expect(rows.find(row => row.startsWith('keepDays'))).toMatch(/ 0 +default /)
  })

  test('--json is a list', async () => {
    expect(await line.run('config', '--json', '--dir', 'a', '--dir', 'b')).toBe(0)
    const { kind, items } = JSON.parse(line.stdout.text)
    expect(kind).toBe('SettingList')
    expect(items.find((item: { name: string }) => item.name === 'scheduleDirs')).toEqual({
      name: 'scheduleDirs',
      value: [join(line.root, 'a'), join(line.root, 'b')],
      source: 'flag',
      said_by: '--dir',
      flag: '--dir',
      env: 'SCHED_DIRS',
      key: 'schedule_dirs',
    })
  })
})

test('journal path is one line that a shell can use', async () => {
  expect(await line.run('journal', 'path')).toBe(0)
  expect(line.stdout.text).toBe(`${join(line.root, 'logs/orchestrator_state.jsonl')}\n`)
})

test('a reader who left costs nothing and is no error', async () => {
  mkdirSync(join(line.root, 'x'))
  const { write } = line.stdout
  line.stdout.write = text => {
    line.stdout.leave()
    return write.call(line.stdout, text)
  }
  expect(await line.run('config')).toBe(0)
  expect(line.stdout.text.split('\n')).toHaveLength(2)
})
