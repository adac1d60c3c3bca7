// Stages: the places where a DAG's files lie, in their one normal form (seed 000). What users write is turned into this by
// definition/.

import type { JsonObject } from '../json.ts'

/**
 * - `external_input_files`   partners put files there; new ones are handed to runs
 * - `external_output_files`  runs put files there for partners
 * - `internal_exposed_files` runs put files there for viewers of this scheduler
 * - `resources_static`       what tasks read and nothing changes
 */
export const STAGE_NAMES = [
  'external_input_files',
  'external_output_files',
  'internal_exposed_files',
  'resources_static',
] as const
export type StageName = (typeof STAGE_NAMES)[number]

/** In which order new files are handed over. */
export const FILE_ORDERS = ['oldest', 'newest', 'name'] as const
export type FileOrder = (typeof FILE_ORDERS)[number]

/** A folder on this machine (absolute path, or relative to the root), or a prefix in a bucket. */
export type StageLocation =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 's3'
      readonly bucket: string
      /** Without a leading slash; ends in a slash unless it is empty. */
      readonly prefix: string
      /** Of another S3 than Amazon's. */
      readonly endpoint?: string
      readonly region?: string
    }

export interface Stage {
  readonly name: StageName
  readonly location: StageLocation
}

/** The stage whose new files are handed to runs. */
export interface InputStage extends Stage {
  readonly name: 'external_input_files'
  /** A glob over keys, as `path.matchesGlob` reads it. Undefined: every file. */
  readonly pattern?: string
  readonly order: FileOrder
  /** At most so many in one run. */
  readonly maxFiles: number
  /** A file whose size or time of change is younger than this may still be written. Milliseconds. */
  readonly stableForMs: number
}

/** What tells a version of a file from the next: a rewritten file is new. */
export interface FileRef {
  /** Relative to the stage, with `/`. */
  readonly key: string
  /** Of a folder: size, time of change (ns) and inode; of a bucket: etag, size and time of change. Opaque. */
  readonly version: string
}

/** A new file, as tasks get it in `new_files`. */
export interface StageFile extends JsonObject {
  key: string
  version: string
  /** Absolute path, or `s3://bucket/key`. */
  uri: string
  size: number
  /** ISO 8601 UTC. */
  modified_at: string
}

/** Names the tracking of a stage in the state. */
export function stageKey(dagName: string, stage: string): string {
  return `${dagName}/${stage}`
}
