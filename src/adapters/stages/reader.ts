// The reader of stages: chooses by location who lists, and what of that is new (ports/stage-reader.ts). A listing that is not
// wanted any more rejects at once, whatever it waits for.

import { resolve } from 'node:path'
import { clip } from '../../core/json.ts'
import type { InputStage, StageLocation } from '../../core/stage/stage.ts'
import type { StageReader } from '../../ports/stage-reader.ts'
import { DirectoryTurns, type DirectoryTurnsOptions } from './directory-turns.ts'
import { walkBucket } from './s3-files.ts'
import { Selection } from './selection.ts'
import { type Clocks, StabilityMemory } from './stability.ts'
import { orAborted } from './waiting.ts'

export interface StageReaderOptions {
  /** Paths of folders are relative to it. */
  readonly root: string
  readonly clock: Clocks
  /** Words for people that are not in the journal. */
  note(message: string): void
  /** How long a page of a bucket's listing is waited for. Default: a minute. */
  readonly pageMs?: number | undefined
  readonly directories?: DirectoryTurnsOptions | undefined
}

export function createStageReader({
  root,
  clock,
  note,
  pageMs,
  directories = {},
}: StageReaderOptions): StageReader {
  const stability = new StabilityMemory(clock)
  const turns = new DirectoryTurns(directories)
  const toldOf = new Set<string>()

  const listDirectory = async (path: string, selection: Selection, signal: AbortSignal): Promise<void> => {
    const absent: string[] = []
    const found = selection.add.bind(selection)
    await turns.list({ root: path, found, nameless: key => absent.push(key), signal })
    if (absent.length === 0) toldOf.delete(path)
    else if (!toldOf.has(path)) {
      toldOf.add(path)
      const names = absent.length === 1 ? 'a name that is' : `${absent.length} names that are`
      note(`${path}: ${names} not UTF-8, passed over: ${JSON.stringify(clip(absent[0]!, 200))}`)
    }
  }

  return {
    async list(stage, tracking, signal) {
      signal.throwIfAborted()
      const { location } = stage
      const check = stability.begin(stageIdentity(stage), stage.stableForMs)
      const selection = new Selection(stage, tracking, check, key => uriOf(root, location, key))
      const found = selection.add.bind(selection)
      if (location.kind === 'directory') await listDirectory(resolve(root, location.path), selection, signal)
      else await orAborted(walkBucket({ location, found, signal, pageMs }), signal)
      signal.throwIfAborted()
      return selection.finish()
    },
  }
}

/** Where a file lies, for who opens it: an absolute path, or `s3://bucket/key`. */
function uriOf(root: string, location: StageLocation, key: string): string {
  if (location.kind === 's3') return `s3://${location.bucket}/${location.prefix}${key}`
  // Not `join`: the key stands in the path as it is.
  const folder = resolve(root, location.path)
  return folder.endsWith('/') ? `${folder}${key}` : `${folder}/${key}`
}

/** Stages that look at the same files share what was seen. */
function stageIdentity({ location, stableForMs }: InputStage): string {
  return JSON.stringify([location, stableForMs])
}
