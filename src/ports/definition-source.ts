// Where definitions come from, loaded and checked as a whole.

import type { Dag } from '../core/dag/dag.ts'
import type { Definitions } from '../core/schedule/definitions.ts'

export type { Definitions }

/** One thing wrong with one place of one file. */
export interface DefinitionProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly severity: 'error' | 'warning'
  /** Of a warning: a word that stays, to look it up by. */
  readonly code?: string
  readonly message: string
  /** The lines around the place with a marker, and the help line: ready to print, without colour. */
  readonly frame: string
  readonly help?: string
}

export type LoadResult =
  | { ok: true; definitions: Definitions; warnings: readonly DefinitionProblem[] }
  | { ok: false; problems: readonly DefinitionProblem[] }

export interface DefinitionSource {
  /** Reads everything. Never throws for what a file says; every problem of every file is in the result. */
  load(): Promise<LoadResult>
  /** Loads one DAG file that need not be under the configured folders (`scheduler run <file>`). */
  loadDag(
    file: string,
  ): Promise<{ ok: true; dag: Dag } | { ok: false; problems: readonly DefinitionProblem[] }>
  /** Calls back after a change of any file, once it has settled. Returns a function that stops watching. */
  watch(changed: () => void): Promise<() => Promise<void>>
}
