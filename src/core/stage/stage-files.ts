// What is known of the files of one stage: which version was consumed, and which run holds a file now.
//
//   F1. A version is handed to one unfinished run at a time, and never again once it is consumed.
//   F2. While a run holds a file no other version of it is handed over: they would be worked on out of order.
//   F3. Only what is consumed or held is remembered: the rest is as if it had never been seen.
//   F4. Who looked before a file was consumed does not know what that made of it: the number of the handover tells.

import type { FileRef } from './stage.ts'

export interface TrackedFile {
  /** The version that a successful run had. */
  consumed: string | undefined
  /** The number of the handover (`State.handovers`) that consumed it; 0 before the first. */
  consumedIn: number
  held: { readonly version: string; readonly run: string } | undefined
}

/** By key. */
export type StageFiles = Map<string, TrackedFile>

/** True if a run may have this version. */
export function isCandidate(files: StageFiles | undefined, { key, version }: FileRef): boolean {
  const tracked = files?.get(key)
  return tracked === undefined || (tracked.held === undefined && tracked.consumed !== version)
}

/** Keys of consumed files that nobody holds. */
export function* consumedKeys(files: StageFiles | undefined): Generator<string> {
  for (const [key, { consumed, held }] of files ?? [])
    if (consumed !== undefined && held === undefined) yield key
}

export function holdFiles(files: StageFiles, run: string, refs: readonly FileRef[]): void {
  for (const { key, version } of refs) {
    const tracked = files.get(key)
    if (tracked === undefined) files.set(key, { consumed: undefined, consumedIn: 0, held: { version, run } })
    else tracked.held = { version, run }
  }
}

/** The run that held them has succeeded. */
export function consumeFiles(files: StageFiles, keys: readonly string[], handover: number): void {
  for (const key of keys) {
    const tracked = files.get(key)
    if (tracked?.held === undefined) continue
    tracked.consumed = tracked.held.version
    tracked.consumedIn = handover
    tracked.held = undefined
  }
}

/** The run that held them has not succeeded. */
export function releaseFiles(files: StageFiles, keys: readonly string[]): void {
  for (const key of keys) {
    const tracked = files.get(key)
    if (tracked === undefined) continue
    tracked.held = undefined
    if (tracked.consumed === undefined) files.delete(key)
  }
}

export function forgetFiles(files: StageFiles, keys: readonly string[]): void {
  for (const key of keys) if (files.get(key)?.held === undefined) files.delete(key)
}
