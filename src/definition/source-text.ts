// The text of one authored file, and where its lines are. Knows nothing of YAML.
//
//   T1. Offsets count UTF-16 units of `text`; lines and columns count from 1, columns in UTF-16 units, as editors do.
//   T2. A byte order mark at the very start is dropped before offsets are counted: it is tolerated.

/** A part of a text: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

export class SourceText {
  /** As people see it: relative to the root, with `/`. */
  readonly file: string
  readonly text: string
  #lineStarts: number[] | undefined

  constructor(file: string, text: string) {
    this.file = file
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text
  }

  /** Line and column, from 1, of an offset; an offset behind the end is the end. */
  positionAt(offset: number): { line: number; column: number } {
    const starts = this.#starts()
    const at = Math.min(Math.max(offset, 0), this.text.length)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - starts[low]! + 1 }
  }

  /** How many lines there are; an ending newline does not begin another one. */
  get lineCount(): number {
    const starts = this.#starts()
    return starts.length > 1 && starts.at(-1) === this.text.length ? starts.length - 1 : starts.length
  }

  /** The text of a line (from 1) without its line ending; empty if there is no such line. */
  lineText(line: number): string {
    const starts = this.#starts()
    const start = starts[line - 1]
    if (start === undefined) return ''
    return this.text.slice(start, starts[line] ?? this.text.length).replace(/\r?\n$/, '')
  }

  #starts(): number[] {
    if (this.#lineStarts) return this.#lineStarts
    const starts = [0]
    for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1))
      starts.push(at + 1)
    this.#lineStarts = starts
    return starts
  }
}

/** Bytes that are no UTF-8 text, and where the first wrong one is. */
export interface NotText {
  readonly message: string
  readonly help: string
  /** What could be read, with U+FFFD for each wrong byte, to show the place. */
  readonly readable: string
  readonly offset: number
}

/** Reads bytes as UTF-8. A UTF-16 mark and a wrong byte are named, never guessed around. */
export function decodeText(bytes: Uint8Array): { text: string } | { notText: NotText } {
  const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (!wide) {
    try {
      return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
    } catch {
      // Told below, with its place.
    }
  }
  const readable = wide ? '' : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return {
    notText: {
      message: wide ? 'expected UTF-8 text, got UTF-16' : 'expected UTF-8 text, got a byte that is none',
      help: 'save the file as UTF-8',
      readable,
      offset: Math.max(0, firstWrongByte(bytes, readable)),
    },
  }
}

/** A true U+FFFD in the text is three bytes, EF BF BD; the first one that is not marks the wrong byte. */
function firstWrongByte(bytes: Uint8Array, readable: string): number {
  const encoder = new TextEncoder()
  let byte = 0
  let from = 0
  for (let at = readable.indexOf('\uFFFD'); at !== -1; at = readable.indexOf('\uFFFD', from)) {
    byte += encoder.encode(readable.slice(from, at)).length
    if (!(bytes[byte] === 0xef && bytes[byte + 1] === 0xbf && bytes[byte + 2] === 0xbd)) return at
    byte += 3
    from = at + 1
  }
  return 0
}
