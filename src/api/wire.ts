// What both ends of the control socket must agree on. No zod and no sockets here: every command loads this file.
//
//   HTTP/1.1 over a Unix socket. POST /v1/<verb> with a JSON object, answered by one; GET /v1/events streams JSON lines.
//   A refusal is {"error":{code,message,hint,exit_code}} with the exit code that the command line would end with.

import { DagbokError, EXIT, type ExitCode } from '../core/error.ts'
import { isJsonObject } from '../core/json.ts'

/** Verbs of Control that take one object and give one. */
export const VERBS = [
  'trigger',
  'run_slot',
  'pause',
  'resume',
  'skip',
  'unskip',
  'cancel',
  'record',
  'status',
  'reload',
] as const
export type Verb = (typeof VERBS)[number]

/** A request's body may have this many bytes. */
export const MAX_BODY_BYTES = 1024 * 1024
/** A listener that has this many bytes still to read is dropped. */
export const MAX_UNREAD_BYTES = 1024 * 1024
/** An empty line goes out when nothing else did for so long. */
export const HEARTBEAT_MS = 10_000
/** A stream without even a heartbeat for so long is dead. */
export const SILENCE_MS = 35_000

export interface WireError {
  error: { code: string; message: string; hint?: string; exit_code: number }
}

/** The body that carries an error across. What is not a DagbokError crosses as INTERNAL, without its stack. */
export function encodeError(error: unknown): WireError {
  if (error instanceof DagbokError) {
    const { code, message, hint, exitCode } = error
    return { error: { code, message, ...(hint === undefined ? {} : { hint }), exit_code: exitCode } }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { error: { code: 'INTERNAL', message, exit_code: EXIT.runFailed } }
}

/** The error that a body carries; undefined if it carries none. */
export function decodeError(body: unknown): DagbokError | undefined {
  if (!isJsonObject(body) || !isJsonObject(body['error'])) return undefined
  const { code, message, hint, exit_code } = body['error']
  const known = Object.values(EXIT).find(value => value === exit_code && value !== EXIT.ok)
  return new DagbokError(
    String(code ?? 'INTERNAL'),
    String(message ?? 'the scheduler refused without a reason'),
    {
      exitCode: (known ?? EXIT.runFailed) as ExitCode,
      ...(typeof hint === 'string' ? { hint } : {}),
    },
  )
}

/** The HTTP status that suits an error, for those who speak to the socket with curl. */
export function httpStatusOf({ error }: WireError): number {
  if (error.code === 'CONTROL_REQUEST_TOO_LARGE') return 413
  if (error.code === 'CONTROL_VERB_UNKNOWN') return 404
  if (error.code === 'INTERNAL') return 500
  switch (error.exit_code) {
    case EXIT.usage:
      return 400
    case EXIT.configInvalid:
      return 422
    case EXIT.notFound:
      return 404
    case EXIT.conflict:
      return 409
    case EXIT.timeout:
      return 504
    default:
      return 503
  }
}
