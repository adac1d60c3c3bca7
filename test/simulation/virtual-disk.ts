// The disk in memory, with the cache that real ones have: what was not synced may be lost at a power cut, any part of it.
//
// Boundary: `Disk` (src/adapters/jsonl/disk.ts) and the faults of disks. It knows nothing of journals.
//
//   D1. Content: a file has what its readers see (the page cache) and what is on the platter. `sync` copies its dirty
//       pages down. A power cut keeps or loses each dirty page by itself, half a page too (512-byte sectors), and the
//       length by itself: so a tail may be short, torn, or NUL.
//   D2. Names: a create, rename or unlink is on the platter once the directory was synced; before, a power cut keeps or
//       loses each by itself, in any combination. One rename is atomic within a directory; between two, the new name may
//       be there and the old one too, but the file is never under neither.
//   D3. A failed sync marks the dirty pages clean (as Linux does): the next one succeeds, the cache shows everything,
//       the platter lacks some.
//   D4. A process sees the disk through a mount. A dead process's mount does nothing any more: its synchronous
//       operations throw, its promises never settle.
//   D5. Everything random comes from the `Chance` it was made with.

import type { Disk, DiskFile, FileFacts, OpenMode } from '../../src/adapters/jsonl/disk.ts'
import type { Chance } from './chance.ts'

const PAGE = 4096
const SECTOR = 512
/** ext4. */
const FILE_SYSTEM_TYPE = 0xef53
const DEVICE = 1

export type CrashKind = 'kill' | 'power'

class Inode {
  readonly ino: number
  /** What readers see: the first `size` bytes. */
  cache = Buffer.alloc(0)
  size = 0
  /** What is on the platter: the first `diskSize` bytes. */
  platter = Buffer.alloc(0)
  diskSize = 0
  readonly dirty = new Set<number>()
  links = 0
  opens = 0
  mode = 0o600
  diskMode = 0o600

  constructor(ino: number) {
    this.ino = ino
  }
}

class Directory {
  live = new Map<string, Inode | Directory>()
  durable = new Map<string, Inode | Directory>()
}

/** A change of names in one directory, not yet on the platter. */
interface NameChange {
  readonly directory: Directory
  readonly entries: readonly (readonly [string, Inode | Directory | undefined])[]
  /** The other half of a rename between directories: this one cannot survive without it. */
  readonly needs?: NameChange
  done: boolean
}

/** An error as Node's file system throws it. */
function systemError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code, syscall: operation, path })
}

/** What a synchronous operation of a dead process throws. Nobody who lives sees it. */
export class ProcessDied extends Error {}

/** How often each fault really happened. */
export interface DiskCounts {
  operations: number
  syncs: number
  shortWrites: number
  /** Writes that a crash cut in the middle. */
  tornWrites: number
  fullWrites: number
  failedSyncs: number
  failedWrites: number
  failedReads: number
  /** Dirty pages that a power cut or a failed sync took. */
  lostPages: number
  /** Bytes that a power cut turned to NUL: the length survived, the page did not. */
  nulTails: number
  lostNames: number
  rottenBits: number
}

export class VirtualDisk {
  readonly counts: DiskCounts = {
    operations: 0,
    syncs: 0,
    shortWrites: 0,
    tornWrites: 0,
    fullWrites: 0,
    failedSyncs: 0,
    failedWrites: 0,
    failedReads: 0,
    lostPages: 0,
    nulTails: 0,
    lostNames: 0,
    rottenBits: 0,
  }
  capacityBytes = Number.POSITIVE_INFINITY
  /** Probability that a write takes fewer bytes than given. */
  shortWriteChance = 0
  /** The so-manieth sync (write, read) from now fails with EIO; 0: none. */
  failSyncIn = 0
  failWriteIn = 0
  failReadIn = 0
  /** True: promises settle only when `settleOne` is called; false: in the next microtask. */
  holding = false

  readonly #chance: Chance
  #root = new Directory()
  #directories = new Map<string, Directory>([['/', this.#root]])
  #pending: NameChange[] = []
  #held: (() => void)[] = []
  #mount: Mount | undefined
  #crashIn = 0
  #crashed: () => void = () => {}
  #nextIno = 1

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** The disk as one process sees it. The one before is dead. */
  mount(): Disk {
    if (this.#mount !== undefined) this.#mount.alive = false
    this.#mount = new Mount(this)
    return this.#mount
  }

  /** The process dies in the middle of its so-manieth operation from now; 0: it does not. */
  crashIn(operations: number, crashed: () => void): void {
    this.#crashIn = operations
    this.#crashed = crashed
  }

  /** Ends the mount; with `power`, what was not synced is at risk (D1, D2). */
  crash(kind: CrashKind): void {
    if (this.#mount !== undefined) this.#mount.alive = false
    this.#crashIn = 0
    this.#held = []
    for (const inode of this.#inodes()) inode.opens = 0
    if (kind === 'kill') return
    this.#cutPower()
  }

  get heldCount(): number {
    return this.#held.length
  }

  /** Lets the oldest held operation take place. */
  settleOne(): void {
    this.#held.shift()?.()
  }

  get usedBytes(): number {
    let used = 0
    for (const { size } of this.#inodes()) used += size
    return used
  }

  /** Full from now on, but for so many bytes. */
  fill(freeBytes: number): void {
    this.capacityBytes = this.usedBytes + freeBytes
  }

  // --- for the observer: not operations of any process -----------------------------------------------------------

  /** What a reader would see; undefined if there is no such file. */
  peek(path: string): Buffer | undefined {
    const node = this.lookUp(path)
    return node instanceof Inode ? Buffer.from(node.cache.subarray(0, node.size)) : undefined
  }

  listPaths(): string[] {
    const found: string[] = []
    for (const [at, directory] of this.#directories) {
      for (const [name, node] of directory.live) if (node instanceof Inode) found.push(join(at, name))
    }
    return found.sort()
  }

  /** Puts other content in a file's place, durably. */
  poke(path: string, bytes: Buffer): void {
    const node = this.lookUp(path)
    if (!(node instanceof Inode)) throw new Error(`there is no ${path}`)
    this.truncate(node, 0)
    put(node, bytes)
    this.syncInode(node, path)
  }

  /** Turns one bit of what is both on the platter and in the cache. */
  rot(path: string, byte: number, bit: number): void {
    const node = this.lookUp(path)
    if (!(node instanceof Inode) || byte >= node.size) throw new Error(`nothing to rot at ${path}:${byte}`)
    node.cache[byte] = node.cache[byte]! ^ (1 << bit)
    if (byte < node.diskSize) node.platter[byte] = node.cache[byte]!
    this.counts.rottenBits += 1
  }

  // --- what mounts do ------------------------------------------------------------------------------------------------

  /** Counts an operation; true if the process dies in it. */
  dies(mount: Mount): boolean {
    if (!mount.alive) throw new ProcessDied()
    this.counts.operations += 1
    if (this.#crashIn === 0 || --this.#crashIn > 0) return false
    mount.alive = false
    this.#crashed()
    return true
  }

  /** An operation that takes time: `effect` when it is its turn. A crash strikes before or after the effect. */
  later<T>(mount: Mount, effect: () => T): Promise<T> {
    if (!mount.alive) return new Promise(() => {})
    return new Promise((resolve, reject) => {
      const run = () => {
        if (!mount.alive) return
        try {
          if (this.dies(mount)) {
            if (this.#chance.happens(0.5)) effect()
            return
          }
          resolve(effect())
        } catch (error) {
          if (mount.alive) reject(error)
        }
      }
      if (this.holding) this.#held.push(run)
      else queueMicrotask(run)
    })
  }

  lookUp(path: string): Inode | Directory | undefined {
    if (path === '/') return this.#root
    const cut = path.lastIndexOf('/')
    return this.#directories.get(cut === 0 ? '/' : path.slice(0, cut))?.live.get(path.slice(cut + 1))
  }

  #parent(path: string, operation: string): [Directory, string] {
    const cut = path.lastIndexOf('/')
    const directory = this.#directories.get(cut <= 0 ? '/' : path.slice(0, cut))
    if (directory === undefined) throw systemError('ENOENT', operation, path)
    return [directory, path.slice(cut + 1)]
  }

  #change(
    directory: Directory,
    entries: readonly (readonly [string, Inode | Directory | undefined])[],
    needs?: NameChange,
  ): NameChange {
    for (const [name, node] of entries) {
      const before = directory.live.get(name)
      if (before instanceof Inode) before.links -= 1
      if (node === undefined) directory.live.delete(name)
      else {
        directory.live.set(name, node)
        if (node instanceof Inode) node.links += 1
      }
    }
    const change: NameChange = { directory, entries, done: false, ...(needs && { needs }) }
    this.#pending.push(change)
    return change
  }

  openInode(path: string, mode: OpenMode): Inode {
    const node = this.lookUp(path)
    if (node instanceof Directory) throw systemError('EISDIR', 'open', path)
    if (mode !== 'create') {
      if (node === undefined) throw systemError('ENOENT', 'open', path)
      return node
    }
    if (node !== undefined) throw systemError('EEXIST', 'open', path)
    const [directory, name] = this.#parent(path, 'open')
    const inode = new Inode(this.#nextIno++)
    this.#change(directory, [[name, inode]])
    return inode
  }

  rename(from: string, to: string): void {
    const [source, sourceName] = this.#parent(from, 'rename')
    const [target, targetName] = this.#parent(to, 'rename')
    const node = source.live.get(sourceName)
    if (node === undefined) throw systemError('ENOENT', 'rename', from)
    if (source === target) {
      this.#change(source, [
        [targetName, node],
        [sourceName, undefined],
      ])
    } else {
      const there = this.#change(target, [[targetName, node]])
      this.#change(source, [[sourceName, undefined]], there)
    }
  }

  unlink(path: string): void {
    const [directory, name] = this.#parent(path, 'unlink')
    if (!(directory.live.get(name) instanceof Inode)) throw systemError('ENOENT', 'unlink', path)
    this.#change(directory, [[name, undefined]])
  }

  makeDirectory(path: string): void {
    let at = ''
    for (const part of path.split('/').filter(Boolean)) {
      const parent = this.#directories.get(at === '' ? '/' : at)!
      at = `${at}/${part}`
      if (this.#directories.has(at)) continue
      const made = new Directory()
      this.#change(parent, [[part, made]])
      this.#directories.set(at, made)
    }
  }

  list(path: string): string[] {
    const directory = this.#directories.get(path)
    if (directory === undefined) throw systemError('ENOENT', 'scandir', path)
    return [...directory.live.keys()]
  }

  syncDirectory(path: string): void {
    this.#maybeFailSync(path)
    const directory = this.#directories.get(path)
    if (directory === undefined) throw systemError('ENOENT', 'open', path)
    this.counts.syncs += 1
    for (const change of this.#pending) if (change.directory === directory) settle(change)
    this.#pending = this.#pending.filter(({ done }) => !done)
  }

  #maybeFailSync(path: string): void {
    if (this.failSyncIn === 0 || --this.failSyncIn > 0) return
    this.counts.failedSyncs += 1
    throw systemError('EIO', 'fsync', path)
  }

  syncInode(inode: Inode, path: string): void {
    try {
      this.#maybeFailSync(path)
    } catch (error) {
      // D3: some pages went down, none is dirty any more.
      for (const page of inode.dirty) {
        if (this.#chance.happens(0.5)) copyDown(inode, page * PAGE, (page + 1) * PAGE)
        else this.counts.lostPages += 1
      }
      inode.dirty.clear()
      if (this.#chance.happens(0.7)) inode.diskSize = inode.size
      throw error
    }
    this.counts.syncs += 1
    for (const page of inode.dirty) copyDown(inode, page * PAGE, (page + 1) * PAGE)
    inode.dirty.clear()
    inode.diskSize = inode.size
    inode.diskMode = inode.mode
  }

  /** @returns how many bytes were taken */
  append(inode: Inode, bytes: Uint8Array, path: string): number {
    if (this.failWriteIn > 0 && --this.failWriteIn === 0) {
      this.counts.failedWrites += 1
      throw systemError('EIO', 'write', path)
    }
    let length = bytes.length
    if (this.shortWriteChance > 0 && length > 1 && this.#chance.happens(this.shortWriteChance)) {
      length = this.#chance.between(1, length - 1)
      this.counts.shortWrites += 1
    }
    if (this.capacityBytes !== Number.POSITIVE_INFINITY) {
      const free = this.capacityBytes - this.usedBytes
      if (free <= 0 && length > 0) {
        this.counts.fullWrites += 1
        throw systemError('ENOSPC', 'write', path)
      }
      length = Math.min(length, free)
    }
    put(inode, length === bytes.length ? bytes : bytes.subarray(0, length))
    return length
  }

  /** The process dies while it writes: any prefix is in the cache. */
  tear(inode: Inode, bytes: Uint8Array): void {
    const free = this.capacityBytes - this.usedBytes
    const length = Math.min(this.#chance.between(0, bytes.length), Math.max(0, free))
    if (length > 0 && length < bytes.length) this.counts.tornWrites += 1
    put(inode, bytes.subarray(0, length))
  }

  read(inode: Inode, into: Uint8Array, position: number, path: string): number {
    if (this.failReadIn > 0 && --this.failReadIn === 0) {
      this.counts.failedReads += 1
      throw systemError('EIO', 'read', path)
    }
    const count = Math.max(0, Math.min(into.length, inode.size - position))
    if (count > 0) inode.cache.copy(into as Buffer, 0, position, position + count)
    return count
  }

  truncate(inode: Inode, size: number): void {
    if (size > inode.size) reserve(inode, size)
    inode.cache.fill(0, Math.min(size, inode.size), Math.max(size, inode.size))
    inode.size = size
    if (size % PAGE !== 0) inode.dirty.add(Math.floor(size / PAGE))
  }

  // --- a power cut -----------------------------------------------------------------------------------------------

  #cutPower(): void {
    const chance = this.#chance
    // Whole crashes differ: sometimes the disk had written nearly everything, sometimes nothing.
    const survival = chance.pick([0, 0.2, 0.5, 0.8, 1])
    for (const change of this.#pending) {
      if (change.needs?.done === false) continue
      if (chance.happens(survival)) settle(change)
      else this.counts.lostNames += 1
    }
    this.#pending = []
    this.#directories = new Map()
    this.#restore('/', this.#root)
    for (const inode of this.#inodes()) this.#losePages(inode, survival)
  }

  #restore(path: string, directory: Directory): void {
    directory.live = new Map(directory.durable)
    this.#directories.set(path, directory)
    for (const [name, node] of directory.live) {
      if (node instanceof Directory) this.#restore(join(path, name), node)
      else node.links = 0
    }
    for (const node of directory.live.values()) if (node instanceof Inode) node.links += 1
  }

  #losePages(inode: Inode, survival: number): void {
    const chance = this.#chance
    if (inode.mode !== inode.diskMode && !chance.happens(survival)) inode.mode = inode.diskMode
    inode.diskMode = inode.mode
    const before = inode.diskSize
    if (inode.diskSize !== inode.size) {
      const low = Math.min(inode.diskSize, inode.size)
      const high = Math.max(inode.diskSize, inode.size)
      const kept = chance.happens(survival)
      if (kept) inode.diskSize = inode.size
      else if (chance.happens(0.3)) inode.diskSize = chance.between(low, high)
    }
    for (const page of inode.dirty) {
      const start = page * PAGE
      if (chance.happens(survival)) copyDown(inode, start, start + PAGE)
      else if (chance.happens(0.3))
        copyDown(inode, start, start + SECTOR * chance.between(1, PAGE / SECTOR - 1))
      else {
        this.counts.lostPages += 1
        if (inode.diskSize > Math.max(start, before)) this.counts.nulTails += 1
      }
    }
    inode.dirty.clear()
    inode.size = inode.diskSize
    inode.cache = Buffer.alloc(roomFor(inode.size))
    inode.platter.copy(inode.cache, 0, 0, Math.min(inode.size, inode.platter.length))
  }

  *#inodes(): Generator<Inode> {
    const seen = new Set<Inode>()
    for (const { live } of this.#directories.values()) {
      for (const node of live.values()) {
        if (!(node instanceof Inode) || seen.has(node)) continue
        seen.add(node)
        yield node
      }
    }
  }
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`
}

function settle(change: NameChange): void {
  if (change.done) return
  if (change.needs !== undefined) settle(change.needs)
  change.done = true
  for (const [name, node] of change.entries) {
    if (node === undefined) change.directory.durable.delete(name)
    else change.directory.durable.set(name, node)
  }
}

function roomFor(size: number): number {
  return Math.max(PAGE, 2 ** Math.ceil(Math.log2(size + 1)))
}

function reserve(inode: Inode, size: number): void {
  if (size <= inode.cache.length) return
  const larger = Buffer.alloc(roomFor(size))
  inode.cache.copy(larger, 0, 0, inode.size)
  inode.cache = larger
}

function put(inode: Inode, bytes: Uint8Array): void {
  if (bytes.length === 0) return
  reserve(inode, inode.size + bytes.length)
  inode.cache.set(bytes, inode.size)
  const last = Math.floor((inode.size + bytes.length - 1) / PAGE)
  for (let page = Math.floor(inode.size / PAGE); page <= last; page++) inode.dirty.add(page)
  inode.size += bytes.length
}

/** Bytes of the cache go to the platter. */
function copyDown(inode: Inode, start: number, end: number): void {
  if (end > inode.platter.length) {
    const larger = Buffer.alloc(roomFor(end))
    inode.platter.copy(larger)
    inode.platter = larger
  }
  const stop = Math.min(end, inode.cache.length)
  if (stop > start) inode.cache.copy(inode.platter, start, start, stop)
}

class Mount implements Disk {
  alive = true
  readonly #disk: VirtualDisk

  constructor(disk: VirtualDisk) {
    this.#disk = disk
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.#disk.later(this, () => {
      const inode = this.#disk.openInode(path, mode)
      inode.opens += 1
      return new VirtualFile(this.#disk, this, inode, path)
    })
  }

  factsSync(path: string): FileFacts | undefined {
    if (!this.alive) throw new ProcessDied()
    const node = this.#disk.lookUp(path)
    if (node === undefined) return undefined
    return node instanceof Inode
      ? factsOf(node)
      : { dev: DEVICE, ino: 0, size: 0, nlink: 2, mode: 0o700, mtimeMs: 0 }
  }

  rename(from: string, to: string): Promise<void> {
    return this.#disk.later(this, () => this.#disk.rename(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.#disk.later(this, () => this.#disk.unlink(path))
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#disk.later(this, () => {
      const node = this.#disk.lookUp(path)
      if (!(node instanceof Inode)) throw systemError('ENOENT', 'chmod', path)
      node.mode = mode
    })
  }

  makeDirectory(path: string): Promise<void> {
    return this.#disk.later(this, () => this.#disk.makeDirectory(path))
  }

  list(directory: string): Promise<string[]> {
    return this.#disk.later(this, () => this.#disk.list(directory))
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#disk.later(this, () => this.#disk.syncDirectory(directory))
  }

  fileSystemType(): Promise<number> {
    return this.#disk.later(this, () => FILE_SYSTEM_TYPE)
  }
}

function factsOf({ ino, size, links, mode }: Inode): FileFacts {
  return { dev: DEVICE, ino, size, nlink: links, mode, mtimeMs: 0 }
}

class VirtualFile implements DiskFile {
  readonly #disk: VirtualDisk
  readonly #mount: Mount
  readonly #inode: Inode
  readonly #path: string

  constructor(disk: VirtualDisk, mount: Mount, inode: Inode, path: string) {
    this.#disk = disk
    this.#mount = mount
    this.#inode = inode
    this.#path = path
  }

  writeSync(bytes: Uint8Array): number {
    if (this.#disk.dies(this.#mount)) {
      this.#disk.tear(this.#inode, bytes)
      throw new ProcessDied()
    }
    return this.#disk.append(this.#inode, bytes, this.#path)
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#disk.later(this.#mount, () => {
      if (this.#mount.alive) return this.#disk.append(this.#inode, bytes, this.#path)
      this.#disk.tear(this.#inode, bytes)
      return 0
    })
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#disk.later(this.#mount, () => this.#disk.read(this.#inode, into, position, this.#path))
  }

  sync(): Promise<void> {
    return this.#disk.later(this.#mount, () => this.#disk.syncInode(this.#inode, this.#path))
  }

  truncate(size: number): Promise<void> {
    return this.#disk.later(this.#mount, () => this.#disk.truncate(this.#inode, size))
  }

  factsSync(): FileFacts {
    if (!this.#mount.alive) throw new ProcessDied()
    return factsOf(this.#inode)
  }

  close(): Promise<void> {
    return this.#disk.later(this.#mount, () => {
      this.#inode.opens -= 1
    })
  }
}
