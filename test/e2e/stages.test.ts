// Stages through the binary: made on load, polled in a folder and in a bucket, consumed with the run's success, handed over
// again after any other end.

import { existsSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CREDENTIALS, type S3Double, startS3Double } from '../support/s3-double.ts'
import { SchedulerFolder } from '../support/scheduler-process.ts'

let folder: SchedulerFolder
beforeEach(() => {
  folder = new SchedulerFolder()
})
afterEach(() => folder.remove())

/** A task that fails while there is a file called `fail`. */
function manifest(input: string, others = ''): string {
  return `dag:
  name: orders
  schedule: "0 0 1 1 *"
  stages:
    external_input_files: { ${input}, pattern: "*.csv", order: name, stable_for: 0s, max_files: 2 }
${others}  tasks:
    - name: COUNT
      target_sp: shell
      args: { command: 'test ! -e fail && echo "{\\"seen\\": $DAGBOK_PARAM_NEW_FILES}"' }
`
}

/** What the task of the last run saw. */
function seen(): string[] {
  const output = folder.journal().findLast(({ task_id, event }) => task_id === 'COUNT' && event === 'task_ok')
  const { seen = [] } = (output?.['output'] ?? {}) as { seen?: { uri: string }[] }
  return seen.map(({ uri }) => uri)
}

const runOrders = async (env: Record<string, string> = {}) => (await folder.call(['run', 'orders'], env)).code

async function countsOf(env: Record<string, string> = {}): Promise<[number, number]> {
  const { stdout } = await folder.call(['stages', '--json'], env)
  const [input] = JSON.parse(stdout).items as { consumed: number; in_flight: number }[]
  return [input!.consumed, input!.in_flight]
}

describe('a folder', () => {
  const others = '    internal_exposed_files:\n    resources_static: { path: static }\n'
  beforeEach(() => folder.write('configs/dags/orders.yaml', manifest('path: data/in', others)))

  test('is made; its files are handed over once, again after a failure, and anew when they are rewritten', async () => {
    expect(await runOrders()).toBe(0)
    expect(folder.journal().find(({ event }) => event === 'run_finished')).toMatchObject({
      status: 'skipped',
    })
    const modes = ['data/in', 'stages/orders/internal_exposed_files', 'static'].map(
      path => statSync(join(folder.root, path)).mode & 0o777,
    )
    expect(modes).toEqual([0o770, 0o755, 0o750])

    for (const key of ['a.csv', 'b.csv', 'c.csv', 'd.txt', 'e.csv.part']) folder.write(`data/in/${key}`, key)
    const at = (...keys: string[]) => keys.map(key => join(folder.root, 'data/in', key))
    folder.write('fail', '')
    expect(await runOrders()).toBe(1)
    expect(await countsOf()).toEqual([0, 0])
    unlinkSync(join(folder.root, 'fail'))

    expect(await runOrders()).toBe(0)
    expect(seen()).toEqual(at('a.csv', 'b.csv'))
    expect(await countsOf()).toEqual([2, 0])
    expect(await runOrders()).toBe(0)
    expect(seen()).toEqual(at('c.csv'))
    folder.write('data/in/a.csv', 'rewritten')
    unlinkSync(join(folder.root, 'data/in/b.csv'))
    expect(await runOrders()).toBe(0)
    expect(seen()).toEqual(at('a.csv'))
    // `b.csv` is there no more, and forgotten.
    expect(await countsOf()).toEqual([2, 0])
    expect(existsSync(join(folder.root, 'data/in/e.csv.part'))).toBe(true)
  }, 60_000)

  test('that went away fails the poll with words', async () => {
    folder.write('data/in', 'a file where the folder should be')
    const { code, stderr } = await folder.call(['run', 'orders'])
    expect(code).toBe(1)
    expect(stderr).toContain('data/in is there, but it is no folder')
    expect(folder.journal().find(({ event }) => event === 'task_fail')).toMatchObject({
      task_id: 'POLL_AND_DISPATCH',
      error: { kind: 'stage_unreadable', message: expect.stringContaining('it is no folder (ENOTDIR)') },
    })
  })
})

describe('a bucket', () => {
  let s3: S3Double
  beforeEach(async () => {
    s3 = await startS3Double({ pageSize: 2 })
    s3.makeBucket('partner')
  })
  afterEach(() => s3.close())

  test('is read to its last page, with the credentials of the environment', async () => {
    const env = {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    }
    folder.write('configs/dags/orders.yaml', manifest(`s3: "s3://partner/in", endpoint: "${s3.endpoint}"`))
    for (const key of ['d.csv', 'b.csv', 'c.csv', 'a.txt', 'e.txt']) s3.put('partner', `in/${key}`, key)
    s3.slowDowns = 1
    expect(await runOrders(env)).toBe(0)
    expect(seen()).toEqual(['s3://partner/in/b.csv', 's3://partner/in/c.csv'])
    expect(await runOrders(env)).toBe(0)
    expect(seen()).toEqual(['s3://partner/in/d.csv'])
    expect(await countsOf(env)).toEqual([3, 0])
    expect(s3.refused).toEqual([])
  }, 60_000)
})
