// Notifications with the real program: a webhook that fails twice and then accepts, one that is there again after kill -9, a
// recovery, failures in a row, and what `--once` does before it ends.

import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type JournalLine, SchedulerFolder } from '../support/scheduler-process.ts'

const SECRET = 'sesame-open-wide'

interface Call {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly message: {
    id: string
    subject: string
    notifications: { notification_id: string; outcome: string }[]
  }
}

let folder: SchedulerFolder
let server: Server
let calls: Call[]
let answer: (response: ServerResponse) => void
let env: Record<string, string>

beforeEach(async () => {
  folder = new SchedulerFolder()
  calls = []
  answer = response => response.end()
  server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    calls.push({ headers: request.headers, body, message: JSON.parse(body) })
    answer(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  env = { HOOK_URL: `http://127.0.0.1:${port}/hook?token=${SECRET}`, HOOK_SECRET: SECRET }
  folder.write(
    'configs/notifications.yaml',
    'channels:\n  OPS: { webhook_env: HOOK_URL, secret_env: HOOK_SECRET, timeout: 5s }\n' +
      '  FILE: { command: "cat >> told.jsonl" }\n',
  )
  defineDag('[OPS]')
})

afterEach(async () => {
  await folder.remove()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

function defineDag(notify: string, more = ''): void {
  folder.write(
    'configs/dags/flaky.yaml',
    `name: flaky\nnotify: ${notify}\n${more}tasks:\n  - { id: only, workflow_ref: shell, params: { command: "test -e good" } }\n`,
  )
}

const ended = (status: string, nth: number) =>
  folder.line(`${status} ${nth}`, line => line.event === status && countUpTo(line, status) === nth)

function countUpTo({ seq }: JournalLine, event: string): number {
  return folder.journal().filter(line => line.event === event && line.seq <= seq).length
}

const told = () =>
  folder
    .journal()
    .filter(({ event }) => event === 'notification_queued')
    .map(line => `${line['type']} ${line['subject']}`)

test('a failing DAG tells a webhook that fails twice and then accepts', { timeout: 60_000 }, async () => {
  const statuses = [503, 429, 200]
  answer = response => {
    response.statusCode = statuses[calls.length - 1] ?? 500
    if (response.statusCode === 429) response.setHeader('retry-after', '1')
    response.end('not now')
  }
  const { child, ended: gone } = await folder.serve(env)
  await folder.call(['trigger', 'flaky'])
  await ended('notification_sent', 1)

  expect(calls).toHaveLength(3)
  expect(new Set(calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  expect(new Set(calls.map(({ body }) => body)).size).toBe(1)
  const [{ headers, body, message }] = calls as [Call]
  expect(message).toMatchObject({ subject: 'DAG flaky failed', notifications: [{ outcome: 'failed' }] })
  const [, at, digest] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['dagbok-signature']))!
  expect(createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex')).toBe(digest)

  const story = folder.journal().filter(({ event }) => /^notification_|^run_finished/.test(event))
  expect(story.map(({ event, error }) => [event, error])).toEqual([
    ['run_finished', expect.stringContaining('RunnerError')],
    ['notification_queued', undefined],
    ['notification_retry', 'it answered 503'],
    ['notification_retry', 'it answered 429'],
    ['notification_sent', undefined],
  ])
  expect(folder.read('logs/orchestrator_state.jsonl')).not.toContain(SECRET)

  const { stdout } = await folder.call(['notifications', '--json'])
  expect(JSON.parse(stdout).items).toMatchObject([
    { notification_id: 'n1', channel: 'OPS', status: 'sent', attempts: 3, subject: 'DAG flaky failed' },
  ])
  child.kill('SIGTERM')
  expect(await gone).toBe(0)
})

test('killed between queued and sent: sent after the restart, as the same message', {
  timeout: 60_000,
}, async () => {
  const arrived = Promise.withResolvers<void>()
  answer = () => arrived.resolve()
  const { child, ended: gone } = await folder.serve(env)
  await folder.call(['trigger', 'flaky'])
  await arrived.promise
  child.kill('SIGKILL')
  await gone
  expect(folder.journal().map(({ event }) => event)).not.toContain('notification_sent')
  const waiting = await folder.call(['notifications', '--json'])
  expect(JSON.parse(waiting.stdout).items).toMatchObject([{ notification_id: 'n1', status: 'waiting' }])

  answer = response => response.end()
  await folder.serve(env)
  await ended('notification_sent', 1)
  expect(calls).toHaveLength(2)
  expect(calls[1]!.headers['idempotency-key']).toBe(calls[0]!.headers['idempotency-key'])
  expect(calls[1]!.message).toEqual(calls[0]!.message)
})

test('three failures in a row, a recovery, and neither again', { timeout: 60_000 }, async () => {
  defineDag('[OPS, FILE]', 'notification_type: [ON_ERROR, ON_RECOVERY]\nfailures_in_row: 3\n')
  await folder.serve(env)
  const trigger = async (nth: number) => {
    await folder.call(['trigger', 'flaky'])
    await ended('run_finished', nth)
  }
  await trigger(1)
  await trigger(2)
  expect(told()).toEqual([])
  await trigger(3)
  expect(told()).toEqual(['ON_ERROR DAG flaky failed', 'ON_ERROR DAG flaky failed'])
  folder.write('good', '')
  await trigger(4)
  await trigger(5)
  expect(told().slice(2)).toEqual(['ON_RECOVERY DAG flaky recovered', 'ON_RECOVERY DAG flaky recovered'])
  await ended('notification_sent', 4)
  const said = folder.read('told.jsonl').trimEnd().split('\n')
  expect(said.map(line => JSON.parse(line).subject)).toEqual(['DAG flaky failed', 'DAG flaky recovered'])
})

test('a changed channel is taken at once; a stop does not wait for one that hangs', {
  timeout: 60_000,
}, async () => {
  const arrived = Promise.withResolvers<void>()
  answer = () => arrived.resolve()
  const { child, ended: gone } = await folder.serve(env)
  folder.write('configs/notifications.yaml', 'channels: { OPS: { command: "cat >> other.jsonl" } }\n')
  await folder.call(['reload'])
  await folder.call(['trigger', 'flaky'])
  await ended('notification_sent', 1)
  expect(JSON.parse(folder.read('other.jsonl'))).toMatchObject({
    channel: 'OPS',
    subject: 'DAG flaky failed',
  })

  folder.write('configs/notifications.yaml', 'channels: { OPS: { webhook_env: HOOK_URL, timeout: 5m } }\n')
  await folder.call(['reload'])
  await folder.call(['trigger', 'flaky'])
  await arrived.promise
  const begin = performance.now()
  child.kill('SIGTERM')
  expect(await gone).toBe(0)
  expect(performance.now() - begin).toBeLessThan(10_000)
  const { stdout } = await folder.call(['notifications', '--json'])
  expect(JSON.parse(stdout).items.at(-1)).toMatchObject({
    notification_id: 'n2',
    status: 'waiting',
    attempts: 0,
  })
})

test('--once tells what it has before it ends, and leaves what it cannot', { timeout: 60_000 }, async () => {
  defineDag('[OPS, FILE]')
  folder.write('configs/schedules/s.yaml', '- { id: s, cron: "* * * * *", dag: flaky }\n')
  answer = () => {}
  const begin = performance.now()
  // The webhook hangs; its limit is 5 s.
  expect((await folder.call(['--once'], env)).code).toBe(1)
  expect(performance.now() - begin).toBeLessThan(20_000)
  expect(JSON.parse(folder.read('told.jsonl'))).toMatchObject({ subject: 'DAG flaky failed' })
  const { stdout } = await folder.call(['notifications'])
  expect(stdout).toMatch(/n2 +FILE +sent/)
  expect(stdout).toMatch(/n1 +OPS +waiting/)
})

test('notify test says what the other side answered; a channel that is not there is found out', {
  timeout: 60_000,
}, async () => {
  expect(await folder.call(['notify', 'test', 'FILE'])).toMatchObject({
    code: 0,
    stdout: 'sent to FILE (command)\n',
  })
  expect(JSON.parse(folder.read('told.jsonl'))).toMatchObject({ subject: 'Dagbok: a test' })
  answer = response => {
    response.statusCode = 410
    response.end('revoked')
  }
  const refused = await folder.call(['notify', 'test', 'OPS'], env)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('did not take it: it answered 410')
  expect(refused.stderr).toContain('revoked')
  const wrong = await folder.call(['notify', 'test', 'FIEL'])
  expect(wrong.code).toBe(4)
  expect(wrong.stderr).toContain('did you mean "FILE"?')
  defineDag('[SUPORT]')
  folder.write('configs/notifications.yaml', 'channels: { SUPPORT: { command: [cat] } }\n')
  const checked = await folder.call(['validate'])
  expect(checked.code).toBe(3)
  expect(checked.stderr + checked.stdout).toContain('unknown channel "SUPORT"')
  expect(checked.stderr + checked.stdout).toContain('did you mean "SUPPORT"?')
})
