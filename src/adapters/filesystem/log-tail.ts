// Reading the end of a log: a command's output object and its last word of error.
//
//   1. The output is the last line that is a JSON object; other lines, whatever they say, are text and nothing else.
//   2. Only the tail is read (TAIL_BYTES), so a gigabyte of log costs what a megabyte costs.

import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { LogTail } from './log-limit.ts'

/** An output object may have so many bytes. */
export const MAX_OUTPUT_BYTES = 1024 * 1024

/** Enough for the largest output and some lines after it. */
export const STDOUT_TAIL_BYTES = MAX_OUTPUT_BYTES + 64 * 1024
export const STDERR_TAIL_BYTES = 8 * 1024

const NEWLINE = 0x0a
const OPEN = 0x7b
const CLOSE = 0x7d
const LONGEST_ERROR_LINE = 500

/** The last line that is a JSON object; `too_large` if that line is longer than an output may be. */
export function findOutput({ bytes, partial }: LogTail): JsonObject | 'too_large' | undefined {
  let end = bytes.length
  while (end > 0) {
    const start = bytes.lastIndexOf(NEWLINE, end - 1) + 1
    const line = trim(bytes.subarray(start, end))
    const whole = start > 0 || !partial
    if (line.length > 0 && line.at(-1) === CLOSE) {
      if (!whole && line.length > MAX_OUTPUT_BYTES) return 'too_large'
      if (whole && line[0] === OPEN) {
        const value = parseObject(line)
        if (value !== undefined) return line.length > MAX_OUTPUT_BYTES ? 'too_large' : value
      }
    }
    end = start - 1
  }
  return undefined
}

/** The last line that is not blank, without control characters, cut to 500 characters. */
export function findLastLine({ bytes }: LogTail): string {
  const lines = bytes.toString('utf8').split('\n')
  const line = lines.findLast(text => text.trim() !== '') ?? ''
  const plain = line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
  return plain.trim().slice(0, LONGEST_ERROR_LINE)
}

function parseObject(line: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Without spaces, tabs and carriage returns at both ends. */
function trim(line: Buffer): Buffer {
  const blank = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0d
  let start = 0
  let end = line.length
  while (start < end && blank(line[start])) start++
  while (end > start && blank(line[end - 1])) end--
  return line.subarray(start, end)
}
