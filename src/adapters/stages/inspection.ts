// Whether a stage is there and lets us in. Looking changes nothing.

import { access, constants, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import PQueue from 'p-queue'
import type { Stage, StageName } from '../../core/stage/stage.ts'
import { type BucketLocation, describeS3Failure, loadS3, openBucket } from './s3-library.ts'
import { withinLimit } from './waiting.ts'

const AT_ONCE = 8
const DIRECTORY_MS = 5_000
const BUCKET_MS = 20_000

/** What tasks do with a stage's files. */
const USES: Readonly<Record<StageName, { readonly mode: number; readonly verb: string }>> = {
  external_input_files: { mode: constants.R_OK | constants.X_OK, verb: 'read' },
  external_output_files: { mode: constants.W_OK | constants.X_OK, verb: 'write' },
  internal_exposed_files: { mode: constants.W_OK | constants.X_OK, verb: 'write' },
  resources_static: { mode: constants.R_OK | constants.X_OK, verb: 'read' },
}

/** The words for a folder that is not there, which is no fault where it can be made. */
export const MISSING = 'there is no such folder'

/** What is wrong with each of these stages, in words; undefined where nothing is. */
export function inspectStages(
  { root }: { readonly root: string },
  stages: readonly Stage[],
): Promise<(string | undefined)[]> {
  const turns = new PQueue({ concurrency: AT_ONCE })
  return Promise.all(stages.map(stage => turns.add(() => inspect(root, stage))))
}

async function inspect(root: string, { name, location }: Stage): Promise<string | undefined> {
  const never = new AbortController().signal
  try {
    if (location.kind === 's3') return await inspectBucket(location, never)
    const path = resolve(root, location.path)
    return await withinLimit(DIRECTORY_MS, never, () => inspectDirectory(path, name))
  } catch (error) {
    return (error as Error).message
  }
}

export async function inspectDirectory(path: string, name: StageName): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isDirectory()) return 'it is no folder'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return MISSING
    throw error
  }
  const { mode, verb } = USES[name]
  try {
    await access(path, mode)
    return undefined
  } catch {
    return `the scheduler may not ${verb} it`
  }
}

/** Waits for `BUCKET_MS` at most. */
export async function inspectBucket(
  location: BucketLocation,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await withinLimit(BUCKET_MS, signal, async stop => {
      const library = await loadS3()
      const client = openBucket(library, location)
      try {
        await client.send(new library.HeadBucketCommand({ Bucket: location.bucket }), { abortSignal: stop })
      } finally {
        client.destroy()
      }
    })
    return undefined
  } catch (error) {
    return describeS3Failure(error)
  }
}
