// What the scheduler and a function worker say to each other: JSON lines over the worker's file descriptor 3.
//
//   1. A worker runs one attempt at a time. Every answer carries the token of the attempt; any other is ignored.
//   2. A line longer than LONGEST_MESSAGE_BYTES, or one that is not JSON, ends the worker: a function that writes into
//      the channel harms itself only.

import type { JsonObject } from '../../core/json.ts'

export const CHANNEL_FD = 3
export const MAX_OUTPUT_BYTES = 1024 * 1024
export const LONGEST_MESSAGE_BYTES = MAX_OUTPUT_BYTES + 64 * 1024

export interface RunRequest {
  readonly type: 'run'
  readonly token: string
  /** Path of the module, and a text that changes with its content. */
  readonly file: string
  readonly version: string
  readonly args: JsonObject
  readonly context: JsonObject
  /** The whole environment that the function sees. */
  readonly env: Readonly<Record<string, string>>
  readonly stdout: string
  readonly stderr: string
}

export type WorkerRequest =
  | RunRequest
  | { readonly type: 'abort'; readonly token: string; readonly reason: string }

export type WorkerAnswer =
  /** The function has been told to stop: its event loop is alive. */
  | { readonly type: 'aborting'; readonly token: string }
  | { readonly type: 'done'; readonly token: string; readonly output: JsonObject; readonly reusable: boolean }
  | { readonly type: 'skip'; readonly token: string; readonly why: string; readonly reusable: boolean }
  | {
      readonly type: 'failed'
      readonly token: string
      readonly kind: string
      readonly message: string
      readonly reusable: boolean
    }

/** Cuts a byte stream into lines, each at most `longest` bytes. */
export class LineSplitter {
  #parts: Buffer[] = []
  #length = 0
  readonly #longest: number

  constructor(longest: number) {
    this.#longest = longest
  }

  /** The lines that are complete now; undefined once a line is too long. */
  push(chunk: Buffer): string[] | undefined {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      this.#parts.push(chunk.subarray(start, end))
      const line = Buffer.concat(this.#parts)
      this.#parts = []
      this.#length = 0
      start = end + 1
      if (line.length > this.#longest) return undefined
      lines.push(line.toString('utf8'))
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start))
      this.#length += chunk.length - start
    }
    return this.#length > this.#longest ? undefined : lines
  }
}
