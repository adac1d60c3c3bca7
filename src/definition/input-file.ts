// Files on their way into a load: bytes → text, each file once, and what an earlier check of the same text is still good for.

import type { DefinitionProblem } from '../ports/definition-source.ts'
import { makeProblem } from './problem.ts'
import { decodeText, SourceText } from './source-text.ts'

/** A file as it was found: its bytes, or why there are none. */
export interface InputFile {
  /** What people see: relative to the root, with `/`. */
  readonly file: string
  /** What it is, whatever path led there: two paths with the same key are one file. */
  readonly key: string
  readonly content: { readonly bytes: Uint8Array } | { readonly problem: DefinitionProblem }
}

/** Its text; undefined if there is none, and then a problem says why. */
export function readSource(input: InputFile, problems: DefinitionProblem[]): SourceText | undefined {
  if ('problem' in input.content) {
    problems.push(input.content.problem)
    return undefined
  }
  const decoded = decodeText(input.content.bytes)
  if ('text' in decoded) return new SourceText(input.file, decoded.text)
  const { readable, offset, message, help } = decoded.notText
  const source = new SourceText(input.file, readable)
  problems.push(makeProblem(source, { start: offset, end: offset + 1 }, message, { help }))
  return undefined
}

/** An earlier check, if it was of the same text. */
export function keptCheck<T extends { readonly source: SourceText }>(
  kept: T | undefined,
  source: SourceText,
): T | undefined {
  return kept && kept.source.file === source.file && kept.source.text === source.text ? kept : undefined
}

/** Lets go of files that are there no more. */
export function forget(kept: Map<string, unknown>, seen: ReadonlySet<string>): void {
  for (const key of kept.keys()) if (!seen.has(key)) kept.delete(key)
}

/** Of two paths to one file the first. */
export function uniqueByKey(files: readonly InputFile[]): InputFile[] {
  const byKey = new Map<string, InputFile>()
  for (const file of files) if (!byKey.has(file.key)) byKey.set(file.key, file)
  return [...byKey.values()]
}
