// Which of a stage's files are new, and which of those come first: the same for a folder and for a bucket.
//
//   1. Memory is bounded by the files that are taken and the keys that were consumed, not by those that lie there.
//   2. Ties are broken by key, so two looks at the same stage choose the same files.
//   3. A stage that shows no file at all forgets nothing: it may be a folder that is not mounted.

import { posix } from 'node:path'
import type { FileOrder, InputStage, StageFile } from '../../core/stage/stage.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { StageListing, StageTracking } from '../../ports/stage-reader.ts'
import type { StabilityCheck } from './stability.ts'

/** A file as a folder or a bucket shows it. */
export interface FoundFile {
  readonly key: string
  readonly version: string
  readonly size: number
  readonly modifiedNs: bigint
  /** The latest time of change that is known, of content or name. Unix milliseconds. */
  readonly changedMs: number
  /** Differs when anything about the file has changed. */
  readonly appearance: string
}

/** Instants that a date can show; a file system may hold any number. */
const SHOWN_MS_MAX = 253_402_300_799_999

export class Selection {
  readonly #stage: InputStage
  readonly #tracking: StageTracking
  readonly #stability: StabilityCheck
  readonly #uriOf: (key: string) => string
  readonly #unseen: Set<string>
  readonly #compare: (a: FoundFile, b: FoundFile) => number
  #best: FoundFile[] = []
  #found = 0
  #waiting = 0
  #isEmpty = true

  constructor(
    stage: InputStage,
    tracking: StageTracking,
    stability: StabilityCheck,
    uriOf: (key: string) => string,
  ) {
    this.#stage = stage
    this.#tracking = tracking
    this.#stability = stability
    this.#uriOf = uriOf
    this.#unseen = new Set(tracking.consumedKeys())
    this.#compare = COMPARE[stage.order]
  }

  /** Every file that lies there, once, except ignored ones. */
  add(file: FoundFile): void {
    const { pattern, maxFiles } = this.#stage
    this.#isEmpty = false
    this.#unseen.delete(file.key)
    // Asked of every file, wanted or not: other DAGs that look at the same stage go by what was seen here.
    const isStable = this.#stability.isStable(file.key, file.changedMs, file.appearance)
    if (!this.#tracking.isCandidate(file.key, file.version)) return
    if (pattern !== undefined && !posix.matchesGlob(file.key, pattern)) return
    if (!isStable) {
      this.#waiting += 1
      return
    }
    this.#found += 1
    this.#best.push(file)
    if (this.#best.length >= 2 * maxFiles + 1_000) this.#prune()
  }

  finish(): StageListing {
    this.#prune()
    this.#stability.finish()
    return {
      files: this.#best.map(file => this.#show(file)),
      more: this.#found - this.#best.length,
      waiting: this.#waiting,
      gone: this.#isEmpty ? [] : [...this.#unseen],
    }
  }

  #prune(): void {
    this.#best.sort(this.#compare)
    this.#best.length = Math.min(this.#best.length, this.#stage.maxFiles)
  }

  #show({ key, version, size, modifiedNs }: FoundFile): StageFile {
    const modifiedMs = Math.max(-SHOWN_MS_MAX, Math.min(SHOWN_MS_MAX, Number(modifiedNs / 1_000_000n)))
    return { key, version, uri: this.#uriOf(key), size, modified_at: formatInstant(modifiedMs) }
  }
}

function byKey(a: FoundFile, b: FoundFile): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

function byAge(a: FoundFile, b: FoundFile): number {
  return a.modifiedNs < b.modifiedNs ? -1 : a.modifiedNs > b.modifiedNs ? 1 : 0
}

const COMPARE: Readonly<Record<FileOrder, (a: FoundFile, b: FoundFile) => number>> = {
  oldest: (a, b) => byAge(a, b) || byKey(a, b),
  newest: (a, b) => byAge(b, a) || byKey(a, b),
  name: byKey,
}
