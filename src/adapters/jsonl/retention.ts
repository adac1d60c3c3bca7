// Deletes what is old enough: sealed segments, and blobs that nothing kept names any more.
//
//   T1. Segments go oldest first and without a hole, never the active one, and only if the next one that stays opens
//       with a checkpoint: what is left is the whole truth.
//   T2. The plan is a pure function; applying it is a step of its own, so that it can be shown before.
//   T3. A blob is put before the line that names it: young ones are left alone.

import { join } from 'node:path'
import type { Event } from '../../core/state-machine/event.ts'
import { type Instant, parseInstant } from '../../core/time/instant.ts'
import type { Disk } from './disk.ts'
import { attempt } from './disk-error.ts'
import { readRange, removeFile } from './durable-file.ts'
import { layoutOf, listSegments, sealedPath } from './layout.ts'
import { READ_LIMIT_BYTES, recognizeLine } from './line.ts'
import { nodeDisk } from './node-disk.ts'
import { peekLastLine } from './segment-scan.ts'

const DAY_MS = 86_400_000
const BLOB_AGE_MS = 60 * 60 * 1000

export interface SealedSegment {
  readonly segment: number
  readonly bytes: number
  /** When its last line was written. */
  readonly sealedAt: Instant
  /** True if its first lines are `segment_opened` and a checkpoint. The very first segment has none. */
  readonly opensWithCheckpoint: boolean
}

/** What to keep. A limit that is left out does not limit; a segment goes as soon as one of them says so. */
export interface RetentionPolicy {
  readonly keepDays?: number
  /** Sealed segments to keep at most. */
  readonly keepCount?: number
  /** Bytes of sealed segments to keep at most. */
  readonly keepBytes?: number
}

/**
 * Which sealed segments to delete, oldest first.
 * @param sealed  ascending by number
 * @param activeOpensWithCheckpoint  whether the active segment can stand alone
 */
export function planRetention(
  sealed: readonly SealedSegment[],
  activeOpensWithCheckpoint: boolean,
  { keepDays, keepCount, keepBytes }: RetentionPolicy,
  now: Instant,
): number[] {
  let bytes = sealed.reduce((sum, segment) => sum + segment.bytes, 0)
  let count = 0
  for (const segment of sealed) {
    const isOld = keepDays !== undefined && now - segment.sealedAt > keepDays * DAY_MS
    const isOneTooMany = keepCount !== undefined && sealed.length - count > keepCount
    const isTooLarge = keepBytes !== undefined && bytes > keepBytes
    if (!isOld && !isOneTooMany && !isTooLarge) break
    bytes -= segment.bytes
    count++
  }
  // T1: never stop in front of a segment that needs what is before it.
  while (count > 0 && !(sealed[count]?.opensWithCheckpoint ?? activeOpensWithCheckpoint)) count--
  return sealed.slice(0, count).map(({ segment }) => segment)
}

async function opensWithCheckpoint(disk: Disk, path: string): Promise<boolean> {
  const file = await disk.open(path, 'read')
  try {
    const head = await readRange(file, 0, READ_LIMIT_BYTES)
    const start = head.indexOf(0x0a) + 1
    const end = head.indexOf(0x0a, start)
    if (start === 0 || end < 0 || recognizeLine(head, start, end) === undefined) return false
    return head.toString('utf8', start, end).includes('"event":"checkpoint"')
  } finally {
    await file.close()
  }
}

/** The facts that `planRetention` needs. */
export async function surveySegments(
  path: string,
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<{ sealed: SealedSegment[]; activeOpensWithCheckpoint: boolean }> {
  const layout = layoutOf(path)
  const sealed: SealedSegment[] = []
  for (const segment of (await listSegments(disk, layout)).sealed) {
    const file = sealedPath(layout, segment)
    const facts = disk.factsSync(file)
    if (facts === undefined) continue
    sealed.push({
      segment,
      bytes: facts.size,
      sealedAt: sealedAt(await peekLastLine(disk, file)) ?? facts.mtimeMs,
      opensWithCheckpoint: await opensWithCheckpoint(disk, file),
    })
  }
  return { sealed, activeOpensWithCheckpoint: await opensWithCheckpoint(disk, path) }
}

/** The footer's own timestamp: the file's time changes when it is copied. */
function sealedAt(footer: string): Instant | undefined {
  try {
    const instant = parseInstant((JSON.parse(footer) as Event).timestamp)
    return Number.isNaN(instant) ? undefined : instant
  } catch {
    return undefined
  }
}

/** Deletes the planned segments, oldest first, so that a crash in between leaves no hole. */
export async function deleteSegments(
  path: string,
  segments: readonly number[],
  { disk = nodeDisk }: { disk?: Disk } = {},
): Promise<void> {
  const layout = layoutOf(path)
  await attempt(`Could not delete old segments in ${layout.segments}`, deleteAll())

  async function deleteAll() {
    for (const segment of segments) {
      await removeFile(disk, sealedPath(layout, segment))
      await disk.syncDirectory(layout.segments)
    }
  }
}

/**
 * Deletes blobs that `isNamed` does not know and that are older than `minAgeMs` (default one hour), and what a crash
 * left half written.
 * @returns the SHA-256 names of what was deleted
 */
export async function deleteBlobs(
  path: string,
  isNamed: (sha256: string) => boolean,
  now: Instant,
  { disk = nodeDisk, minAgeMs = BLOB_AGE_MS }: { disk?: Disk; minAgeMs?: number } = {},
): Promise<string[]> {
  const { blobs } = layoutOf(path)
  if (disk.factsSync(blobs) === undefined) return []
  const deleted: string[] = []
  for (const name of (await disk.list(blobs)).sort()) {
    const sha256 = /^([0-9a-f]{64})(\.tmp)?$/.exec(name)
    if (sha256 === null || (sha256[2] === undefined && isNamed(name))) continue
    const facts = disk.factsSync(join(blobs, name))
    if (facts === undefined || now - facts.mtimeMs < minAgeMs) continue
    await attempt(`Could not delete the blob ${name}`, removeFile(disk, join(blobs, name)))
    deleted.push(sha256[1]!)
  }
  if (deleted.length > 0) await disk.syncDirectory(blobs)
  return deleted
}

/** Adds every blob that a value names, at any depth: `{sha256, bytes}`. */
export function collectBlobNames(value: unknown, into: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { sha256, bytes } = value as { sha256?: unknown; bytes?: unknown }
  if (typeof sha256 === 'string' && typeof bytes === 'number') into.add(sha256)
  for (const part of Object.values(value)) collectBlobNames(part, into)
}
