// Manifests among other files: their schedules, what they name elsewhere, and vars that change between two loads.

import { describe, expect, it } from 'vitest'
import {
  CheckedFiles,
  type DefinitionInputs,
  type InputFile,
  loadDefinitions,
  loadOneDag,
} from './load-definitions.ts'

const file = (name: string, text: string): InputFile => ({
  file: name,
  key: name,
  content: { bytes: new TextEncoder().encode(text) },
})

interface Files {
  schedules?: string
  dags?: Record<string, string>
  vars?: Record<string, string>
  pools?: string
}

function inputs({ schedules, dags = {}, vars = {}, pools }: Files): DefinitionInputs {
  return {
    scheduleFiles: schedules === undefined ? [] : [file('s.yaml', schedules)],
    dagFiles: Object.entries(dags).map(([name, text]) => file(name, text)),
    calendarFiles: [],
    icsFiles: [],
    poolFiles: pools === undefined ? [] : [file('pools.yaml', pools)],
    vars: {
      environment: 'default',
      folder: 'vars',
      files: Object.entries(vars).map(([name, text]) => file(`vars/${name}.yaml`, text)),
    },
    workflows: ['shell', 'http'],
    problems: [],
    findDag: async () => ({ refused: 'no such file', help: '' }),
  }
}

async function load(files: Files, kept?: CheckedFiles) {
  const result = await loadDefinitions(inputs(files), kept)
  const problems = result.ok ? result.warnings : result.problems
  const said = problems.map(each => `${each.file}:${each.line}:${each.column} ${each.message} | ${each.help}`)
  return { said, definitions: result.ok ? result.definitions : undefined }
}

const manifest = (line: string) => `dag:\n  ${line}\n`

describe('a manifest among other files', () => {
  it('brings its schedule, with its name and tenant', async () => {
    const { definitions, said } = await load({
      dags: { 'a.yaml': 'dag:\n  tenant_id: acme\n  schedule: {cron: "@daily", pool: p}\n' },
      pools: 'p: 1\n',
    })
    expect(said).toEqual([])
    expect(definitions!.schedules.get('a')).toMatchObject({
      id: 'a',
      dagName: 'a',
      tenantId: 'acme',
      pool: 'p',
    })
  })

  it('shares ids with the schedules of other files', async () => {
    const { said } = await load({
      schedules: '- {id: a, cron: "@daily", dag: b}\n',
      dags: { 'a.yaml': manifest('schedule: "@daily"'), 'b.yaml': 'dag: {}\n' },
    })
    expect(said).toEqual(['a.yaml:2:13 duplicate schedule id "a", first in s.yaml:1 | rename one of them'])
  })

  it('has a name of its own', async () => {
    const { said } = await load({
      dags: { 'a.yaml': manifest('schedule: "@daily"'), 'x/a.yaml': manifest('schedule: "@daily"') },
    })
    expect(said).toEqual(['x/a.yaml:2:3 duplicate DAG name "a", first in a.yaml:2 | rename one of them'])
  })

  it('names what is there: DAGs, calendars, pools, workflows, schedules', async () => {
    const { said } = await load({
      dags: {
        'a.yaml': manifest('triggered: {after: [lod]}'),
        'b.yaml': manifest('schedule: {cron: "@daily", pool: q, conditions: [{calendar: office}]}'),
        'c.yaml': manifest('tasks: [{name: T, target_sp: shel}]'),
        'load.yaml': manifest('clients: {conditions: [{cel: \'last_run("c").status == "success"\'}]}'),
      },
    })
    expect(said).toEqual([
      'a.yaml:2:23 unknown DAG "lod" | did you mean "load"?',
      'b.yaml:2:36 unknown pool "q" | there are no pools: add "q: 4" to configs/pools.yaml',
      'b.yaml:2:51 unknown calendar "office" | there are no calendars',
      'c.yaml:2:32 RunnerError: Unknown workflow: shel | did you mean "shell"?',
      'load.yaml:2:42 unknown schedule "c" | did you mean "b"?',
    ])
  })

  it('is not triggered by what it triggers', async () => {
    const { said } = await load({
      dags: {
        'a.yaml': manifest('triggered: {after: [b]}'),
        'b.yaml': manifest('triggered: {after: [x, a]}'),
        'x.yaml': manifest('triggered: {after: [x]}'),
      },
    })
    expect(said).toEqual([
      'a.yaml:2:23 DAGs trigger each other without end: a → b → a | remove one of them from triggered.after',
      'x.yaml:2:23 DAGs trigger each other without end: x → x | remove one of them from triggered.after',
    ])
  })

  it('runs workflows that no other DAG may', async () => {
    const { said } = await load({
      dags: { 'a.yaml': 'name: a\ntasks: [{id: x, workflow_ref: root_task_wrapper}]\n' },
    })
    expect(said).toEqual([
      'a.yaml:2:31 the workflow root_task_wrapper is what a manifest\'s own tasks run | write the DAG as a manifest (a mapping under "dag:"): it is added where it belongs',
    ])
  })

  it('uses the pools that are named', async () => {
    const { said } = await load({
      dags: { 'a.yaml': manifest('schedule: {cron: "@daily", pool: p}') },
      pools: 'p: 1\nq: 1\n',
    })
    expect(said).toEqual([
      'pools.yaml:2:1 no schedule names the pool "q" | remove it, or write `pool:` in the schedules that share it',
    ])
  })
})

describe('vars that change', () => {
  const dags = { 'a.yaml': manifest('schedule: "{{vars.cron}}"'), 'b.yaml': manifest('schedule: "@daily"') }

  it('are seen in manifests that are as they were', async () => {
    const kept = new CheckedFiles()
    const first = await load({ dags, vars: { default: 'cron: "@daily"' } }, kept)
    const again = await load({ dags, vars: { default: 'cron: "@weekly"' } }, kept)
    expect(first.definitions!.schedules.get('a')!.timing.crons).toEqual(['@daily'])
    expect(again.definitions!.schedules.get('a')!.timing.crons).toEqual(['@weekly'])
    expect(again.definitions!.dags.get('b')).toBe(first.definitions!.dags.get('b'))
  })

  it('that are wrong are told where they stand, and nowhere else', async () => {
    expect((await load({ dags, vars: { default: 'cron: "@daily"\ncron: 1' } })).said).toEqual([
      'vars/default.yaml:2:1 duplicate key "cron", first on line 1 | keep one of them',
    ])
  })

  it('are checked for every environment', async () => {
    expect((await load({ dags, vars: { default: 'cron: "@daily"', production: '[]' } })).said).toEqual([
      'vars/production.yaml:1:1 expected vars (a mapping of names to values), got an empty list | for example schedule: "0 6 * * *"',
    ])
  })
})

describe('loadOneDag', () => {
  it('fills vars in, and tells of them only where they are asked for', async () => {
    const vars = { environment: 'default', folder: 'vars', files: [file('vars/default.yaml', '[]')] }
    const plain = await loadOneDag(file('a.yaml', manifest('schedule: "@daily"')), [], vars)
    expect(plain).toMatchObject({ ok: true, dag: { manifest: { mode: 'schedule' } } })
    const asking = await loadOneDag(file('a.yaml', manifest('schedule: "{{vars.x}}"')), [], vars)
    expect(asking).toMatchObject({ ok: false, problems: [{ file: 'vars/default.yaml' }] })
    const good = { ...vars, files: [file('vars/default.yaml', 'x: "@weekly"')] }
    expect(await loadOneDag(file('a.yaml', manifest('schedule: "{{vars.x}}"')), [], good)).toMatchObject({
      ok: true,
    })
  })
})
