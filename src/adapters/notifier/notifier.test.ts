import { createHmac, timingSafeEqual } from 'node:crypto'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aChannel } from '../../../test/support/builders.ts'
import type { ChannelTarget } from '../../core/notification/channel.ts'
import { makeMessage } from '../../core/notification/message.ts'
import type { Notification } from '../../core/notification/outbox.ts'
import { createNotifier } from './notifier.ts'

const AT = Date.parse('2026-01-05T06:00:00.000Z')
const SECRET = 'sesame-open-wide'

function notification(changes: Partial<Notification> = {}): Notification {
  return {
    id: 'n1',
    channel: 'SUPPORT',
    type: 'ON_ERROR',
    outcome: 'failed',
    dagName: 'etl',
    tenantId: 'acme',
    runId: 'etl@2026-01-05T06:00Z',
    subject: 'DAG etl failed',
    summary: '0 ok, 1 failed <@everyone>',
    queuedAt: AT,
    giveUpAt: AT + 3_600_000,
    ...changes,
  }
}

const message = (...notifications: Notification[]) =>
  makeMessage('SUPPORT', notifications.length === 0 ? [notification()] : notifications, 'j-1')

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

let root: string
let server: Server
let seen: Seen[]
let answer: (response: ServerResponse) => void
let variables: Record<string, string>
const never = new AbortController().signal

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'dagbok-notifier-')))
  seen = []
  answer = response => response.end('ok')
  server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body })
    answer(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  variables = { PATH: process.env['PATH']!, HOOK: `${base()}/hook?token=${SECRET}`, SECRET }
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  rmSync(root, { recursive: true, force: true })
})

const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

function send(target: ChannelTarget, what = message(), timeoutMs = 5_000, signal = never) {
  const notifier = createNotifier({ root, variables, version: '0.1' })
  return notifier.send(what, aChannel({ target, timeoutMs }), signal)
}

const hook: ChannelTarget = { kind: 'webhook', address: { urlEnv: 'HOOK' } }

describe('a webhook', () => {
  test('gets the message as JSON with its id, and a signature that it can verify', async () => {
    expect(await send({ ...hook, secretEnv: 'SECRET' })).toEqual({ kind: 'sent' })
    const [{ method, url, headers, body }] = seen as [Seen]
    expect([method, url, headers['content-type'], headers['idempotency-key'], headers['user-agent']]).toEqual(
      ['POST', `/hook?token=${SECRET}`, 'application/json; charset=utf-8', 'j-1:n1', 'dagbok/0.1'],
    )
    expect(JSON.parse(body)).toEqual({
      id: 'j-1:n1',
      channel: 'SUPPORT',
      subject: 'DAG etl failed',
      text: 'DAG etl failed\n0 ok, 1 failed <@everyone>\nrun etl@2026-01-05T06:00Z, told at 2026-01-05T06:00:00.000Z',
      notifications: [
        {
          notification_id: 'n1',
          type: 'ON_ERROR',
          outcome: 'failed',
          dag_name: 'etl',
          tenant_id: 'acme',
          run_id: 'etl@2026-01-05T06:00Z',
          subject: 'DAG etl failed',
          summary: '0 ok, 1 failed <@everyone>',
          queued_at: '2026-01-05T06:00:00.000Z',
        },
      ],
    })
    // As the guide says it is verified.
    const [, at, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['dagbok-signature']))!
    expect(Math.abs(Number(at) - Date.now() / 1_000)).toBeLessThan(60)
    const made = createHmac('sha256', SECRET).update(`${at}.${body}`).digest()
    expect(timingSafeEqual(made, Buffer.from(given!, 'hex'))).toBe(true)
  })

  test.each([
    [503, { kind: 'failed', error: 'it answered 503' }],
    [429, { kind: 'failed', error: 'it answered 429', retryAfterMs: 90_000 }],
    [408, { kind: 'failed', error: 'it answered 408' }],
    [404, { kind: 'refused', error: 'it answered 404' }],
    [302, { kind: 'refused', error: 'it answered 302: redirects are not followed' }],
  ])('that answers %i', async (status, result) => {
    answer = response => {
      response.writeHead(status, {
        location: `${base()}/elsewhere`,
        ...(status === 429 ? { 'retry-after': '90' } : {}),
      })
      response.end('because')
    }
    expect(await send(hook)).toEqual({ ...result, detail: `it answered ${status}: because` })
    expect(seen).toHaveLength(1)
  })

  test('that asks for patience until a date', async () => {
    answer = response =>
      response.writeHead(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).end()
    const { retryAfterMs } = (await send(hook)) as { retryAfterMs: number }
    expect(retryAfterMs).toBeGreaterThan(55_000)
    expect(retryAfterMs).toBeLessThanOrEqual(60_000)
  })

  test('that hangs is left at the time limit, and one that talks without end is not listened to', async () => {
    answer = () => {}
    const begin = performance.now()
    expect(await send(hook, message(), 150)).toEqual({ kind: 'failed', error: 'no answer within 150ms' })
    expect(performance.now() - begin).toBeLessThan(2_000)
    let written = 0
    answer = response => {
      response.writeHead(500)
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384
      }
      response.on('drain', pour)
      pour()
    }
    expect(await send(hook)).toMatchObject({ kind: 'failed', error: 'it answered 500' })
    expect(written).toBeLessThan(16_000_000)
  })

  test('that is not there: neither its URL nor its secret is in what is kept', async () => {
    const port = (server.address() as AddressInfo).port
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    const result = await send(hook)
    expect(result).toMatchObject({ kind: 'failed', error: 'no answer: ECONNREFUSED' })
    const { detail: _, ...kept } = result
    expect(JSON.stringify(kept)).not.toContain(SECRET)
    expect(JSON.stringify(kept)).not.toContain(String(port))
    server.listen(0)
  })

  test('whose variables are not set, or hold no URL', async () => {
    expect(await send({ kind: 'webhook', address: { urlEnv: 'NOWHERE' } })).toEqual({
      kind: 'failed',
      error: 'the environment variable NOWHERE is not set',
    })
    expect(await send({ ...hook, secretEnv: 'NOTHING' })).toEqual({
      kind: 'failed',
      error: 'the environment variable NOTHING is not set',
    })
    variables['HOOK'] = SECRET
    expect(await send(hook)).toEqual({
      kind: 'failed',
      error: 'the environment variable HOOK holds no http or https URL',
    })
  })

  test('a stop calls it off', async () => {
    answer = () => {}
    const stop = new AbortController()
    const sent = send(hook, message(), 60_000, stop.signal)
    setTimeout(() => stop.abort(), 50)
    expect(await sent).toEqual({ kind: 'failed', error: 'the scheduler stopped' })
  })
})

describe('people', () => {
  test('Slack: text in which nothing is markup', async () => {
    expect(await send({ kind: 'slack', address: { urlEnv: 'HOOK' } })).toEqual({ kind: 'sent' })
    const { text } = JSON.parse(seen[0]!.body)
    expect(text).toContain('DAG etl failed\n0 ok, 1 failed &lt;@everyone&gt;')
  })

  test('Teams: a card; several notifications are a list', async () => {
    const both = message(notification(), notification({ id: 'n2', subject: 'DAG load failed' }))
    expect(await send({ kind: 'teams', address: { urlEnv: 'HOOK' } }, both)).toEqual({ kind: 'sent' })
    expect(seen[0]!.headers['idempotency-key']).toBe('j-1:n1-n2')
    const [title, text] = JSON.parse(seen[0]!.body).attachments[0].content.body
    expect(title.text).toBe('2 notifications: DAG etl failed, …')
    expect(text.inlines[0].text).toContain('DAG load failed')
  })
})

describe("a dead man's switch", () => {
  const ping = (...outcomes: Notification['outcome'][]) =>
    send(
      { kind: 'ping', address: { url: `${base()}/p/1?x=1` } },
      message(...outcomes.map((outcome, index) => notification({ id: `n${index + 1}`, outcome }))),
    )
  const said = () => seen.splice(0).map(({ method, url }) => `${method} ${url}`)

  test('says alive, fail, and of several the failure first', async () => {
    await ping('success')
    expect(said()).toEqual(['GET /p/1?x=1'])
    await ping('failed')
    expect(said()).toEqual(['GET /p/1/fail?x=1'])
    await ping('success', 'failed', 'success')
    expect(said()).toEqual(['GET /p/1/fail?x=1', 'GET /p/1?x=1'])
    expect(await ping('cancelled')).toEqual({ kind: 'sent' })
    expect(said()).toEqual([])
  })
})

describe('e-mail', () => {
  let mail: SMTPServer
  let letters: string[]
  let refuse: number | undefined

  beforeEach(async () => {
    letters = []
    refuse = undefined
    mail = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onAuth: ({ username, password }, _session, done) =>
        username === 'me' && password === SECRET ? done(null, { user: 'me' }) : done(new Error('no')),
      onRcptTo: (_address, _session, done) => {
        if (refuse === undefined) return done()
        done(Object.assign(new Error('refused'), { responseCode: refuse }))
      },
      onData: (stream, _session, done) => {
        let text = ''
        stream.on('data', part => {
          text += part
        })
        stream.on('end', () => {
          letters.push(text)
          done()
        })
      },
    })
    await new Promise<void>(resolve => mail.listen(0, '127.0.0.1', () => resolve()))
    const { port } = mail.server.address() as AddressInfo
    variables['SMTP'] = `smtp://me:${SECRET}@127.0.0.1:${port}`
  })

  afterEach(() => new Promise<void>(resolve => mail.close(() => resolve())))

  const target: ChannelTarget = {
    kind: 'email',
    to: ['ops@example.org', 'night@example.org'],
    from: 'Dagbok <dagbok@example.org>',
    smtpEnv: 'SMTP',
  }

  test('is a letter with the id of the message', async () => {
    expect(await send(target)).toEqual({ kind: 'sent' })
    expect(letters).toHaveLength(1)
    expect(letters[0]).toMatch(/^Subject: DAG etl failed\r$/m)
    expect(letters[0]).toMatch(/^To: ops@example.org, night@example.org\r$/m)
    expect(letters[0]).toMatch(/^Message-ID: <j-1.n1@dagbok>\r$/m)
    expect(letters[0]).toMatch(/^Idempotency-Key: j-1:n1\r$/m)
    expect(letters[0]).toContain('run etl@2026-01-05T06:00Z')
  })

  test('a subject holds no second header', async () => {
    expect(await send(target, message(notification({ subject: 'a\r\nBcc: evil@example.org' })))).toEqual({
      kind: 'sent',
    })
    const [head = ''] = letters[0]!.split('\r\n\r\n')
    expect(head).toMatch(/^Subject: a Bcc: evil@example.org\r$/m)
    expect(head).not.toMatch(/^Bcc:/m)
  })

  test('a server that refuses for good, for now, or does not know us', async () => {
    refuse = 550
    expect(await send(target)).toMatchObject({ kind: 'refused', error: 'it answered 550' })
    refuse = 451
    expect(await send(target)).toMatchObject({ kind: 'failed', error: 'it answered 451' })
    variables['SMTP'] = variables['SMTP']!.replace(SECRET, 'wrong')
    expect(await send(target)).toMatchObject({ kind: 'failed', error: 'it answered 535' })
    variables['SMTP'] = 'https://example.org'
    expect(await send(target)).toEqual({
      kind: 'failed',
      error: 'the environment variable SMTP holds no smtp or smtps URL',
    })
  })

  test('a server that says nothing is left at the time limit', async () => {
    const silent = createTcpServer(() => {})
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    variables['SMTP'] = `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`
    expect(await send(target, message(), 200)).toEqual({ kind: 'failed', error: 'no answer within 200ms' })
    await new Promise(resolve => silent.close(resolve))
  })
})

describe('a command', () => {
  test('gets the message on its stdin and its facts in DAGBOK_*, and none of our secrets', async () => {
    const command = 'cat > said.json; echo "$DAGBOK_DAG $DAGBOK_OUTCOME $DAGBOK_MESSAGE_ID [$HOOK]" > facts'
    expect(await send({ kind: 'command', command })).toEqual({ kind: 'sent' })
    expect(JSON.parse(readFileSync(join(root, 'said.json'), 'utf8'))).toMatchObject({ id: 'j-1:n1' })
    expect(readFileSync(join(root, 'facts'), 'utf8')).toBe('etl failed j-1:n1 []\n')
  })

  test('a list is run as it stands; one that does not read its stdin is fine', async () => {
    expect(
      await send({ kind: 'command', command: ['sh', '-c', 'echo "$1" > word', 'sh', 'a b; c'] }),
    ).toEqual({
      kind: 'sent',
    })
    expect(readFileSync(join(root, 'word'), 'utf8')).toBe('a b; c\n')
  })

  test('that fails, or is not there', async () => {
    expect(await send({ kind: 'command', command: 'echo no such list >&2; exit 3' })).toEqual({
      kind: 'failed',
      error: 'the command ended with exit code 3',
      detail: 'the command ended with exit code 3: no such list',
    })
    expect(await send({ kind: 'command', command: ['./missing'] })).toMatchObject({
      kind: 'failed',
      error: 'the command ended with exit code 127',
    })
  })

  test('is ended with all of its group at the time limit', async () => {
    const begin = performance.now()
    const command = 'trap "" TERM; (sleep 60 & echo $! > child; wait)'
    expect(await send({ kind: 'command', command }, message(), 300)).toEqual({
      kind: 'failed',
      error: 'no answer within 300ms',
    })
    expect(performance.now() - begin).toBeLessThan(5_000)
    const child = Number(readFileSync(join(root, 'child'), 'utf8'))
    await expect.poll(() => isAlive(child)).toBe(false)
  })
})

function isAlive(pid: number): boolean {
  try {
    // A zombie is nobody.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
