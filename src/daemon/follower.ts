// A follower's runner: hands each durable event to something that is derived from the journal, in order, each once,
// without ever holding up the loop.
//
//   F1. It begins after the follower's own checkpoint, reading the journal, and changes over to what the loop hands it.
//   F2. A slow follower lags; if too much waits in memory it is dropped there and read from the journal again.
//   F3. A failing follower is tried again later and never stops the daemon.

import type { Event } from '../core/state-machine/event.ts'
import type { Clock } from '../ports/clock.ts'

export interface Follower {
  readonly name: string
  /**
   * Makes it ready, which may take long (an index that is built again), and says the `seq` of the last event it has
   * taken; 0: none. Called first, and again after a failure.
   */
  open(): number | Promise<number>
  /** Takes events in order. Those at or before its checkpoint must be ignored. */
  apply(events: readonly Event[]): void | Promise<void>
  close(): void | Promise<void>
}

/** Events in one `apply`: keeps one slice of a synchronous follower short for the event loop. */
const SLICE_MAX = 250
/** Events waiting in memory before they are dropped and read from the journal instead. */
const BUFFER_MAX = 20_000
const RETRY_MS = 1_000

export interface FollowerOptions {
  readonly clock: Clock
  /** Durable events after `seq`, in order, to the end as it is when reading. */
  read(afterSeq: number): AsyncIterable<Event>
  /** Told once per failure in a row. */
  failed(name: string, error: unknown): void
}

export class FollowerRunner {
  readonly #follower: Follower
  readonly #options: FollowerOptions
  #buffer: Event[] = []
  /** The last event the loop has handed over, taken or not. */
  #head: number
  #taken = 0
  #opened = false
  #running: Promise<void> | undefined
  #failing = false
  #closed = false

  /** @param head `seq` of the last durable event at this moment */
  constructor(follower: Follower, head: number, options: FollowerOptions) {
    this.#follower = follower
    this.#options = options
    this.#head = head
  }

  /** Events it has still to take. */
  get lag(): number {
    return Math.max(0, this.#head - this.#taken)
  }

  get name(): string {
    return this.#follower.name
  }

  push(events: readonly Event[]): void {
    const last = events.at(-1)
    if (last === undefined || this.#closed) return
    this.#head = last.seq
    if (this.#buffer.length + events.length > BUFFER_MAX) this.#buffer = []
    else for (const event of events) this.#buffer.push(event)
    this.kick()
  }

  /** Goes on, if it is not under way. */
  kick(): void {
    if (this.#running !== undefined || this.#closed || (this.#opened && this.lag === 0)) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Takes everything up to now, as far as the follower lets it, then closes it. */
  async close(): Promise<void> {
    this.kick()
    await this.#running
    this.#closed = true
    await this.#follower.close()
  }

  async #run(): Promise<void> {
    // Not in the turn of the loop that pushed: its replies go first.
    await yieldToLoop()
    try {
      if (!this.#opened) {
        this.#taken = await this.#follower.open()
        this.#opened = true
      }
      while (this.lag > 0) {
        const next = this.#takeNext()
        if (next.length > 0) await this.#take(next)
        else await this.#readBehind()
      }
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.failed(this.#follower.name, error)
      this.#failing = true
      this.#opened = false
      this.#options.clock.after(RETRY_MS, () => this.kick())
    }
  }

  /**
   * The events in the buffer that follow the last one taken, without a hole: the loop does not hand over the lines that
   * the journal writes about itself (a seal, a header, a recovery), those are read from it.
   */
  #takeNext(): Event[] {
    let count = 0
    while (count < SLICE_MAX && this.#buffer[count]?.seq === this.#taken + 1 + count) count += 1
    return this.#buffer.splice(0, count)
  }

  /** Catches up from the journal to where the buffer begins, or to its end. */
  async #readBehind(): Promise<void> {
    const before = this.#taken
    let slice: Event[] = []
    for await (const event of this.#options.read(this.#taken)) {
      // A reader may see a line an instant before it is durable; the loop says how far that goes.
      if (event.seq > this.#head) break
      slice.push(event)
      if (slice.length < SLICE_MAX) continue
      await this.#take(slice)
      slice = []
      if (this.#buffer[0] !== undefined && this.#taken + 1 >= this.#buffer[0].seq) break
    }
    await this.#take(slice)
    const drop = this.#buffer.findIndex(event => event.seq > this.#taken)
    if (drop !== 0) this.#buffer = drop < 0 ? [] : this.#buffer.slice(drop)
    if (this.#taken === before && this.lag > 0)
      throw new Error(`the journal has no event after seq ${before}`)
  }

  async #take(events: readonly Event[]): Promise<void> {
    const last = events.at(-1)
    if (last === undefined) return
    await this.#follower.apply(events)
    this.#taken = last.seq
    await yieldToLoop()
  }
}

function yieldToLoop(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
