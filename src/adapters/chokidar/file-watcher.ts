// Watching folders with chokidar: many changes, one call, once they have settled.
//
//   1. `changed` is called `settleMs` after the last change, so an editor's rename, a half write with its other half,
//      a delete with its create and a checkout of a hundred files are one call.
//   2. Under changes that never pause it is called all the same, every `MAX_SETTLES` × `settleMs`.
//   3. Nothing is missed: a change during a call leads to another call. Calls are never after `close`.
//   4. A path that does not exist yet is watched from its nearest folder on.

import { basename, sep } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

export interface WatchOptions {
  /** Quiet time before a change counts as settled, milliseconds. */
  readonly settleMs?: number
  /** Told when the system refuses to watch (too many watches, …). Watching goes on as far as it can. */
  readonly failed?: (error: Error) => void
}

const SETTLE_MS = 150
const MAX_SETTLES = 10

/** A function that watches paths and calls back once they have settled; what definition sources are composed with. */
export function createFileWatch({ settleMs = SETTLE_MS, failed = () => {} }: WatchOptions = {}) {
  return async (
    paths: readonly string[],
    changed: () => void,
  ): Promise<{ add(paths: readonly string[]): void; close(): Promise<void> }> => {
    const settle = new Settle(settleMs, changed)
    const wanted = new Set(paths)
    const watcher = watch([...paths], {
      ignoreInitial: true,
      ignored: makeIgnored(wanted),
      followSymlinks: true,
      ignorePermissionErrors: true,
    })
    watcher.on('error', error => failed(error instanceof Error ? error : new Error(String(error))))
    await becomeReady(watcher)
    watcher.on('all', () => settle.touch())
    return {
      add: more => {
        for (const path of more) wanted.add(path)
        watcher.add([...more])
      },
      close: async () => {
        settle.stop()
        await watcher.close()
      },
    }
  }
}

/** Editors' swap files and what is hidden, unless it was asked for or lies on the way to what was. */
function makeIgnored(wanted: ReadonlySet<string>): (path: string) => boolean {
  return path => {
    const name = basename(path)
    // `..data` is how a ConfigMap swaps all of its files at once.
    const unwanted =
      name === 'node_modules' || name.endsWith('~') || (name.startsWith('.') && name !== '..data')
    if (!unwanted || wanted.has(path)) return false
    for (const each of wanted) if (each.startsWith(path + sep)) return false
    return true
  }
}

function becomeReady(watcher: FSWatcher): Promise<void> {
  return new Promise(done => watcher.once('ready', () => done()))
}

/** Turns a burst of touches into one call. */
class Settle {
  readonly #quietMs: number
  readonly #call: () => void
  #timer: NodeJS.Timeout | undefined
  #firstTouch = 0
  #stopped = false

  constructor(quietMs: number, call: () => void) {
    this.#quietMs = quietMs
    this.#call = call
  }

  touch(): void {
    if (this.#stopped) return
    const now = performance.now()
    if (this.#timer === undefined) this.#firstTouch = now
    else clearTimeout(this.#timer)
    const longest = this.#firstTouch + this.#quietMs * MAX_SETTLES - now
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#call()
      },
      Math.max(0, Math.min(this.#quietMs, longest)),
    )
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
