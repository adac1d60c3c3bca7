// The inbox: every wish and every report, in the order they came. The loop takes them in batches.

import type { Command } from '../core/state-machine/command.ts'
import type { Event } from '../core/state-machine/event.ts'

export interface Letter {
  readonly command: Command
  /** The command's events are on disk. */
  resolve(events: readonly Event[]): void
  /** It was refused, or the scheduler ended first. */
  reject(error: unknown): void
}

export class Inbox {
  #letters: Letter[] = []
  #arrived: (() => void) | undefined
  #closedWith: unknown

  get size(): number {
    return this.#letters.length
  }

  /** Resolves with the command's events once they are durable. */
  submit(command: Command): Promise<readonly Event[]> {
    if (this.#closedWith !== undefined) return Promise.reject(this.#closedWith)
    return new Promise((resolve, reject) => {
      this.#letters.push({ command, resolve, reject })
      this.#arrived?.()
    })
  }

  take(max: number): Letter[] {
    if (this.#letters.length > max) return this.#letters.splice(0, max)
    const letters = this.#letters
    this.#letters = []
    return letters
  }

  /** Calls `arrived` at each arrival. */
  whenArrived(arrived: (() => void) | undefined): void {
    this.#arrived = arrived
  }

  /** Refuses what waits and whatever comes. */
  close(error: unknown): void {
    this.#closedWith = error
    for (const letter of this.#letters.splice(0)) letter.reject(error)
  }
}
