// Makes stages exist (ports/stage-provisioner.ts).
//
//   1. A folder that is made gets the mode of its kind; one that is there keeps its own. Folders above it are made as any
//      program makes them.
//   2. A bucket is looked at, never made: whom it belongs to and what it costs is not ours to choose. One that answered is
//      not asked again by this process.
//   3. Two folders at a time, each for a moment only: a mount that hangs delays a start by that, and no more.

import { chmod, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import PQueue from 'p-queue'
import type { Stage, StageName } from '../../core/stage/stage.ts'
import type { StageProvisioner } from '../../ports/stage-provisioner.ts'
import { inspectBucket, inspectDirectory } from './inspection.ts'
import { type BucketLocation, nameBucket } from './s3-library.ts'
import { withinLimit } from './waiting.ts'

const MODES: Readonly<Record<StageName, number>> = {
  external_input_files: 0o770,
  external_output_files: 0o770,
  internal_exposed_files: 0o755,
  resources_static: 0o750,
}

const DIRECTORY_MS = 5_000
const AT_ONCE = 2

interface Wanted {
  readonly dagName: string
  readonly stage: Stage
}

export interface StageProvisionerOptions {
  /** Paths of folders are relative to it. */
  readonly root: string
  /** A stage that could not be made, in words. */
  note(message: string): void
}

export function createStageProvisioner({ root, note }: StageProvisionerOptions): StageProvisioner {
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

  return {
    async provision(dags) {
      const stages = [...dags].flatMap(({ name, manifest }) =>
        (manifest?.stages ?? []).map((stage): Wanted => ({ dagName: name, stage })),
      )
      const made = stages.map(async wanted => {
        const { location } = wanted.stage
        if (location.kind === 's3') return void buckets.add(() => seeToBucket(wanted, location))
        const path = resolve(root, location.path)
        const work = folders.add(() => makeDirectory(path, wanted.stage))
        try {
          const fault = await withinLimit(DIRECTORY_MS, closing.signal, () => work)
          if (fault !== undefined) tell(wanted, fault)
        } catch (error) {
          tell(wanted, `${path} cannot be made: ${(error as Error).message}`)
        }
      })
      await Promise.all(made)
    },
    close() {
      closing.abort(new Error('the scheduler stops'))
    },
  }
}

/** What is wrong with a folder that is there or was made, if anything is. */
async function makeDirectory(path: string, { name }: Stage): Promise<string | undefined> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await mkdir(path, { mode: MODES[name] })
    // What a umask took away.
    await chmod(path, MODES[name])
    return undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const fault = await inspectDirectory(path, name)
  return fault && `${path} is there, but ${fault}`
}
