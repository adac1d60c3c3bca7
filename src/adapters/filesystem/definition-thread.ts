// Loads a survey's files in a thread that ends with the load: parsing takes a hundred times the memory of what comes of
// it, and holds up whatever runs beside it. With the thread its whole heap goes back to the system.
//
//   1. A thread that fails, however it does (an exception, its memory, an exit), is a problem of the file that it was
//      at, never an exception here: the daemon stays on its last good set.
//   2. A load that is called off leaves no thread behind.

import { getCompileCacheDir } from 'node:module'
import { Worker } from 'node:worker_threads'
import { DagbokError } from '../../core/error.ts'
import { makeFileProblem } from '../../definition/problem.ts'
import type { Definitions, LoadResult } from '../../ports/definition-source.ts'
import { Assembly, type HandoverMessage, type KnownLoad } from './definition-handover.ts'
import type { Survey } from './definition-survey.ts'
import { createPlace, readPlace } from './thread-place.ts'

// The extension is of this file's own kind: src/*.ts in a checkout, dist/*.js in the package.
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './definition-thread-entry.ts' : './definition-thread-entry.js',
  import.meta.url,
)

/** What the thread is given. */
export interface ThreadTask {
  readonly survey: Survey
  readonly known: KnownLoad | undefined
  /** Where it notes which file it is at. */
  readonly place: SharedArrayBuffer
  readonly compileCacheDir: string | undefined
}

export interface ThreadOptions {
  /** Heap of the thread, MiB. */
  readonly heapLimitMb: number
  readonly signal: AbortSignal
  /** The last good set and what is known of it: unchanged parts are taken from there. */
  readonly last?: { readonly definitions: Definitions; readonly known: KnownLoad } | undefined
  /** What the thread runs. Default: definition-thread-entry. */
  readonly entry?: URL | undefined
}

/** `unchanged`, or a result; `known` is there if the files were read to the end. */
export type ThreadLoad = 'unchanged' | { readonly result: LoadResult; readonly known: KnownLoad | undefined }

/**
 * Reads and checks the files of a survey. Never throws for what they say.
 * @throws DagbokError SCHEDULER_STOPPED if the signal calls it off
 */
export async function loadInThread(survey: Survey, options: ThreadOptions): Promise<ThreadLoad> {
  const { heapLimitMb, signal, last, entry = ENTRY } = options
  if (signal.aborted) throw calledOff()
  const place = createPlace()
  const task: ThreadTask = { survey, known: last?.known, place, compileCacheDir: getCompileCacheDir() }
  const worker = new Worker(entry, {
    name: 'definitions',
    workerData: task,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapLimitMb },
  })
  const assembly = new Assembly(last?.definitions)
  const ended = Promise.withResolvers<void>()
  let load: ThreadLoad | undefined
  let failure: unknown
  const abort = () => void worker.terminate()
  signal.addEventListener('abort', abort, { once: true })
  worker.on('message', (message: HandoverMessage) => {
    try {
      if (message.type === 'unchanged') load = message.type
      else if (message.type === 'done')
        load = {
          result: assembly.finish(message.ok),
          known: { fingerprint: message.fingerprint, far: message.far },
        }
      else assembly.take(message)
      worker.postMessage('taken')
    } catch (error) {
      failure = error
      abort()
    }
  })
  worker.on('error', error => {
    failure ??= error
  })
  // Behind it nothing of the thread is left, whatever it ended of.
  worker.once('exit', () => ended.resolve())
  await ended.promise
  signal.removeEventListener('abort', abort)
  if (signal.aborted) throw calledOff()
  if (load !== undefined && failure === undefined) return load
  return { result: tellFailure(failure, heapLimitMb, readPlace(place), survey), known: undefined }
}

function tellFailure(
  failure: unknown,
  heapLimitMb: number,
  place: string | undefined,
  { folders, ground }: Survey,
): LoadResult {
  const isMemory = (failure as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
  const said = failure === undefined ? 'it ended early' : String((failure as Error).message ?? failure)
  const problem = isMemory
    ? makeFileProblem(
        place ?? folders[0] ?? ground.root,
        `checking the definitions took more than ${heapLimitMb} MiB of memory, here at the latest`,
        { help: 'look at this file, or split the set over several schedulers' },
      )
    : makeFileProblem(
        place ?? folders[0] ?? ground.root,
        `checking the definitions failed, here at the latest: ${said}`,
        { help: 'this is a fault of the scheduler: take the last change back, and report it with the file' },
      )
  return { ok: false, problems: [problem] }
}

function calledOff(): DagbokError {
  return new DagbokError('SCHEDULER_STOPPED', 'the definitions were not loaded: the scheduler stops', {
    hint: 'start it again: definitions are read at each start',
  })
}
