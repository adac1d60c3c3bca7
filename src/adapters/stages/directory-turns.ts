// Whose turn it is to list a folder, and who has taken too long.
//
//   1. Two folders are listed at a time: a mount that hangs takes a thread of the pool that writes the journal, and may never
//      give it back. It keeps its turn until it does.
//   2. Every listing ends all the same: in silence for too long, without a turn for too long, or when nobody wants it any more.

import PQueue from 'p-queue'
import { formatDuration } from '../../core/time/duration.ts'
import { StageError } from '../../ports/stage-reader.ts'
import { type DirectoryWalk, walkDirectory } from './directory-files.ts'
import { orAborted, withinLimit } from './waiting.ts'

const AT_ONCE = 2
const SILENCE_MS = 60_000
const TURN_MS = 300_000

export interface DirectoryTurnsOptions {
  /** Default: of real folders. */
  readonly walk?: ((walk: DirectoryWalk) => Promise<void>) | undefined
  /** Between two names. Default: a minute. */
  readonly silenceMs?: number | undefined
  /** Until its turn comes. Default: five minutes. */
  readonly turnMs?: number | undefined
}

export class DirectoryTurns {
  readonly #turns = new PQueue({ concurrency: AT_ONCE })
  readonly #walk: (walk: DirectoryWalk) => Promise<void>
  readonly #silenceMs: number
  readonly #turnMs: number

  constructor({ walk = walkDirectory, silenceMs = SILENCE_MS, turnMs = TURN_MS }: DirectoryTurnsOptions) {
    this.#walk = walk
    this.#silenceMs = silenceMs
    this.#turnMs = turnMs
  }

  /** @throws StageError; whatever `signal` was aborted with */
  async list(walk: Omit<DirectoryWalk, 'progress'>): Promise<void> {
    const stop = new AbortController()
    const signal = AbortSignal.any([walk.signal, stop.signal])
    const begun = Promise.withResolvers<void>()
    let silence: NodeJS.Timeout | undefined
    const giveUp = () => {
      stop.abort(this.#error(walk, `nothing came for ${formatDuration(this.#silenceMs)}: it does not answer`))
    }
    const work = this.#turns.add(async () => {
      if (signal.aborted) return
      begun.resolve()
      silence = setTimeout(giveUp, this.#silenceMs)
      await this.#walk({ ...walk, signal, progress: () => silence?.refresh() })
    })
    // What it says after everybody has left is of no use to anybody.
    work.catch(() => {})
    try {
      await this.#awaitTurn(walk, begun.promise)
      await orAborted(work, signal)
    } catch (error) {
      stop.abort(error)
      throw error
    } finally {
      clearTimeout(silence)
    }
  }

  async #awaitTurn(walk: Pick<DirectoryWalk, 'root' | 'signal'>, begun: Promise<void>): Promise<void> {
    try {
      await withinLimit(this.#turnMs, walk.signal, () => begun)
    } catch {
      walk.signal.throwIfAborted()
      throw this.#error(
        walk,
        `its turn did not come within ${formatDuration(this.#turnMs)}: other folders take too long`,
      )
    }
  }

  #error({ root }: Pick<DirectoryWalk, 'root'>, words: string): StageError {
    return new StageError(`${root} cannot be listed: ${words}`)
  }
}
