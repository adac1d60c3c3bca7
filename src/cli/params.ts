// Params as they are typed: `--param key=value`, `--params-file file`, `record event key=value`.
//
//   - A value that is JSON is that JSON (`3`, `true`, `null`, `"3"`, `[1,2]`); anything else is the text as it stands.
//   - The file comes first, flags over it, later ones over earlier ones.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { UsageError } from './usage.ts'

/**
 * Fields of `key=value` words.
 * @throws UsageError (exit 2)
 */
export function readPairs(flag: string, words: readonly string[]): JsonObject {
  const fields: JsonObject = {}
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 1) throw new UsageError(`${flag}: expected key=value, got ${JSON.stringify(word)}`)
    const key = word.slice(0, at)
    if (key === '__proto__') throw new UsageError(`${flag}: a key cannot be called __proto__`)
    fields[key] = readValue(word.slice(at + 1))
  }
  return fields
}

function readValue(text: string): Json {
  // A number that would come back as another text (an id of 20 digits, 1.10) is kept as the text.
  if (/^-?\d/.test(text) && String(Number(text)) !== text) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/**
 * Params of a run; undefined if none were given.
 * @throws UsageError (exit 2)
 */
export async function readParams(
  cwd: string,
  { param = [], paramsFile }: { param?: readonly string[]; paramsFile?: string },
): Promise<JsonObject | undefined> {
  if (param.length === 0 && paramsFile === undefined) return undefined
  const fromFile = paramsFile === undefined ? {} : await readParamsFile(resolve(cwd, paramsFile), paramsFile)
  return { ...fromFile, ...readPairs('--param', param) }
}

async function readParamsFile(path: string, shown: string): Promise<JsonObject> {
  let value: unknown
  try {
    const text = readFileSync(path, 'utf8')
    value = path.endsWith('.json') ? JSON.parse(text) : (await import('yaml')).parse(text)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message.split('\n')[0]
    throw new UsageError(`--params-file: ${shown} cannot be read: ${reason}`)
  }
  // Through JSON and back: a date or a map with other keys in YAML is not a param.
  if (isJsonObject(value)) return JSON.parse(JSON.stringify(value)) as JsonObject
  throw new UsageError(
    `--params-file: expected a mapping in ${shown}, got ${value === null ? 'nothing' : typeof value}`,
  )
}
