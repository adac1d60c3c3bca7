// Which keys of a stage are nobody's file: hidden ones, and what programs call a file while they still write it.
// docs/guides/stages.md lists them.

const UNFINISHED = ['.tmp', '.part', '.partial', '.filepart', '~']

/** True for one part of a key, a file's or a folder's name, that takes everything under it out of the stage. */
export function isIgnoredName(name: string): boolean {
  if (name.startsWith('.')) return true
  const lower = name.toLowerCase()
  return UNFINISHED.some(ending => lower.endsWith(ending))
}

export function isIgnoredKey(key: string): boolean {
  return key.split('/').some(isIgnoredName)
}
