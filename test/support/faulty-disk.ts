// A disk with planned faults around a real one: the Nth operation fails with a chosen code, a write is short, or the
// process dies there (that operation and every later one throw, and nothing reaches the files any more).
//
// It counts what happened, so that a test can assert that its fault did.

import type { Disk, DiskFile, FileFacts, OpenMode } from '../../src/adapters/jsonl/disk.ts'
import { nodeDisk } from '../../src/adapters/jsonl/node-disk.ts'

export type Operation =
  | 'open'
  | 'write'
  | 'read'
  | 'sync'
  | 'truncate'
  | 'facts'
  | 'close'
  | 'rename'
  | 'unlink'
  | 'chmod'
  | 'makeDirectory'
  | 'list'
  | 'syncDirectory'
  | 'fileSystemType'

export interface Fault {
  /** Counts from 1, over the operations that `on` and `path` match, from the moment the fault is planned. */
  at: number
  on?: readonly Operation[]
  path?: RegExp
  /**
   * - `error`: nothing is done, `code` is thrown
   * - `short`: a write takes half of its bytes; the next matching write throws `code`, if there is one
   * - `crash`: a write takes half of its bytes, nothing else is done; every later operation throws
   */
  kind: 'error' | 'short' | 'crash'
  code?: string
  /** `error` only: also every later matching operation. */
  persists?: boolean
}

export class CrashedError extends Error {}

function failWith(code: string, operation: Operation, path: string): Error {
  return Object.assign(new Error(`${code}: planned fault, ${operation} '${path}'`), { code })
}

export class FaultyDisk implements Disk {
  /** Every operation so far, as `operation path`. */
  readonly log: string[] = []
  /** How often a planned fault came true. */
  faults = 0
  isCrashed = false
  /** What `fileSystemType` says instead of the truth. */
  type: number | undefined

  readonly #disk: Disk
  #fault: Fault | undefined
  #count = 0

  constructor(disk: Disk = nodeDisk) {
    this.#disk = disk
  }

  /** Replaces the plan; undefined heals the disk. */
  plan(fault: Fault | undefined): void {
    this.#fault = fault
    this.#count = 0
  }

  /** True if this very operation is to be cut short. Throws if it is to fail. */
  #step(operation: Operation, path: string): boolean {
    if (this.isCrashed) throw new CrashedError(`the process is dead: ${operation} '${path}'`)
    this.log.push(`${operation} ${path}`)
    const fault = this.#fault
    if (fault === undefined) return false
    if (fault.on && !fault.on.includes(operation)) return false
    if (fault.path && !fault.path.test(path)) return false
    this.#count++
    const isDue = this.#count === fault.at
    if (fault.kind === 'short' && this.#count === fault.at + 1 && fault.code !== undefined) {
      this.faults++
      throw failWith(fault.code, operation, path)
    }
    if (!isDue && !(fault.persists && this.#count > fault.at)) return false
    this.faults++
    if (fault.kind === 'error') throw failWith(fault.code ?? 'EIO', operation, path)
    if (fault.kind === 'crash') this.isCrashed = true
    if (operation === 'write') return true
    if (this.isCrashed) throw new CrashedError(`the process dies: ${operation} '${path}'`)
    return false
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    this.#step('open', path)
    const file = await this.#disk.open(path, mode)
    const cut = (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)
    const step = (operation: Operation) => this.#step(operation, path)
    const dieIfCrashed = () => {
      if (this.isCrashed) throw new CrashedError(`the process dies in a write to '${path}'`)
    }
    return {
      writeSync(bytes) {
        if (!step('write')) return file.writeSync(bytes)
        const written = file.writeSync(cut(bytes))
        dieIfCrashed()
        return written
      },
      async write(bytes) {
        if (!step('write')) return file.write(bytes)
        const written = await file.write(cut(bytes))
        dieIfCrashed()
        return written
      },
      async read(into, position) {
        step('read')
        return file.read(into, position)
      },
      async sync() {
        step('sync')
        await file.sync()
      },
      async truncate(size) {
        step('truncate')
        await file.truncate(size)
      },
      factsSync(): FileFacts {
        step('facts')
        return file.factsSync()
      },
      close: () => {
        // A dead process's files are closed for it.
        if (!this.isCrashed) step('close')
        return file.close()
      },
    }
  }

  factsSync(path: string): FileFacts | undefined {
    this.#step('facts', path)
    return this.#disk.factsSync(path)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step('rename', from)
    await this.#disk.rename(from, to)
  }

  async unlink(path: string): Promise<void> {
    this.#step('unlink', path)
    await this.#disk.unlink(path)
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#step('chmod', path)
    await this.#disk.chmod(path, mode)
  }

  async makeDirectory(path: string): Promise<void> {
    this.#step('makeDirectory', path)
    await this.#disk.makeDirectory(path)
  }

  async list(directory: string): Promise<string[]> {
    this.#step('list', directory)
    return this.#disk.list(directory)
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#step('syncDirectory', directory)
    await this.#disk.syncDirectory(directory)
  }

  async fileSystemType(path: string): Promise<number> {
    this.#step('fileSystemType', path)
    return this.type ?? (await this.#disk.fileSystemType(path))
  }
}
