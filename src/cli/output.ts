// Where words go: data to stdout, messages to stderr, colour only where it is wanted and can be seen.
//
//   O1. A reader who leaves (`| head`) is no error: what follows for it is dropped, and `closed` fires. Words that cannot
//       be written (a full disk) are lost, the command goes on, and `failure` tells.
//   O2. Nothing that came from outside can move the cursor: `plain` strips control characters from it.

import { stripVTControlCharacters, styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export interface Sink {
  write(text: string): unknown
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type Environment = Readonly<Record<string, string | undefined>>

/** FORCE_COLOR, then NO_COLOR, then whether somebody sees it: the order that Node itself follows. */
function wantsColour(sink: Sink, env: Environment): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  if (env['NO_COLOR'] || env['NODE_DISABLE_COLORS']) return false
  return sink.isTTY === true && env['TERM'] !== 'dumb'
}

export class Channel {
  readonly isTTY: boolean
  readonly #sink: Sink
  readonly #colour: boolean
  readonly #closed = new AbortController()
  #failure: NodeJS.ErrnoException | undefined

  constructor(sink: Sink, env: Environment) {
    this.#sink = sink
    this.isTTY = sink.isTTY === true
    this.#colour = wantsColour(sink, env)
    sink.on('error', error => {
      // EIO is what a terminal gives after it was closed. A destroyed stream only repeats what it said before.
      const left = error.code === 'EPIPE' || error.code === 'EIO' || error.code === 'ERR_STREAM_DESTROYED'
      if (!left) this.#failure ??= error
      this.#closed.abort()
    })
  }

  /** Fires when nobody reads any more. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Why words were lost, if not because their reader left. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure
  }

  get columns(): number {
    return this.#sink.columns ?? 80
  }

  get rows(): number {
    return this.#sink.rows ?? 24
  }

  write(text: string): void {
    if (!this.#closed.signal.aborted) this.#sink.write(text)
  }

  line(text: string): void {
    this.write(`${text}\n`)
  }

  style(style: Style, text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text
  }
}

export interface Output {
  /** stdout: what was asked for. */
  readonly data: Channel
  /** stderr: what is said about it. */
  readonly note: Channel
}

/** Text from a file, a log or a user, on one line and without anything that a terminal would obey. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '')
}

/** The same for a text of several lines, which keep their indentation. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    '',
  )
}

/** The version of every JSON document that a command prints. */
export const API_VERSION = 'dagbok/v1'

/** One document: `{"apiVersion":…,"kind":…, …}`. */
export function writeJson(channel: Channel, kind: string, body: object): void {
  channel.line(
    JSON.stringify({ apiVersion: API_VERSION, kind, ...body }, undefined, channel.isTTY ? 2 : undefined),
  )
}

/** A list: `{"apiVersion":…,"kind":…,"items":[…]}`. */
export function writeJsonList(channel: Channel, kind: string, items: readonly unknown[]): void {
  writeJson(channel, kind, { items })
}
