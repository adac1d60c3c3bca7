// The manifests of configs/dags through the real program, each in its mode: what new_files holds, how SKIP cascades, what the
// journal says. The files are the examples as they stand, but for the times at which they are due.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SchedulerFolder } from '../support/scheduler-process.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const EVERY_MINUTE = '* * * * *'
/** `stable_for`, where a stage does not say. */
const STABLE_MS = 2_000

/** A last task, which says what it was given. */
const SEEN = `
    - name: SEEN
      target_sp: shell
      args: { command: 'echo "{\\"new_files\\": $DAGBOK_PARAM_NEW_FILES, \\"runtime\\": $DAGBOK_RUNTIME}"' }
`

let folder: SchedulerFolder
beforeEach(() => {
  folder = new SchedulerFolder()
  mkdirSync(join(folder.root, 'logs'))
  for (const part of ['configs/calendars', 'configs/notifications.yaml', 'configs/vars', 'workflows'])
    cpSync(join(REPOSITORY, part), join(folder.root, part), { recursive: true })
})
afterEach(() => folder.remove())

/** Puts an example into the folder, with each text replaced by another. */
function example(dag: string, { and = '', ...changes }: Record<string, string> = {}): void {
  let text = readFileSync(join(REPOSITORY, `configs/dags/${dag}.yaml`), 'utf8')
  for (const [from, to] of Object.entries(changes)) {
    expect(text).toContain(from)
    text = text.replace(from, to)
  }
  folder.write(`configs/dags/${dag}.yaml`, text + and)
}

const named = (event: string, lines = folder.journal()) => lines.filter(line => line.event === event)
const output = (taskId: string) =>
  named('task_ok').findLast(line => line['task_id'] === taskId)?.['output'] as Record<string, unknown>

/** `event task reason|status` of everything about runs, but for starts. */
function story(): string[] {
  const told = new Set([
    'files_dispatched',
    'files_consumed',
    'files_released',
    'stream_taken',
    'stream_committed',
    'clients_found',
    'task_ok',
    'task_skip',
    'task_fail',
    'run_finished',
  ])
  return folder
    .journal()
    .filter(({ event }) => told.has(event))
    .map(line => [line.event, line['task_id'], line['reason'] ?? line['status']].filter(Boolean).join(' '))
}

describe('the seed’s manifest, as it stands', () => {
  const inbox = 'stages/partner_files/external_input_files'
  beforeEach(() => {
    example('partner_files')
    folder.write('configs/vars/default.yaml', `schedule: "${EVERY_MINUTE}"\n`)
  })

  test('without files: the root says SKIP, the run is skipped, and that is no failure', async () => {
    const { code, stderr } = await folder.call(['--once'])
    expect([code, stderr]).toEqual([0, expect.any(String)])
    expect(story()).toEqual([
      'task_ok POLL_AND_DISPATCH',
      'task_skip ROOT_TASK_WRAPPER returned_skip',
      'run_finished skipped',
    ])
    expect(named('task_skip')[0]).toMatchObject({ detail: 'POLL_AND_DISPATCH gave no new files' })
  })

  test('with files: handed over once, consumed with the run’s success, and new when they are rewritten', async () => {
    await arrive('a.csv', 'b.csv')
    expect((await folder.call(['--once'])).code).toBe(0)
    expect(story()).toEqual([
      'files_dispatched POLL_AND_DISPATCH',
      'task_ok POLL_AND_DISPATCH',
      'task_ok ROOT_TASK_WRAPPER',
      'files_consumed',
      'run_finished success',
    ])
    expect(output('ROOT_TASK_WRAPPER')).toMatchObject({
      trigger_mode: 'schedule',
      dag_name: 'partner_files',
      schedule_id: 'partner_files',
      slot: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/),
      data_interval_end: expect.stringMatching(/Z$/),
      data_interval_start: expect.stringMatching(/Z$/),
      environment: 'default',
      attempt: 1,
      stages: { external_input_files: expect.stringContaining(inbox) },
    })
    // By hand it polls too: nothing is new.
    const again = await folder.call(['run', 'partner_files'])
    expect([again.code, story().at(-1)]).toEqual([0, 'run_finished skipped'])
    await arrive('b.csv')
    await folder.call(['run', 'partner_files'])
    expect(named('files_dispatched').at(-1)?.['files']).toEqual([
      { key: 'b.csv', version: expect.any(String) },
    ])
    expect(story().at(-1)).toBe('run_finished success')
  })

  test('a task gets the new files, and a run that fails hands them on', async () => {
    const failing = SEEN.replace('echo', 'test -e mended || exit 3; echo')
    example('partner_files', { and: `  tasks:${failing}` })
    await arrive('a.csv')
    expect((await folder.call(['--once'])).code).toBe(1)
    expect(story().slice(-3)).toEqual(['task_fail SEEN', 'files_released failed', 'run_finished failed'])
    folder.write('mended', '')
    expect((await folder.call(['run', 'partner_files'])).code).toBe(0)
    expect(output('SEEN')).toMatchObject({
      new_files: [{ key: 'a.csv', size: 5, uri: join(folder.root, inbox, 'a.csv') }],
      runtime: { trigger_mode: 'on-demand' },
    })
    expect(story().at(-2)).toBe('files_consumed')
    // SUPPORT was told of the failure; it is a command that writes a file.
    expect(folder.read('logs/notifications.jsonl')).toContain('partner_files')
  })

  /** They are there, and at rest for as long as the stage asks. */
  async function arrive(...names: string[]): Promise<void> {
    mkdirSync(join(folder.root, inbox), { recursive: true })
    for (const name of names) writeFileSync(join(folder.root, inbox, name), `${name}`)
    const writtenAt = Date.now()
    while (Date.now() - writtenAt <= STABLE_MS) await new Promise(resolve => setTimeout(resolve, 50))
  }
})

describe('the other modes', () => {
  test('schedule without input: new_files is empty, and the tasks run', async () => {
    example('morning_report', { 'USING CRON 30 7 * * MON-FRI Europe/Berlin': `"${EVERY_MINUTE}"`, and: SEEN })
    expect((await folder.call(['--once'])).code).toBe(0)
    expect(output('SEEN')).toMatchObject({ new_files: [], runtime: { trigger_mode: 'schedule' } })
    expect(story().at(-1)).toBe('run_finished success')
    expect(named('files_dispatched')).toEqual([])
  })

  test('triggered: records that are appended make a run; the stream goes on behind them', async () => {
    example('order_events', { and: SEEN })
    folder.write('logs/order_events.jsonl', '{"order": 1}\n{"order": 2}\n')
    const serving = await folder.serve()
    await folder.line('the first commit', ({ event }) => event === 'stream_committed')
    expect(output('SEEN')).toMatchObject({
      new_files: [{ order: 1 }, { order: 2 }],
      runtime: { trigger_mode: 'triggered' },
    })
    expect(named('run_requested')[0]).toMatchObject({
      cause: 'arrival',
      run_id: expect.stringMatching(/^order_events@arrival-/),
    })
    writeFileSync(join(folder.root, 'logs/order_events.jsonl'), '{"order": 3}\n', { flag: 'a' })
    await folder.line('the second commit', () => named('stream_committed').length === 2)
    expect(output('SEEN')['new_files']).toEqual([{ order: 3 }])
    serving.child.kill('SIGTERM')
    expect(await serving.ended).toBe(0)
    expect(story().slice(0, 3)).toEqual([
      'stream_taken CONSUME_STREAM',
      'task_ok CONSUME_STREAM',
      'task_ok ROOT_TASK_WRAPPER',
    ])
  })

  test('triggered, by hand, with nothing new: SKIP cascades', async () => {
    example('order_events', { and: SEEN })
    folder.write('logs/order_events.jsonl', '')
    expect((await folder.call(['run', 'order_events'])).code).toBe(0)
    expect(story()).toEqual([
      'task_ok CONSUME_STREAM',
      'task_skip ROOT_TASK_WRAPPER returned_skip',
      'task_skip BOOK upstream_skipped',
      'task_skip SEEN upstream_skipped',
      'run_finished skipped',
    ])
  })

  test('on-demand: once for each client, without new files', async () => {
    example('resend_statements', { and: SEEN })
    const { code, stdout } = await folder.call(['run', 'resend_statements'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('DAG EXECUTION COMPLETE')])
    expect(named('clients_found')[0]).toMatchObject({ clients: ['acme', 'globex'] })
    const sent = named('task_ok').filter(line => 'client_id' in line)
    expect(
      sent.map(line => line['output']).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    ).toEqual([{ sent_to: 'acme' }, { sent_to: 'globex' }])
    expect(output('SEND')).toEqual({ clients: 2, succeeded: 2, failed: 0, skipped: 0 })
    expect(output('SEEN')).toMatchObject({
      new_files: [],
      runtime: { trigger_mode: 'on-demand', slot: null },
    })
  })

  test.each([
    [
      'no business day: the slot is skipped with the reason, no run is made',
      'dates: [{ from: 2020-01-01, to: 2049-12-31, name: Closed }]',
      [],
    ],
    [
      'a business day: the run comes',
      'weekend: []',
      ['task_ok CLOSE', 'task_ok REPORT', 'run_finished success'],
    ],
  ])('CONDITIONAL_CRON, %s', async (_, days, tasks) => {
    example('close_of_business', { '0 18 * * *': EVERY_MINUTE })
    folder.write('configs/calendars/office.yaml', `name: office\n${days}\n`)
    expect(await folder.call(['--once'])).toMatchObject({ code: 0 })
    expect(story().filter(line => !line.includes('ROOT_TASK_WRAPPER'))).toEqual(tasks)
    const skipped = named('schedule_skipped')
    expect(skipped.map(({ reason }) => reason)).toEqual(tasks.length === 0 ? ['calendar'] : [])
    if (tasks.length > 0) expect(output('ROOT_TASK_WRAPPER')['trigger_mode']).toBe('CONDITIONAL_CRON')
    const why = await folder.call(['why', 'close_of_business'])
    expect(why.stdout).toContain(tasks.length === 0 ? 'Closed' : 'success')
  })

  test('the end of another DAG’s run makes one, and says whose it was', async () => {
    folder.write(
      'configs/dags/first.yaml',
      'dag:\n  tasks:\n    - { name: A, workflow_ref: shell, args: { command: "true" } }\n',
    )
    folder.write('configs/dags/second.yaml', `dag:\n  triggered: { after: [first] }\n  tasks:${SEEN}`)
    const serving = await folder.serve()
    expect((await folder.call(['trigger', 'first'])).code).toBe(0)
    await folder.line(
      'the second run’s end',
      line => line.event === 'run_finished' && line['dag_name'] === 'second',
    )
    expect(named('run_requested').at(-1)).toMatchObject({
      cause: 'after',
      params: { triggered_by: { dag_name: 'first', status: 'success' } },
    })
    serving.child.kill('SIGTERM')
    await serving.ended
  })

  test('over HTTP, with the token, and without it not', async () => {
    folder.write('configs/dags/pushed.yaml', `dag:\n  triggered: true\n  tasks:${SEEN}`)
    const token = 'a-token-of-sixteen-or-more'
    const serving = await folder.serve({ SCHED_HTTP: '127.0.0.1:0', SCHED_HTTP_TOKEN: token })
    const [, address] = /HTTP is served on (\S+)/.exec(serving.said()) ?? []
    const ask = (authorization: string) =>
      fetch(`http://${address}/api/v1/dags/pushed/runs`, { method: 'POST', headers: { authorization } })
    expect((await ask('Bearer another-token-of-sixteen')).status).toBe(401)
    const answer = await ask(`Bearer ${token}`)
    expect([answer.status, await answer.json()]).toEqual([
      202,
      expect.objectContaining({ dag_name: 'pushed' }),
    ])
    await folder.line('its end', ({ event }) => event === 'run_finished')
    expect(named('run_requested')).toEqual([expect.objectContaining({ cause: 'http' })])
    serving.child.kill('SIGTERM')
    await serving.ended
  })
})
