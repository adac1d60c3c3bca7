// The real disk: `Disk` on node:fs. No policy, no retry; errors pass through as Node throws them.
//
//   - File descriptors and callbacks instead of FileHandles: one commit is one write and one fdatasync, and the
//     FileHandle's promises cost a tenth of its time.

import fs from 'node:fs'
import { chmod, mkdir, readdir, rename, statfs, unlink } from 'node:fs/promises'
import type { Disk, DiskFile, FileFacts, OpenMode } from './disk.ts'

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = fs.constants

const FLAGS: Record<OpenMode, number> = {
  append: O_WRONLY | O_APPEND | O_NOFOLLOW,
  create: O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW,
  read: O_RDONLY,
}

function describeFacts(stats: fs.Stats): FileFacts {
  return {
    dev: stats.dev,
    ino: stats.ino,
    size: stats.size,
    nlink: stats.nlink,
    mode: stats.mode & 0o7777,
    mtimeMs: stats.mtimeMs,
  }
}

class NodeFile implements DiskFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  writeSync(bytes: Uint8Array): number {
    return fs.writeSync(this.#fd, bytes)
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, bytes, (error, written) => (error ? reject(error) : resolve(written)))
    })
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, position, (error, count) =>
        error ? reject(error) : resolve(count),
      )
    })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, error => (error ? reject(error) : resolve()))
    })
  }

  truncate(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#fd, size, error => (error ? reject(error) : resolve()))
    })
  }

  factsSync(): FileFacts {
    return describeFacts(fs.fstatSync(this.#fd))
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#fd, error => (error ? reject(error) : resolve()))
    })
  }
}

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o600, (error, fd) => (error ? reject(error) : resolve(fd)))
  })
}

/** The file system of this machine. Holds nothing: any number of callers may share it. */
export const nodeDisk: Disk = {
  async open(path, mode) {
    return new NodeFile(await openDescriptor(path, FLAGS[mode]))
  },
  factsSync(path) {
    const stats = fs.statSync(path, { throwIfNoEntry: false })
    return stats && describeFacts(stats)
  },
  rename,
  unlink,
  chmod,
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  list: directory => readdir(directory),
  async syncDirectory(directory) {
    const fd = await openDescriptor(directory, O_RDONLY)
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(fd, error => (error ? reject(error) : resolve()))
      })
    } finally {
      fs.closeSync(fd)
    }
  },
  async fileSystemType(path) {
    return (await statfs(path)).type
  },
}
