import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { loadDagFile, loadDefinitions } from '../../compose.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine()
  Object.assign(line.house, { loadDefinitions, loadDagFile })
  write('configs/notifications.yaml', 'channels: { SUPPORT: { command: ["true"] } }\n')
})
afterEach(() => line.remove())

function write(path: string, text: string): void {
  const full = join(line.root, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, text)
}

/** What it prints, and nothing of before. */
async function show(...words: string[]): Promise<string> {
  line.stdout.text = ''
  expect(await line.run('show', ...words)).toBe(0)
  return line.stdout.text
}

const MANIFEST = `dag:
  notify: [SUPPORT]
  schedule: {cron: "{{vars.cron}}", conditions: [{file: ready}]}
  stages: [external_input_files]
  tasks:
    - {name: COUNT, workflow_ref: shell, args: {command: wc}}
    - {name: EACH, workflow_ref: shell, args: {command: x}, multi_client_execution: true, trigger_rule: ANY, depends_on: [COUNT]}
`

describe('show', () => {
  test('says in words what a manifest is', async () => {
    write('configs/dags/files.yaml', MANIFEST)
    write('configs/vars/default.yaml', 'cron: 0 6 * * *\n')
    write('configs/schedules/s.yaml', '- {id: weekly, every: 1w, dag: files, enabled: false}\n')
    expect(await line.run('show', 'files')).toBe(0)
    expect(line.stdout.text).toBe(`DAG:        files
Tenant:     default
Mode:       CONDITIONAL_CRON (vars of default)
Schedule:   weekly: every 1w UTC (disabled)
Schedule:   files: 0 6 * * * UTC, if its condition holds
Stage:      external_input_files: stages/files/external_input_files, oldest first, at most 100 a run, unchanged for 2s
Told:       SUPPORT of ON_ERROR
Definition: ${/Definition: (.*)/.exec(line.stdout.text)?.[1]}

Tasks: 4
  1. POLL_AND_DISPATCH (workflow: poll_and_dispatch, depends_on: none)
  2. ROOT_TASK_WRAPPER (workflow: root_task_wrapper, depends_on: POLL_AND_DISPATCH)
  3. COUNT (workflow: shell, depends_on: ROOT_TASK_WRAPPER)
  4. EACH (workflow: shell, depends_on: COUNT, trigger_rule: ANY, for each client, 4 at once)
`)
  })

  test('prints what can take the place of the file', async () => {
    write('configs/dags/files.yaml', MANIFEST)
    write('configs/vars/default.yaml', 'cron: 0 6 * * *\n')
    write('configs/vars/production.yaml', 'cron: 0 7 * * *\n')
    const production = ['--environment', 'production']
    const before = JSON.parse(await show('configs/dags/files.yaml', '--json', ...production))
    expect(before).toMatchObject({ kind: 'Dag', mode: 'CONDITIONAL_CRON', environment: 'production' })
    expect(before.schedules).toMatchObject([{ schedule_id: 'files', cron: '0 7 * * *' }])
    write('configs/dags/files.yaml', await show('files', '--expanded', ...production))
    expect(JSON.parse(await show('files', '--json', ...production))).toEqual(before)
    expect(JSON.parse(await show('files', '--expanded', '--json'))).toMatchObject({
      kind: 'DagDefinition',
      definition: { dag: { name: 'files', expanded: true, schedule: { cron: '0 7 * * *' } } },
    })
  })

  test('says what triggers a DAG, and what a plain one is', async () => {
    write(
      'configs/dags/a.yaml',
      'dag: {stream: {sqlite: o.db, table: t, key: id}, triggered: {after: [p]}}\n',
    )
    write('configs/dags/b.yaml', 'dag: {triggered: true}\n')
    write('configs/dags/p.yaml', 'name: p\ntasks: [{id: a, workflow_ref: shell, params: {command: x}}]\n')
    expect(await show('a')).toContain(
      'Triggered by: what arrives, a run of p that ends with success\nStream:       stream: sqlite o.db, table t by id, at most 1000 records a run\n',
    )
    expect(await show('b')).toContain('Triggered by: hand, HTTP or the library\n')
    expect(await show('p', '--expanded')).toBe(
      'name: p\ntenant_id: default\ntasks:\n  - id: a\n    workflow_ref: shell\n    params:\n      command: x\n',
    )
  })

  test.each(['default', 'production'])('writes every example out, with the vars of %s', async environment => {
    for (const folder of ['configs', 'workflows'])
      cpSync(fileURLToPath(new URL(`../../../${folder}`, import.meta.url)), join(line.root, folder), {
        recursive: true,
      })
    const said = ['--environment', environment]
    const modes = new Set<unknown>()
    for (const file of readdirSync(join(line.root, 'configs/dags'))) {
      const path = `configs/dags/${file}`
      const before = JSON.parse(await show(path, '--json', ...said))
      write(path, await show(path, '--expanded', ...said))
      expect(JSON.parse(await show(path, '--json', ...said))).toEqual(before)
      modes.add(before.mode)
    }
    expect([...modes].sort()).toEqual(['CONDITIONAL_CRON', 'on-demand', 'schedule', 'triggered', undefined])
  })

  test('of a DAG that is not there it says which one may be meant', async () => {
    write('configs/dags/files.yaml', 'dag: {}\n')
    expect(await line.run('show', 'fils')).toBe(4)
    expect(line.stderr.text).toContain('did you mean "files"?')
    write('configs/dags/files.yaml', 'dag: {schedule: "0 61 * * *"}\n')
    expect(await line.run('show', 'files')).toBe(3)
  })
})
