// E-mail over SMTP. The server and its password are in an environment variable: smtp://user:password@host:587, smtps:// for
// TLS from the first byte. A password goes over a connection with TLS only, but to this machine itself.

import { connect, isIP, type Socket } from 'node:net'
import type { SendResult } from '../../ports/notifier.ts'
import { type Carrier, readVariable, SettingMissing, type Variables } from './carrier.ts'
import { createHostLookup } from './host-lookup.ts'

const PORTS: Readonly<Record<string, number>> = { 'smtp:': 587, 'smtps:': 465 }

export function createEmail(variables: Variables): Carrier<'email'> {
  const lookUp = createHostLookup()
  return async (message, { to, from, smtpEnv }, stop) => {
    const url = readServer(readVariable(variables, smtpEnv), smtpEnv)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const [found] = await lookUp(host, stop)
    const socket = await open(found!.address, Number(url.port || PORTS[url.protocol]), stop)
    const end = () => socket.destroy()
    stop.addEventListener('abort', end, { once: true })
    const hasPassword = url.username !== ''
    try {
      // Loaded only when there is something to send: it is larger than the rest of this folder.
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({
        host,
        connection: socket,
        secure: url.protocol === 'smtps:',
        requireTLS: hasPassword && !isLoopback(found!.address),
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(isIP(host) === 0 ? { tls: { servername: host } } : {}),
        ...(hasPassword
          ? { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }
          : {}),
      })
      await transport.sendMail({
        from,
        to: [...to],
        subject: message.subject,
        text: message.text,
        messageId: `<${message.id.replace(/[^\w.-]+/g, '.')}@dagbok>`,
        headers: { 'Idempotency-Key': message.id, 'Auto-Submitted': 'auto-generated' },
      })
      return { kind: 'sent' }
    } catch (error) {
      if (stop.aborted) throw stop.reason
      return judge(error)
    } finally {
      stop.removeEventListener('abort', end)
      socket.destroy()
    }
  }
}

/** @throws SettingMissing */
function readServer(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && url.protocol in PORTS && url.hostname !== '') return url
  throw new SettingMissing(`the environment variable ${name} holds no smtp or smtps URL`)
}

async function open(host: string, port: number, stop: AbortSignal): Promise<Socket> {
  stop.throwIfAborted()
  const socket = connect({ host, port })
  const opened = Promise.withResolvers<void>()
  const end = () => opened.reject(stop.reason)
  stop.addEventListener('abort', end, { once: true })
  socket.once('connect', () => opened.resolve())
  // It stays: a connection that breaks later is told by whoever uses it.
  socket.on('error', opened.reject)
  try {
    await opened.promise
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    stop.removeEventListener('abort', end)
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

/** A server that says 5xx to the letter itself will say so again; a password may be set right. */
function judge(error: unknown): SendResult {
  const { code, responseCode, message } = error as { code?: string; responseCode?: number; message?: string }
  const words =
    responseCode === undefined ? `SMTP failed: ${code ?? 'no answer'}` : `it answered ${responseCode}`
  const isForGood = code !== 'EAUTH' && responseCode !== undefined && responseCode >= 500
  const detail = message === undefined ? {} : { detail: message }
  return { kind: isForGood ? 'refused' : 'failed', error: words, ...detail }
}
