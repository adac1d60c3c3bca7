// Which DAG is meant: a file or a name.

import { resolve } from 'node:path'

export type Target = { readonly file: string } | { readonly dag: string }

/** What looks like a path is a file, made absolute; anything else is a DAG's name. A name can hold no slash. */
export function nameTarget(cwd: string, word: string): Target {
  return /[/\\]|\.ya?ml$/i.test(word) ? { file: resolve(cwd, word) } : { dag: word }
}
