// The doors of a session: where others ask.

import { serveControl } from '../adapters/control-socket/server.ts'
import { createNotifier as createNotifierOf } from '../adapters/notifier/notifier.ts'
import type { Session } from '../api/session.ts'
import type { Settings } from '../config.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import type { SchedulerMode } from '../core/state-machine/event.ts'
import type { HttpServer } from '../http/server.ts'
import type { Notifier } from '../ports/notifier.ts'
import { VERSION } from '../version.ts'
import type { Note } from './files.ts'

/** Characters of the token that callers over HTTP show. */
const TOKEN_MIN = 16

/** A daemon that nobody can reach is of no use; a `--once` or a `run` does its work without. */
export async function openSocket(
  { control }: Session,
  { socketPath }: Settings,
  mode: SchedulerMode,
  note: Note,
) {
  try {
    return await serveControl({ control, socketPath })
  } catch (error) {
    if (mode === 'serve') throw error
    note('warn', `no control socket: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** Whoever may trigger runs over the network must know a secret: without one the door stays shut. */
export async function openHttp(
  { control }: Session,
  { httpListen }: Settings,
  note: Note,
): Promise<HttpServer | undefined> {
  if (httpListen === undefined) return undefined
  const token = process.env['SCHED_HTTP_TOKEN'] ?? ''
  if (token.length < TOKEN_MIN)
    throw new DagbokError(
      'HTTP_UNAVAILABLE',
      `HTTP needs a token of ${TOKEN_MIN} characters or more in SCHED_HTTP_TOKEN, got ${token.length}`,
      { hint: 'SCHED_HTTP_TOKEN=$(openssl rand -hex 24)', exitCode: EXIT.configInvalid },
    )
  const { serveHttp } = await import('../http/server.ts')
  const door = await serveHttp({ control, listen: httpListen, token })
  note('info', `HTTP is served on ${door.address}`)
  return door
}

/** What carries messages to channels. */
export function createNotifier({ root }: Settings): Notifier {
  return createNotifierOf({ root, variables: process.env, version: VERSION })
}
