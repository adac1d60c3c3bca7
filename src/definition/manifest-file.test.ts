import { describe, expect, it } from 'vitest'
import type { Dag } from '../core/dag/dag.ts'
import type { JsonObject } from '../core/json.ts'
import { checkDagFile } from './dag-file.ts'
import { SourceText } from './source-text.ts'
import { NO_VARS, type Vars } from './vars.ts'

const VARS: Vars = { ...NO_VARS, values: { schedule: '0 6 * * *', retries: 2, wide: { depth: 3 } } }

async function check(text: string, vars = VARS, name = 'configs/dags/partner_files.yaml') {
  const file = await checkDagFile(new SourceText(name, text), vars)
  const said = file.problems
    .finish()
    .map(each => `${each.line}:${each.column} ${each.severity}: ${each.message} | ${each.help}`)
  return { file, said }
}

/** The DAG of a manifest whose lines stand under `dag:`. */
async function dagOf(...lines: string[]): Promise<Dag> {
  const { file, said } = await check(manifest(...lines))
  expect(said).toEqual([])
  return file.dag!
}

const manifest = (...lines: string[]) => ['dag:', ...lines.map(line => `  ${line}`), ''].join('\n')
const shape = ({ tasks }: Dag) => tasks.map(({ id, dependsOn }) => [id, ...dependsOn].join(' < '))
const root = ({ tasks }: Dag): JsonObject => tasks.find(({ id }) => id === 'ROOT_TASK_WRAPPER')!.params

const SEED = `dag:
  notification_type: ON_ERROR
  notify: [SUPPORT]
  schedule: "{{vars.schedule}}"
  stages:
    - external_input_files  # provisions stage + injects POLL_AND_DISPATCH
    - external_output_files  # provisions stage
    - internal_exposed_files  # provisions stage + VIEWER grants
    - resources_static  # provisions stage
`

describe("the seed's manifest", () => {
  it('loads as it stands', async () => {
    const { file, said } = await check(SEED)
    expect(said).toEqual([])
    const { dag, schedule } = file
    expect(schedule?.schedule).toMatchObject({ id: 'partner_files', timing: { crons: ['0 6 * * *'] } })
    expect(dag).toMatchObject({
      name: 'partner_files',
      tenantId: 'default',
      notification: { types: ['ON_ERROR'], channels: ['SUPPORT'], failuresInRow: 1 },
      manifest: { mode: 'schedule', environment: 'default' },
    })
    expect(dag!.manifest!.stages).toEqual([
      {
        name: 'external_input_files',
        location: { kind: 'directory', path: 'stages/partner_files/external_input_files' },
        order: 'oldest',
        maxFiles: 100,
        stableForMs: 2_000,
      },
      ...['external_output_files', 'internal_exposed_files', 'resources_static'].map(name => ({
        name,
        location: { kind: 'directory', path: `stages/partner_files/${name}` },
      })),
    ])
    expect(shape(dag!)).toEqual(['POLL_AND_DISPATCH', 'ROOT_TASK_WRAPPER < POLL_AND_DISPATCH'])
    expect(dag!.tasks[0]).toMatchObject({
      workflowRef: 'poll_and_dispatch',
      params: { stage: dag!.manifest!.stages[0] },
    })
    expect(root(dag!)).toMatchObject({
      mode: 'schedule',
      environment: 'default',
      source: 'POLL_AND_DISPATCH',
      stages: { resources_static: 'stages/partner_files/resources_static' },
    })
  })

  it('has its tasks, in the words of the seed', async () => {
    const dag = await dagOf(
      'tasks:',
      '  - name: PROCESS_CLIENTS',
      '    target_sp: process_one_client',
      '    args: {batch: 5}',
      '    multi_client_execution: true',
      '    trigger_rule: ALL',
      '  - {id: REPORT, workflow_ref: report, depends_on: [PROCESS_CLIENTS], trigger_rule: all_done, retries: 1}',
    )
    expect(shape(dag)).toEqual([
      'ROOT_TASK_WRAPPER',
      'PROCESS_CLIENTS < ROOT_TASK_WRAPPER',
      'REPORT < PROCESS_CLIENTS',
    ])
    expect(dag.tasks[1]).toEqual({
      id: 'PROCESS_CLIENTS',
      workflowRef: 'process_one_client',
      params: { batch: 5 },
      retries: 0,
      retryDelayMs: 1_000,
      backoff: 'exponential',
      dependsOn: ['ROOT_TASK_WRAPPER'],
      fanOut: {
        source: { kind: 'directory', path: 'clients' },
        exclude: ['PUBLIC', 'INFORMATION_SCHEMA'],
        parallel: 4,
      },
    })
    expect(dag.tasks[2]).toMatchObject({ triggerRule: 'all_done', retries: 1 })
  })
})

describe('modes', () => {
  const INPUT = 'stages: [external_input_files]'
  it.each([
    ['schedule', ['schedule: "0 6 * * *"'], ['ROOT_TASK_WRAPPER']],
    ['schedule', ['schedule: "0 6 * * *"', INPUT], ['POLL_AND_DISPATCH', 'ROOT_TASK_WRAPPER']],
    ['schedule', ['schedule: USING CRON 0 6 * * * Europe/Berlin'], ['ROOT_TASK_WRAPPER']],
    ['schedule', ['schedule: 5 MINUTE'], ['ROOT_TASK_WRAPPER']],
    [
      'CONDITIONAL_CRON',
      ['schedule: {cron: "@daily", conditions: [{calendar: office}]}', INPUT],
      ['POLL_AND_DISPATCH', 'ROOT_TASK_WRAPPER'],
    ],
    ['triggered', ['triggered: true', INPUT], ['POLL_AND_DISPATCH', 'ROOT_TASK_WRAPPER']],
    ['triggered', ['triggered: {after: [load]}'], ['ROOT_TASK_WRAPPER']],
    ['triggered', ['stream: {file: a.jsonl}'], ['CONSUME_STREAM', 'ROOT_TASK_WRAPPER']],
    ['on-demand', [], ['ROOT_TASK_WRAPPER']],
    ['on-demand', [INPUT], ['ROOT_TASK_WRAPPER']],
  ])('%s: %j', async (mode, lines, tasks) => {
    const dag = lines.length === 0 ? (await check('dag: {}')).file.dag! : await dagOf(...lines)
    expect(dag.manifest!.mode).toBe(mode)
    expect(dag.tasks.map(({ id }) => id)).toEqual(tasks)
    expect(root(dag)['source']).toBe(tasks.length > 1 ? tasks[0] : undefined)
  })

  it('says what triggers it', async () => {
    expect((await dagOf('stream: {file: a.jsonl}')).manifest!.triggers).toEqual({
      onArrival: true,
      afterRuns: [],
    })
    expect((await dagOf('triggered: true')).manifest!.triggers).toEqual({ onArrival: false, afterRuns: [] })
    expect(
      (await dagOf('triggered: {after: [load, {dag: x, status: [success, partial]}]}')).manifest!.triggers,
    ).toEqual({
      onArrival: false,
      afterRuns: [
        { dag: 'load', status: ['success'] },
        { dag: 'x', status: ['success', 'partial'] },
      ],
    })
    expect((await dagOf('schedule: "@daily"')).manifest!.triggers).toBeUndefined()
  })

  it('reads streams of every kind', async () => {
    expect(
      (await dagOf('stream: {sqlite: a.db, table: t, key: id, max_records: 5}')).manifest!.stream,
    ).toEqual({
      name: 'stream',
      source: { kind: 'sqlite', database: 'a.db', table: 't', key: 'id' },
      maxRecords: 5,
    })
    const dag = await dagOf('stream: {name: orders, postgres: ORDERS_URL, table: t, key: id}')
    expect(dag.tasks[0]!.params).toEqual({
      stream: {
        name: 'orders',
        source: { kind: 'postgres', database: 'ORDERS_URL', table: 't', key: 'id' },
        maxRecords: 1_000,
      },
      dead_letters: 'dead-letters',
    })
  })

  it('reads stages in a list and in a mapping, in folders and in buckets', async () => {
    const { manifest: told } = await dagOf(
      'stages:',
      '  - external_input_files: {s3: "s3://drop/in", endpoint: "https://s3.example.org", region: eu, pattern: "*.csv", order: name, max_files: 7, stable_for: 1m}',
      '  - resources_static',
    )
    expect(told!.stages[0]).toEqual({
      name: 'external_input_files',
      location: {
        kind: 's3',
        bucket: 'drop',
        prefix: 'in/',
        endpoint: 'https://s3.example.org',
        region: 'eu',
      },
      pattern: '*.csv',
      order: 'name',
      maxFiles: 7,
      stableForMs: 60_000,
    })
    const mapping = await dagOf('stages:', '  external_input_files:', '  resources_static: {path: r}')
    expect(mapping.manifest!.stages.map(({ location }) => location)).toEqual([
      { kind: 'directory', path: 'stages/partner_files/external_input_files' },
      { kind: 'directory', path: 'r' },
    ])
  })

  it("lays a task's own clients over those of the manifest", async () => {
    const dag = await dagOf(
      'clients: {sqlite: c.db, query: select 1, exclude: [x], parallel: 9}',
      'tasks:',
      '  - {name: A, workflow_ref: w, multi_client_execution: {parallel: 2, conditions: [{file: "{{client_id}}"}]}}',
      '  - {name: B, workflow_ref: w, multi_client_execution: {command: [ls, c]}}',
      '  - {name: C, workflow_ref: w, multi_client_execution: false}',
    )
    const exclude = ['PUBLIC', 'INFORMATION_SCHEMA', 'x']
    expect(dag.tasks.slice(1).map(({ fanOut }) => fanOut)).toEqual([
      {
        source: { kind: 'sqlite', database: 'c.db', query: 'select 1' },
        exclude,
        parallel: 2,
        conditions: [{ kind: 'file', path: '{{client_id}}', timeoutMs: 30_000 }],
      },
      { source: { kind: 'command', command: ['ls', 'c'] }, exclude, parallel: 9 },
      undefined,
    ])
  })
})

describe('vars', () => {
  it('take the type of their value where they are the whole text, and stand in longer ones', async () => {
    const dag = await dagOf(
      'schedule: {cron: "{{ vars.schedule }}"}',
      'tasks:',
      '  - name: A',
      '    workflow_ref: shell',
      '    params: {command: "echo {{vars.wide.depth}} {{other}}", all: "{{vars.wide}}"}',
      '    retries: "{{vars.retries}}"',
    )
    expect(dag.tasks[1]).toMatchObject({
      params: { command: 'echo 3 {{other}}', all: { depth: 3 } },
      retries: 2,
    })
  })

  it('that are unknown are all there is to say about their text', async () => {
    expect((await check(SEED.replace('vars.schedule', 'vars.schedul'))).said).toEqual([
      '4:14 error: unknown var "schedul" | did you mean "{{vars.schedule}}"? looked in configs/vars/default.yaml',
    ])
    expect((await check(manifest('schedule: "0 {{vars.wide}} * * *"'))).said).toEqual([
      '2:16 error: expected a text, a number, true or false for "{{vars.wide}}" in a longer text, got a mapping | let the mark be the whole text, or give the var such a value',
    ])
    expect((await check(manifest('schedule: "{{vars.nothing_like_it}}"'), NO_VARS)).said).toEqual([
      '2:14 error: unknown var "nothing_like_it" | there are no vars: looked in configs/vars/default.yaml',
    ])
  })

  it('are not missed while a file of theirs is wrong', async () => {
    const { file, said } = await check(SEED, { ...NO_VARS, areKnown: false })
    expect([said, file.dag, file.name]).toEqual([[], undefined, 'partner_files'])
  })

  it('show what they were filled in for where that is wrong', async () => {
    const vars = { ...VARS, values: { schedule: '0 61 * * *' } }
    expect((await check(SEED, vars)).said).toEqual([
      '4:13 error: hour 61 is out of range 0-23 | write a value from 0 to 23; with its vars filled in it is "0 61 * * *"',
    ])
  })

  it('stay within bounds', async () => {
    const vars = { ...VARS, values: { long: 'x'.repeat(600_000) } }
    const { said } = await check(manifest('description: "{{vars.long}}{{vars.long}}"'), vars)
    expect(said[0]).toContain('the vars of this file come to more than 1000000 characters')
  })
})

describe('what is wrong', () => {
  it('is told all at once, with place and remedy', async () => {
    const { said } = await check(
      manifest(
        'schedul: "0 6 * * *"',
        'triggered: {on_arrival: true}',
        'stages: [external_input]',
        'notification_type: on_error',
        'notify: [SUPPORT]',
        'stream: {table: t}',
        'tasks:',
        '  - {name: A, target_sp: shell, args: {command: x}, params: {command: x}}',
        '  - {name: ROOT_TASK_WRAPPER, workflow_ref: w}',
        '  - {name: B, workflow_ref: poll_and_dispatch, depends_on: [POLL_AND_DISPATCH, A]}',
        '  - {name: C, workflow_ref: w, trigger_rule: All, depends_on: [D]}',
        '  - {workflow_ref: w}',
      ),
    )
    expect(said).toEqual([
      '2:3 error: unknown key "schedul" | did you mean "schedule"?',
      '5:22 error: expected ON_ERROR, ON_SUCCESS, ALWAYS, ON_SKIP, ON_RECOVERY, ON_LATE or ON_MISSED, got "on_error" | did you mean "ON_ERROR"?',
      '4:12 error: expected external_input_files, external_output_files, internal_exposed_files or resources_static, got "external_input" | did you mean "external_input_files"?',
      '12:48 error: expected ALL, ANY, all_success, all_failed, all_done, all_done_min_one_success, all_skipped, one_success, one_failed, one_done, none_failed, none_failed_min_one_success, none_skipped or always, got "All" | did you mean "ALL"?',
      '13:7 error: missing key "name" | add name: REPORT',
      '7:11 error: missing key "file", "sqlite" or "postgres": where records come from | add file: data/orders.jsonl',
      '9:55 error: "params" and "args" mean the same | keep one of them',
      '11:63 error: unknown dependency "POLL_AND_DISPATCH": no task of this DAG has this id | tasks: A, ROOT_TASK_WRAPPER, B, C, CONSUME_STREAM',
      '12:66 error: unknown dependency "D": no task of this DAG has this id | did you mean "A"?',
      '10:14 error: ROOT_TASK_WRAPPER is a task that the manifest brings itself | choose another name; or write expanded: true, and all its tasks',
      "11:31 error: the workflow poll_and_dispatch is what a manifest's own tasks run | remove the task: it is added where it belongs",
    ])
  })

  it.each([
    [
      ['schedule: "@daily"', 'triggered: true'],
      '3:3 error: a DAG is scheduled or triggered, not both: "schedule" is said, too | remove one of them; a run by hand can be asked for in every mode',
    ],
    [
      ['schedule: "@daily"', 'stream: {file: x}'],
      '3:3 error: a stream is read when it has new records, not at set times: "schedule" is said, too | remove the schedule, or read the source in a task',
    ],
    [
      ['stages: [external_input_files]', 'stream: {file: x}'],
      '3:3 error: a run takes files or records, not both: there is the stage external_input_files, too | make two DAGs of it, the second one triggered by the first: triggered: { after: [first] }',
    ],
    [
      ['triggered: {on_arrival: true}'],
      '2:27 error: nothing can arrive: there is no stage external_input_files and no stream | add one of them, or remove on_arrival',
    ],
    [
      ['clients: {conditions: [{any: [{calendar: office}, {file: "{{client_id}}"}]}]}'],
      '2:34 error: "calendar" says the same for every client: it is no condition of one | move it to the conditions of the schedule',
    ],
    [
      ['clients: {conditions: [{file: "{{client}}"}]}'],
      '2:34 error: unknown mark "{{client}}" | known marks: ds, ds_nodash, slot, tenant, schedule, client_id',
    ],
    [
      ['schedule: {cron: "@daily", conditions: [{file: "{{client_id}}"}]}'],
      '2:51 error: unknown mark "{{client_id}}" | known marks: ds, ds_nodash, slot, tenant, schedule',
    ],
    [
      ['clients: {directory: a, command: b}'],
      '2:27 error: clients are found in one place: "directory" is named already | remove one of them',
    ],
    [
      ['clients: {sqlite: a}'],
      '2:13 error: missing key "query" beside "sqlite" | add query: select name from clients',
    ],
    [
      ['clients: {postgres: "postgres://u:p@h/d"}'],
      '2:23 error: expected the name of an environment variable (capital letters, digits, "_"), got "postgres://u:p@h/d" | for example postgres: CLIENTS_URL',
    ],
    [
      ['stages: [resources_static, {resources_static: {path: x}}]'],
      '2:49 error: the stage resources_static is written twice | remove one of them',
    ],
    [
      ['stages: {external_input_files: {path: x}, external_output_files: {path: x/}}'],
      '2:75 error: the stages external_input_files and external_output_files lie at the same place: x/ | give each a place of its own',
    ],
    [
      ['stages: {resources_static: {region: eu}}'],
      '2:31 error: "region" stands beside "s3" | add s3: s3://bucket/prefix, or remove it',
    ],
    [
      ['stream: {file: x, key: id}'],
      '2:21 error: "key" stands beside "sqlite" or "postgres" | remove it: lines of a file are read in their order',
    ],
    [
      ['stream: {sqlite: x, table: t}'],
      '2:12 error: missing key "key" beside "sqlite" | add key: id, a column that only grows',
    ],
    [
      ['notification_type: ON_LATE', 'notify: [A]'],
      '2:3 error: ON_LATE needs late_after: when is a run late? | add late_after: 1h',
    ],
    [
      ['failures_in_row: 2'],
      '2:3 error: "failures_in_row" is of no use: nobody is told | add notify: [SUPPORT], or remove it',
    ],
    [
      ['schedule: {cron: "0 61 * * *", overlap: often}'],
      '2:43 error: expected skip, allow, queue or replace, got "often" | for example overlap: skip',
    ],
    [['schedule: "0 61 * * *"'], '2:16 error: hour 61 is out of range 0-23 | write a value from 0 to 23'],
    [['schedule: {overlap: skip}'], '2:13 error: missing key "cron" | add cron: "0 6 * * *"'],
    [
      ['expanded: true'],
      '2:3 error: missing task ROOT_TASK_WRAPPER in a manifest that is written out | remove expanded: true, and it is added',
    ],
    [
      ['expanded: true', 'tasks: [{name: ROOT_TASK_WRAPPER, workflow_ref: shell, params: {command: x}}]'],
      '3:51 error: the task ROOT_TASK_WRAPPER runs the workflow root_task_wrapper | write workflow_ref: root_task_wrapper, or choose another name',
    ],
  ])('%j', async (lines, problem) => {
    const { file, said } = await check(manifest(...lines))
    expect(said).toContain(problem)
    expect(file.dag).toBeUndefined()
  })

  it('is a task that is too long for a line of the journal, with the clients that it shares', async () => {
    const exclude = Array.from({ length: 800 }, (_, n) => `client_${String(n).padStart(80, '0')}`)
    const { file, said } = await check(
      manifest(
        `clients: {exclude: [${exclude.join(', ')}]}`,
        'tasks:',
        '  - {name: A, workflow_ref: w}',
        '  - {name: B, workflow_ref: w, multi_client_execution: true}',
      ),
    )
    expect(said).toEqual([
      expect.stringMatching(
        /^5:7 error: expected a task of at most 49152 bytes as JSON, its clients included/,
      ),
    ])
    expect(file.dag).toBeUndefined()
  })

  it('is a name that the file does not give', async () => {
    expect((await check('dag: {schedule: "@daily"}', VARS, 'configs/dags/a b.yaml')).said).toEqual([
      '1:6 error: the DAG has no name, and that of the file is none: " " is not allowed in it | add name: under dag, or rename the file',
    ])
    expect((await check('dag: {name: x}', VARS, 'configs/dags/a b.yaml')).file.dag?.name).toBe('x')
  })

  it('is another key beside dag', async () => {
    expect((await check('dag: {}\nname: x\n')).said).toEqual([
      '2:1 error: unknown key "name" | known keys: dag',
    ])
  })
})
