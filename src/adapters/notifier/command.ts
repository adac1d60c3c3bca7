// A command is given the message: as one line of JSON on its stdin, and the facts of the first notification in DAGBOK_*.
//
//   1. It runs in a process group of its own, which ends with the attempt: at its time limit, and when the scheduler does.
//   2. Its environment is that of a `shell` task: no secret that the scheduler was started with is in it.
//   3. Exit code 0 is yes. Everything else is tried again.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type Environment, pickBase } from '../../core/attempt/environment.ts'
import { clip } from '../../core/json.ts'
import { type Message, messageBody } from '../../core/notification/message.ts'
import type { SendResult } from '../../ports/notifier.ts'
import type { Carrier, Variables } from './carrier.ts'

const SHELL = '/bin/sh'
/**
 * Runs "$@", and kills the group when the scheduler's end of the pipe (3) is closed. The trap lets it wait for a command that
 * takes its time to end; the command itself does not have it.
 */
const GUARD = 'trap : TERM; (read -r _ <&3; kill -KILL 0) & "$@" 3<&-'
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 1_000
const TAIL_BYTES = 4_096
const DETAIL_CHARACTERS = 500

export function createCommand({
  root,
  variables,
}: {
  root: string
  variables: Variables
}): Carrier<'command'> {
  const base = pickBase(variables)
  return (message, { command }, stop) => {
    const argv = typeof command === 'string' ? [SHELL, '-c', command] : command
    return run(argv, { cwd: root, env: { ...base, ...describe(message) } }, message, stop)
  }
}

function describe({ id, channel, subject, notifications }: Message): Environment {
  const { type, outcome, dagName, tenantId, runId, scheduleId, slot } = notifications[0]!
  const facts = {
    DAGBOK_MESSAGE_ID: id,
    DAGBOK_CHANNEL: channel,
    DAGBOK_SUBJECT: subject,
    DAGBOK_TYPE: type,
    DAGBOK_OUTCOME: outcome,
    DAGBOK_DAG: dagName,
    DAGBOK_TENANT: tenantId,
    DAGBOK_RUN_ID: runId,
    DAGBOK_SCHEDULE: scheduleId,
    DAGBOK_SLOT: slot,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Environment
}

async function run(
  argv: readonly string[],
  place: { cwd: string; env: Environment },
  message: Message,
  stop: AbortSignal,
): Promise<SendResult> {
  stop.throwIfAborted()
  const stdio: 'pipe'[] = ['pipe', 'pipe', 'pipe', 'pipe']
  const child = spawn(SHELL, ['-c', GUARD, 'sh', ...argv], { ...place, detached: true, stdio })
  for (const stream of child.stdio)
    stream?.on('error', () => {
      // Whoever does not read what it is given need not.
    })
  const said = keepTail(child.stderr as Readable)
  child.stdout?.resume()
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    killGroup(child, 'SIGTERM')
    timer = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS)
  }
  stop.addEventListener('abort', end, { once: true })
  child.stdin?.end(`${JSON.stringify(messageBody(message))}\n`)
  try {
    const { code, signal, failure } = await endOf(child)
    killGroup(child, 'SIGKILL')
    if (stop.aborted) throw stop.reason
    if (code === 0) return { kind: 'sent' }
    if (failure !== undefined)
      return { kind: 'failed', error: 'the command could not be started', detail: failure.message }
    const error =
      signal === null ? `the command ended with exit code ${code}` : `the command was ended by ${signal}`
    return { kind: 'failed', error, detail: clip(`${error}: ${said().trim()}`, DETAIL_CHARACTERS) }
  } finally {
    stop.removeEventListener('abort', end)
    clearTimeout(timer)
    for (const stream of child.stdio) stream?.destroy()
  }
}

function endOf(child: ChildProcess): Promise<{
  code: number | null
  signal: NodeJS.Signals | null
  failure?: Error
}> {
  return new Promise(resolve => {
    child.once('error', failure => resolve({ code: null, signal: null, failure }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}

function keepTail(stream: Readable): () => string {
  let tail = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES)
  })
  return () => tail.toString('utf8')
}
