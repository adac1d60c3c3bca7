// Loads a survey's files in a process that ends with the load: parsing takes a hundred times the memory of what comes of
// it, and holds up whatever runs beside it. (Of a thread the system gets its memory back late, and not all of it.)
//
//   1. A process that fails, however it does (an exception, its memory, a signal), is a problem of the file that it was
//      at, never an exception here: the daemon stays on its last good set.
//   2. A load that is called off leaves no process behind; nor does the end of this process, whatever it ends of.

import { type ChildProcess, fork } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'
import { DagbokError } from '../../core/error.ts'
import { makeFileProblem } from '../../definition/problem.ts'
import type { Definitions, LoadResult } from '../../ports/definition-source.ts'
import { Assembly, type HandoverMessage, type KnownLoad } from './definition-handover.ts'
import type { Survey } from './definition-survey.ts'

// The extension is of this file's own kind: src/*.ts in a checkout, dist/*.js in the package.
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('./definition-checker-entry.ts', import.meta.url)
  : new URL('./definition-checker-entry.js', import.meta.url)

/** Of what the process says before it dies. */
const STDERR_CHARACTERS = 4_096

export interface CheckerRequest {
  readonly survey: Survey
  readonly known: KnownLoad | undefined
}

export type CheckerAnswer =
  | HandoverMessage
  /** Said before each file, for the case that it does not come back from it. */
  | { readonly type: 'checking'; readonly file: string }
  | { readonly type: 'failed'; readonly reason: string }

export interface CheckerOptions {
  /** Heap of the process, MiB. */
  readonly heapLimitMb: number
  readonly signal: AbortSignal
  /** The last good set and what is known of it: unchanged parts are taken from there. */
  readonly last?: { readonly definitions: Definitions; readonly known: KnownLoad } | undefined
  /** What the process runs. Default: definition-checker-entry. */
  readonly entry?: URL | undefined
}

/** `unchanged`, or a result; `known` is there if the files were read to the end. */
export type CheckerLoad = 'unchanged' | { readonly result: LoadResult; readonly known: KnownLoad | undefined }

/**
 * Reads and checks the files of a survey. Never throws for what they say.
 * @throws DagbokError SCHEDULER_STOPPED if the signal calls it off
 */
export async function loadInProcess(survey: Survey, options: CheckerOptions): Promise<CheckerLoad> {
  const { heapLimitMb, signal, last, entry = ENTRY } = options
  if (signal.aborted) throw calledOff()
  const assembly = new Assembly(last?.definitions)
  let load: CheckerLoad | undefined
  let place: string | undefined
  let failure: string | undefined
  const child = start(entry, heapLimitMb)
  const kill = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const send = (message: unknown) => {
    // It may be gone: its exit says so.
    child.send(message as object, () => {})
  }
  child.on('message', (answer: CheckerAnswer) => {
    if (failure !== undefined) return
    if (answer.type === 'checking') place = answer.file
    else if (answer.type === 'failed') failure = answer.reason
    else if (answer.type === 'unchanged') load = answer.type
    else {
      try {
        load = take(assembly, answer)
        send('taken')
      } catch (error) {
        failure = (error as Error).message
        kill()
      }
    }
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS)
  })
  send({ survey, known: last?.known } satisfies CheckerRequest)
  const end = await new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
  })
  signal.removeEventListener('abort', kill)
  if (signal.aborted) throw calledOff()
  if (load !== undefined && failure === undefined) return load
  const why = /heap out of memory|heap limit/i.test(stderr) ? 'memory' : (failure ?? end)
  const where = place ?? survey.folders[0] ?? survey.ground.root
  return { result: tellFailure(why, where, heapLimitMb), known: undefined }
}

function start(entry: URL, heapLimitMb: number): ChildProcess {
  const cache = getCompileCacheDir()
  return fork(fileURLToPath(entry), {
    // A group of its own: Ctrl-C is for the scheduler, which then decides. When that is gone, the channel is closed.
    detached: true,
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    execArgv: [`--max-old-space-size=${heapLimitMb}`, '--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
}

function take(assembly: Assembly, message: HandoverMessage): CheckerLoad | undefined {
  if (message.type !== 'done') {
    assembly.take(message)
    return undefined
  }
  const { ok, fingerprint, far } = message
  return { result: assembly.finish(ok), known: { fingerprint, far } }
}

function tellFailure(why: string, place: string, heapLimitMb: number): LoadResult {
  const problem =
    why === 'memory'
      ? makeFileProblem(place, `checking the definitions took more than ${heapLimitMb} MiB of memory`, {
          help: 'it ended at this file: make it smaller, or give a second scheduler a part of the set',
        })
      : makeFileProblem(place, `the definitions could not be checked: ${why}`, {
          help: 'it ended at this file: if the system has memory and processes to spare, this is a fault of the scheduler; report it with the file',
        })
  return { ok: false, problems: [problem] }
}

function calledOff(): DagbokError {
  return new DagbokError('SCHEDULER_STOPPED', 'the definitions were not loaded: the scheduler stops', {
    hint: 'start it again: definitions are read at each start',
  })
}
