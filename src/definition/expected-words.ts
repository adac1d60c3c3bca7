// What each field of the authored forms is, in words: what goes after "expected", and an example to copy.

/** Where a field stands: `tasks[].retries`; `*` for any key. */
export type FieldWords = Readonly<Record<string, Field>>

export interface Field {
  /** Goes after "expected". */
  readonly expected: string
  /** A line as it would be written. */
  readonly example: string
  /** Keys that people write when they mean this one. */
  readonly aliases?: readonly string[]
}

/** `['tasks', 3, 'env', 'HOME']` → the words of `tasks[].env.HOME`, else of `tasks[].env.*`. */
export function findWords(words: FieldWords, path: readonly PropertyKey[]): Field | undefined {
  const text = formatPath(path)
  return words[text] ?? words[text.replace(/\.[^.[]*$/, '.*')]
}

/** `['tasks', 3, 'retries']` → `tasks[].retries` */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const step of path)
    text += typeof step === 'number' ? '[]' : text === '' ? String(step) : `.${String(step)}`
  // Conditions hold conditions, to any depth: they are the same everywhere.
  return text.replace(/(conditions\[\])(?:\.(?:all|any)\[\]|\.not(?![a-z]))+/, '$1')
}

/** A value in words that go after "got". */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  return String(value)
}
