// What a journal line, a task's params and a task's output may hold: JSON, nothing else.

export type Json = null | boolean | number | string | Json[] | JsonObject
export type JsonObject = { [key: string]: Json | undefined }

/** True for `{…}`: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const encoder = new TextEncoder()

/**
 * How many bytes a value takes in a journal line: UTF-8, with U+2028 and U+2029 escaped as the journal escapes them.
 * Every limit that keeps a line under 64 KiB is measured with this.
 */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value)
  let bytes = encoder.encode(text).length
  for (const _ of text.matchAll(/[\u2028\u2029]/g)) bytes += 3
  return bytes
}

/** Cuts a text so that no message of somebody else's making is too long for a line. */
export function clip(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}… (${text.length} characters)`
}
