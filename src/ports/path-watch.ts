// Watching paths for changes, many changes one call, once they have settled. A path that does not exist yet is watched from
// its nearest folder on.

export type Watch = (paths: readonly string[], changed: () => void) => Promise<WatchedPaths>

export interface WatchedPaths {
  add(paths: readonly string[]): void
  close(): Promise<void>
}
