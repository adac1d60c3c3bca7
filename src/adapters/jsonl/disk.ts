// The disk, as the journal and the blob store see it: every byte that they read or write goes through here.
//
// Boundary: names of operations and what they promise; no policy. `node-disk.ts` is the real one; a simulator keeps
// files in memory with a cache that loses what was not synced; a test's wrapper lets the Nth operation fail.
//
//   K1. What was written survives a power cut only after `sync` of its file; a name (created, renamed, removed) only
//       after `syncDirectory` of every directory it touched.
//   K2. Errors are Node's own: an Error whose `code` is ENOSPC, EDQUOT, EFBIG, EIO, ENOENT, EROFS …
//   K3. A write may be short: it returns how many bytes went out. ENOSPC may come on the next call only.
//   K4. Every write goes to the end of its file (O_APPEND): there is no write at a position.
//   K5. The operations whose name ends in `Sync` return before anything else can run; there are three because the
//       check of the file and the write of a batch belong together, and because each hop to another thread costs
//       a quarter of a commit.

/** What a directory entry or an open file is. `dev` + `ino` tell a file from another one under the same name. */
export interface FileFacts {
  readonly dev: number
  readonly ino: number
  readonly size: number
  /** 0: the file has no name any more. */
  readonly nlink: number
  /** Permission bits, e.g. 0o600. */
  readonly mode: number
  /** Last change of the content, Unix milliseconds. */
  readonly mtimeMs: number
}

/**
 * - `append`: an existing file, written at its end only; a symbolic link is refused (ELOOP)
 * - `create`: a new file (EEXIST if there is one), mode 0600, written at its end only
 * - `read`: an existing file, read only
 */
export type OpenMode = 'append' | 'create' | 'read'

export interface DiskFile {
  /** Writes at the end; returns the number of bytes written, which may be less than given. */
  writeSync(bytes: Uint8Array): number
  /** The same without blocking. `bytes` must not change before it resolves. One call at a time. */
  write(bytes: Uint8Array): Promise<number>
  /** Reads from byte `position` into `into`; resolves to the number of bytes read, 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>
  /** fdatasync: the content and the size are on disk when it resolves. After a failure nothing is known (K1). */
  sync(): Promise<void>
  /** Cuts the file to `size` bytes. */
  truncate(size: number): Promise<void>
  factsSync(): FileFacts
  close(): Promise<void>
}

export interface Disk {
  open(path: string, mode: OpenMode): Promise<DiskFile>
  /** Facts of what the path names, links followed; undefined if nothing is there (ENOENT). */
  factsSync(path: string): FileFacts | undefined
  /** Replaces what `to` names, atomically. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  /** Creates the directory and its parents where they are missing, mode 0700. */
  makeDirectory(path: string): Promise<void>
  /** Names in a directory, in any order. */
  list(directory: string): Promise<string[]>
  /** fsync of a directory. */
  syncDirectory(directory: string): Promise<void>
  /** `f_type` of statfs(2): which kind of file system holds the path. */
  fileSystemType(path: string): Promise<number>
}
