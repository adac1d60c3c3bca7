// Makes stages exist (ports/stage-provisioner.ts).
//
//   1. A folder that is made gets the mode of its kind; one that is there keeps its own. Folders above it are made as any
//      program makes them.
//   2. A bucket is looked at, never made: whom it belongs to and what it costs is not ours to choose. One that answered is
//      not asked again by this process.
//   3. Two folders at a time, whoever asks: a mount that hangs takes a thread each, and may never give it back. It delays a
//      start by a moment; what waits behind it is made when it comes back.

import { chmod, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import PQueue from 'p-queue'
import type { Stage, StageName } from '../../core/stage/stage.ts'
import { formatDuration } from '../../core/time/duration.ts'
import type { StageProvisioner } from '../../ports/stage-provisioner.ts'
import { inspectBucket, inspectDirectory, MISSING } from './inspection.ts'
import { type BucketLocation, nameBucket } from './s3-library.ts'

const MODES: Readonly<Record<StageName, number>> = {
  external_input_files: 0o770,
  external_output_files: 0o770,
  internal_exposed_files: 0o755,
  resources_static: 0o750,
}

const AT_ONCE = 2
/** Without an end of anything for so long, nothing more is waited for. */
const SILENCE_MS = 5_000

interface Wanted {
  readonly dagName: string
  readonly stage: Stage
}

export interface StageProvisionerOptions {
  /** Paths of folders are relative to it. */
  readonly root: string
  /** A stage that could not be made, in words. */
  note(message: string): void
  /** What is wrong with a folder that is there or was made, if anything is. Default: of real folders. */
  readonly makeDirectory?: ((path: string, stage: Stage) => Promise<string | undefined>) | undefined
  /** Default: five seconds. */
  readonly silenceMs?: number | undefined
}

export function createStageProvisioner({
  root,
  note,
  makeDirectory = make,
  silenceMs = SILENCE_MS,
}: StageProvisionerOptions): StageProvisioner {
  const folders = new PQueue({ concurrency: AT_ONCE })
  const buckets = new PQueue({ concurrency: AT_ONCE })
  const closing = new AbortController()
  const answered = new Set<string>()

  const tell = ({ dagName, stage }: Wanted, words: string) => {
    if (!closing.signal.aborted) note(`stage ${stage.name} of ${dagName}: ${words}`)
  }

  const seeToBucket = async (wanted: Wanted, location: BucketLocation): Promise<void> => {
    const name = nameBucket(location)
    if (answered.has(name) || closing.signal.aborted) return
    const fault = await inspectBucket(location, closing.signal)
    if (fault === undefined) answered.add(name)
    else tell(wanted, `${name}: ${fault}`)
  }

  const seeToFolder = async (wanted: Wanted, path: string): Promise<void> => {
    if (closing.signal.aborted) return
    try {
      const fault = await makeDirectory(path, wanted.stage)
      if (fault !== undefined) tell(wanted, fault)
    } catch (error) {
      tell(wanted, `${path} cannot be made: ${(error as Error).message}`)
    }
  }

  /** Resolves when all have been seen to, or nothing has come of any of them for too long. */
  const seeToFolders = async (all: readonly (readonly [Wanted, string])[]): Promise<void> => {
    const begun = new Map<string, Wanted>()
    let left = all.length
    const ended = Promise.withResolvers<void>()
    const silence = setTimeout(() => {
      const within = formatDuration(silenceMs)
      for (const [path, wanted] of begun) tell(wanted, `${path} did not answer within ${within}`)
      const waiting = left - begun.size
      if (waiting > 0 && !closing.signal.aborted)
        note(`${waiting} more stages wait behind folders that do not answer`)
      ended.resolve()
    }, silenceMs)
    for (const [wanted, path] of all)
      void folders.add(async () => {
        begun.set(path, wanted)
        await seeToFolder(wanted, path)
        begun.delete(path)
        left -= 1
        if (left === 0) ended.resolve()
        else silence.refresh()
      })
    await ended.promise
    clearTimeout(silence)
  }

  return {
    async provision(dags) {
      const paths: (readonly [Wanted, string])[] = []
      for (const { name: dagName, manifest } of dags)
        for (const stage of manifest?.stages ?? []) {
          const { location } = stage
          const wanted = { dagName, stage }
          if (location.kind === 's3') void buckets.add(() => seeToBucket(wanted, location))
          else paths.push([wanted, resolve(root, location.path)])
        }
      if (paths.length > 0) await seeToFolders(paths)
    },
    close() {
      closing.abort(new Error('the scheduler stops'))
    },
  }
}

async function make(path: string, { name }: Stage): Promise<string | undefined> {
  const found = await inspectDirectory(path, name)
  if (found !== MISSING) return found && `${path} is there, but ${found}`
  await mkdir(dirname(path), { recursive: true })
  try {
    await mkdir(path, { mode: MODES[name] })
    // What a umask took away.
    await chmod(path, MODES[name])
  } catch (error) {
    // Somebody else has made it meanwhile, and chosen.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return undefined
}
