// Lets promises go on until nothing moves, without timers: microtasks by turning the real event loop once, and what the
// code under test put off with `setImmediate` when it is told to.

const realSetImmediate = globalThis.setImmediate

export class TurnPump {
  #put: (() => void)[] = []

  /** From here on `setImmediate` of this process is ours, until the returned function is called. */
  install(): () => void {
    const replaced = globalThis.setImmediate
    globalThis.setImmediate = ((callback: (...values: unknown[]) => void, ...values: unknown[]) => {
      this.#put.push(() => callback(...values))
      return undefined
    }) as unknown as typeof setImmediate
    return () => {
      globalThis.setImmediate = replaced
      for (const run of this.#put.splice(0)) replaced(run)
    }
  }

  /** Microtasks until none is left. */
  settleMicrotasks(): Promise<void> {
    return new Promise(resolve => realSetImmediate(resolve))
  }

  get waiting(): number {
    return this.#put.length
  }

  /** Runs what was put off so far. */
  runWaiting(): void {
    for (const run of this.#put.splice(0)) run()
  }

  /** A process died: what it had put off will not run. */
  clear(): void {
    this.#put = []
  }
}
