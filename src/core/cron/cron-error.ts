// The error of a cron text that cannot be used: where it is wrong, what was expected and what to write instead.

import { DagbokError, EXIT } from '../error.ts'

export interface CronErrorDetails {
  /** What is wrong, as a sentence without its full stop: `minute 61 is out of range 0-59`. */
  readonly what: string
  /** 0-based offset of the wrong part in the text, and its length. */
  readonly position: number
  readonly length: number
  readonly expected: string
  readonly remedy: string
}

/** Code CRON_INVALID, exit code 3. `position` and `length` mark the wrong part in `expression`. */
export class CronError extends DagbokError {
  readonly expression: string
  readonly position: number
  readonly length: number
  readonly expected: string
  /** The wrong part itself, at most 40 characters of it. */
  readonly got: string

  constructor(expression: string, details: CronErrorDetails) {
    const { what, position, length, expected, remedy } = details
    const got = clip(expression.slice(position, position + length), 40)
    const where = `column ${position + 1} of cron ${JSON.stringify(clip(expression, 80))}`
    super('CRON_INVALID', `${what} (${where}; expected ${expected})`, {
      hint: remedy,
      exitCode: EXIT.configInvalid,
    })
    this.expression = expression
    this.position = position
    this.length = length
    this.expected = expected
    this.got = got
  }
}

export function clip(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text
}
