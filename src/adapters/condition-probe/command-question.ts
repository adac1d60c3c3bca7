// What does a command say? 0 is yes, 1 is no, anything else is that nobody knows.
//
//   1. It runs in a process group of its own, which ends with the question: nothing that it left in the group goes on.
//      It also ends when the scheduler does, whatever that ends of.
//   2. Its environment is that of a `shell` task: no secret that the scheduler was started with is in it. The facts of
//      the slot are variables; a shell text is never put together from them.
//   3. Of its output the last 4 KiB are kept, whatever it writes.

import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { type Environment, pickBase } from '../../core/attempt/environment.ts'
import { factsOf, fillMarks } from '../../core/condition/occasion.ts'
import type { Answer, Occasion } from '../../core/condition/question.ts'
import { clip } from '../../core/json.ts'
import { type Asker, describeFailure } from './asker.ts'

const SHELL = '/bin/sh'

/**
 * Runs "$@" with nothing on its stdin, and kills the group when the scheduler's end of the pipe is closed. The trap lets it
 * wait for a command that takes its time to end; the command itself does not have it.
 */
const GUARD = 'trap : TERM; exec 3<&0 </dev/null; (read -r _ <&3; kill -KILL 0) & "$@" 3<&-'
/** How a shell says that what it was to run is not there, cannot be run, or was ended by a signal (this and its number). */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const SIGNALLED = 128
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000
/** Output that is still on its way when the command has ended. */
const DRAIN_MS = 200
const TAIL_BYTES = 4_096
const LINE_CHARACTERS = 500

export function createCommandAsker({
  root,
  environment = process.env,
}: {
  root: string
  environment?: Readonly<Record<string, string | undefined>> | undefined
}): Asker<'command'> {
  const base = pickBase(environment)
  return ({ command }, occasion, stop) => {
    const argv =
      typeof command === 'string' ? [SHELL, '-c', command] : command.map(word => fillMarks(word, occasion))
    return run(argv, { cwd: root, env: { ...base, ...describeOccasion(occasion) } }, stop)
  }
}

/** The names that a `shell` task sees too, and the date. */
function describeOccasion(occasion: Occasion): Environment {
  return {
    DAGBOK_DAG: occasion.dagName,
    DAGBOK_TENANT: occasion.tenantId,
    DAGBOK_SCHEDULE: occasion.scheduleId,
    DAGBOK_SLOT: occasion.slot,
    DAGBOK_DATE: factsOf(occasion).date,
    ...(occasion.clientId === undefined ? {} : { DAGBOK_CLIENT_ID: occasion.clientId }),
  }
}

async function run(
  argv: readonly string[],
  place: { cwd: string; env: Environment },
  stop: AbortSignal,
): Promise<Answer> {
  const child = spawn(SHELL, ['-c', GUARD, 'sh', ...argv], { ...place, detached: true, stdio: 'pipe' })
  child.stdin.on('error', () => {
    // Nothing is written to it: its end is what counts.
  })
  const output = keepTail(child.stdout)
  const complaint = keepTail(child.stderr)
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    killGroup(child, 'SIGTERM')
    timer = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS)
  }
  stop.addEventListener('abort', end, { once: true })
  try {
    const { code, signal, failure } = await endOf(child)
    if (failure !== undefined)
      return { error: `no command can be started in ${place.cwd}: ${describeFailure(failure)}` }
    killGroup(child, 'SIGKILL')
    await drained(child)
    if (signal !== null) return { error: `the command was ended by ${signal}` }
    if (code === 0 || code === 1)
      return { holds: code === 0, saw: { exit_code: code, output: lastLine(output()) } }
    const unstarted = sayUnstarted(code, argv[0] ?? '')
    if (unstarted !== undefined) return { error: unstarted }
    const said = lastLine(complaint()) || lastLine(output())
    return { error: `the command ended with exit code ${code}${said === '' ? '' : `: ${said}`}` }
  } finally {
    stop.removeEventListener('abort', end)
    clearTimeout(timer)
    child.stdout.destroy()
    child.stderr.destroy()
    child.stdin.destroy()
  }
}

function endOf(child: ChildProcess): Promise<{
  code: number | null
  signal: NodeJS.Signals | null
  failure?: NodeJS.ErrnoException
}> {
  return new Promise(resolve => {
    child.once('error', failure => resolve({ code: null, signal: null, failure }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

/** Until all output is there, or a moment has passed: somebody outside the group may hold the pipe. */
function drained(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, DRAIN_MS)
    child.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
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
  stream.on('error', () => {
    // What was read is what there is.
  })
  return () => tail.toString('utf8')
}

function lastLine(text: string): string {
  return clip(text.trimEnd().split('\n').at(-1)!.trim(), LINE_CHARACTERS)
}

/** Why the shell could not do what it was told; undefined if it did. */
function sayUnstarted(code: number | null, program: string): string | undefined {
  const name = JSON.stringify(clip(program, 100))
  if (program !== SHELL && code === NOT_FOUND) return `the program ${name} was not found`
  if (program !== SHELL && code === NOT_EXECUTABLE) return `the program ${name} cannot be executed`
  const signal = code !== null && code > SIGNALLED ? nameSignal(code - SIGNALLED) : undefined
  return signal === undefined ? undefined : `the command was ended by ${signal}`
}

function nameSignal(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, each]) => each === number)?.[0]
}
