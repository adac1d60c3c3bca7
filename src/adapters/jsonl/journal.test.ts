// Opening, recovering, refusing: the cases by name. Crashes at every step: test/crash/journal-crash.test.ts.

import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FaultyDisk } from '../../../test/support/faulty-disk.ts'
import {
  checkpoint,
  JournalFolder,
  numbered,
  numbersOf,
  stopped,
} from '../../../test/support/journal-folder.ts'
import { encodeBatch } from './batch.ts'

const names = (events: readonly { event: string }[]) => events.map(({ event }) => event)

/** A journal with `count` numbered events, stopped cleanly. */
async function fill(folder: JournalFolder, count: number, { clean = true } = {}) {
  const { journal } = await folder.open()
  for (let n = 1; n <= count; n++) await journal.append([[numbered(n)]])
  if (clean) await journal.append([[stopped()]])
  await journal.close()
}

describe('a new journal', () => {
  it('is created with its directories, private to its user', async () => {
    using folder = new JournalFolder()
    const { journal, recovery, events } = await folder.open()
    expect(recovery).toEqual({ outcome: 'created', events: 1, rollFinished: false })
    expect(names(events)).toEqual(['segment_opened'])
    expect(journal.journalId).toBe('j-1')
    expect(journal.activeBytes).toBe(folder.bytes().length)
    expect(statSync(folder.path).mode & 0o777).toBe(0o600)
    expect(statSync(folder.state).mode & 0o777).toBe(0o700)
    await journal.close()
  })

  it('takes the place of an empty file', async () => {
    using folder = new JournalFolder()
    writeFileSync(folder.path, '')
    const { journal, recovery } = await folder.open()
    expect(recovery.outcome).toBe('created')
    await journal.append([[numbered(1)]])
    await journal.close()
  })

  it('does not begin where the active segment of another one is gone', async () => {
    for (const remove of [rmSync, (path: string) => truncateSync(path)]) {
      using folder = new JournalFolder()
      await fill(folder, 1)
      remove(folder.path)
      await expect(folder.open()).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED', exitCode: 78 })
      await expect(folder.open()).rejects.toThrow(/the active segment is (missing|empty), but/)
    }
  })

  it('never takes a file for its own that is something else', async () => {
    using folder = new JournalFolder()
    const text = '{"timestamp":"2026-01-05T06:00:00Z","event":"run_started"}\n'
    writeFileSync(folder.path, text)
    await expect(folder.open()).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED', line: 1, offset: 0 })
    expect(readFileSync(folder.path, 'utf8')).toBe(text)
  })
})

describe('a clean stop', () => {
  it('is followed by a start that changes nothing', async () => {
    using folder = new JournalFolder()
    await fill(folder, 3)
    const before = [folder.bytes(), statSync(folder.path).ino]
    const { journal, recovery, events } = await folder.open()
    expect(recovery.outcome).toBe('clean')
    expect(numbersOf(events)).toEqual([1, 2, 3])
    expect(journal.lastSeq).toBe(5)
    expect([folder.bytes(), statSync(folder.path).ino]).toEqual(before)
    await journal.close()
  })

  it('is not what a user recorded under that name', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.append([[{ ...numbered(1), event: 'scheduler_stopped' }]])
    await journal.close()
    const again = await folder.open()
    expect(again.recovery.outcome).toBe('recovered')
    await again.journal.close()
  })
})

describe('an unclean stop', () => {
  it('is copied to a new file though nothing is torn, and says so', async () => {
    using folder = new JournalFolder()
    await fill(folder, 2, { clean: false })
    const before = folder.bytes()
    const { ino } = statSync(folder.path)
    const { journal, recovery, events } = await folder.open()
    expect(recovery).toMatchObject({
      outcome: 'recovered',
      recovered: { event: 'journal_recovered', reason: 'unclean_stop', dropped_bytes: 0, seq: 4 },
    })
    expect(names(events)).toEqual(['segment_opened', 'fact_recorded', 'fact_recorded', 'journal_recovered'])
    expect(statSync(folder.path).ino).not.toBe(ino)
    expect(folder.bytes().subarray(0, before.length)).toEqual(before)
    expect(existsSync(join(folder.state, 'recovering.jsonl'))).toBe(false)
    await journal.append([[numbered(3)]])
    await journal.close()
    expect(numbersOf(await folder.history())).toEqual([1, 2, 3])
  })

  it('keeps the torn bytes in quarantine, under a name of their own each time', async () => {
    using folder = new JournalFolder()
    await fill(folder, 1, { clean: false })
    const at = folder.bytes().length
    appendFileSync(folder.path, '{"timestamp":"2026')
    const { journal, recovery } = await folder.open()
    await journal.close()
    expect(recovery.recovered).toMatchObject({
      reason: 'torn_tail',
      dropped_bytes: 18,
      quarantine: `quarantine/00000001-${at}.torn`,
    })
    expect(readFileSync(join(folder.state, recovery.recovered!.quarantine!), 'utf8')).toBe(
      '{"timestamp":"2026',
    )
    truncateSync(folder.path, at)
    appendFileSync(folder.path, '\0\0\0')
    const again = await folder.open()
    expect(again.recovery.recovered?.quarantine).toBe(`quarantine/00000001-${at}-2.torn`)
    await again.journal.close()
  })

  it('drops a commit that is not whole, and its seq are given again', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.append([[numbered(1)], [numbered(2), numbered(3)]])
    await journal.close()
    const lines = folder
      .bytes()
      .toString()
      .split(/(?<=\n)/)
    writeFileSync(folder.path, lines.slice(0, 3).join(''))
    const again = await folder.open()
    expect(numbersOf(again.events)).toEqual([1])
    expect(again.recovery.recovered).toMatchObject({ seq: 3, dropped_bytes: lines[2]!.length })
    await again.journal.close()
  })

  it('behind which a clean-looking line is torn is still recovered', async () => {
    using folder = new JournalFolder()
    await fill(folder, 1)
    const torn = encodeBatch([[stopped()]], 3, 99).bytes
    appendFileSync(folder.path, torn)
    const { journal, recovery, events } = await folder.open()
    expect(recovery.recovered).toMatchObject({ reason: 'torn_tail', dropped_bytes: torn.length })
    expect(events.at(-1)).toMatchObject({ event: 'journal_recovered', seq: 4 })
    await journal.close()
  })

  it('leaves out a byte order mark', async () => {
    using folder = new JournalFolder()
    await fill(folder, 1)
    writeFileSync(folder.path, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), folder.bytes()]))
    const { journal, recovery } = await folder.open()
    expect(recovery.outcome).toBe('recovered')
    expect(folder.bytes()[0]).toBe(0x7b)
    await journal.append([[numbered(2)]])
    await journal.close()
    expect(numbersOf(await folder.history())).toEqual([1, 2])
  })

  it('copies across chunks: a segment of several megabytes', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    for (let n = 0; n < 60; n++) {
      await journal.append([Array.from({ length: 2 }, () => numbered(n, { text: 'é'.repeat(20_000) }))])
    }
    await journal.close()
    const before = folder.bytes()
    expect(before.length).toBeGreaterThan(4 * 1024 * 1024)
    const again = await folder.open()
    expect(again.recovery.events).toBe(122)
    expect(folder.bytes().subarray(0, before.length).equals(before)).toBe(true)
    await again.journal.close()
  })
})

describe('a damaged journal', () => {
  it('stops the start with file, line, byte and reason, and nothing is changed', async () => {
    using folder = new JournalFolder()
    await fill(folder, 4, { clean: false })
    const lines = folder
      .bytes()
      .toString()
      .split(/(?<=\n)/)
    const damaged = lines.with(2, lines[2]!.replace('"n":2', '"n":3')).join('')
    writeFileSync(folder.path, damaged)
    const { ino } = statSync(folder.path)
    await expect(folder.open()).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      exitCode: 78,
      file: folder.path,
      line: 3,
      offset: lines[0]!.length + lines[1]!.length,
      reason: 'its checksum does not fit it and the line before',
      hint: expect.stringContaining('scheduler journal verify'),
    })
    expect(folder.bytes().toString()).toBe(damaged)
    expect(statSync(folder.path).ino).toBe(ino)
    expect(readdirSync(join(folder.state, 'quarantine'))).toEqual([])
    expect(existsSync(join(folder.state, 'recovering.jsonl'))).toBe(false)
  })

  it('is one of a newer format', async () => {
    using folder = new JournalFolder()
    await fill(folder, 0)
    const opened = { ...JSON.parse(folder.bytes().toString().split('\n')[0]!), format: 2, c: undefined }
    writeFileSync(folder.path, encodeBatch([[opened]], 0, 0).bytes)
    await expect(folder.open()).rejects.toMatchObject({ code: 'JOURNAL_FORMAT_NEWER', exitCode: 78 })
  })

  it('is one whose parts do not belong together', async () => {
    using folder = new JournalFolder()
    await fill(folder, 1)
    writeFileSync(join(folder.state, 'journal-id'), 'j-2\n')
    await expect(folder.open()).rejects.toThrow(/belongs to the journal j-2/)
  })

  it('is one whose active segment is an older copy', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.append([[numbered(1)]])
    const old = folder.bytes()
    await journal.roll(checkpoint())
    await journal.close()
    writeFileSync(folder.path, old)
    await expect(folder.open()).rejects.toThrow(/an older copy was put back/)
  })

  it('is one that cannot be read: EIO is not a torn tail', async () => {
    using folder = new JournalFolder()
    await fill(folder, 3, { clean: false })
    const before = folder.bytes()
    const disk = new FaultyDisk()
    disk.plan({ at: 2, on: ['read'], kind: 'error', code: 'EIO' })
    await expect(folder.open({ disk })).rejects.toMatchObject({ code: 'JOURNAL_IO', exitCode: 74 })
    expect(disk.faults).toBe(1)
    expect(folder.bytes()).toEqual(before)
  })
})

describe('a place where no journal can be', () => {
  it('is a network file system, unless accepted', async () => {
    using folder = new JournalFolder()
    for (const type of [0x6969, 0xff534d42, 0xfe534d42, 0x1021997, 0x65735546, 0xff534d42 | 0]) {
      const disk = new FaultyDisk()
      disk.type = type
      await expect(folder.open({ disk })).rejects.toMatchObject({
        code: 'JOURNAL_NETWORK_FS',
        exitCode: 78,
        hint: expect.stringContaining('--unsafe-network-fs'),
      })
      expect(existsSync(folder.path)).toBe(false)
    }
    const disk = new FaultyDisk()
    disk.type = 0x6969
    const { journal } = await folder.open({ disk, unsafeNetworkFs: true })
    await journal.close()
  })

  it('is a read-only or forbidden one, said before anything else', async () => {
    for (const code of ['EROFS', 'EACCES']) {
      using folder = new JournalFolder()
      const disk = new FaultyDisk()
      disk.plan({ at: 1, on: ['open'], kind: 'error', code, persists: true })
      await expect(folder.open({ disk })).rejects.toMatchObject({
        code: 'JOURNAL_NOT_WRITABLE',
        exitCode: 74,
        hint: expect.stringMatching(/read-only|right to/),
      })
    }
  })

  it('is under a file, or a symbolic link', async () => {
    using folder = new JournalFolder()
    writeFileSync(join(folder.root, 'file'), 'x')
    await expect(folder.open({ path: join(folder.root, 'file', 'state.jsonl') })).rejects.toMatchObject({
      code: 'JOURNAL_NOT_WRITABLE',
    })
    await fill(folder, 1)
    const real = join(folder.root, 'real.jsonl')
    renameSync(folder.path, real)
    symlinkSync(real, folder.path)
    await expect(folder.open()).rejects.toThrow(/ELOOP/)
  })
})

describe('a batch that fails', () => {
  it('on a full disk leaves the file as it was, and the same batch goes in later', async () => {
    using folder = new JournalFolder()
    for (const kind of ['error', 'short'] as const) {
      const disk = new FaultyDisk()
      const { journal } = await folder.open({ disk })
      const { lastSeq } = journal
      const before = folder.bytes()
      const commits = [[numbered(lastSeq), numbered(lastSeq)], [numbered(lastSeq)]]
      disk.plan({ at: 1, on: ['write'], kind, code: 'ENOSPC' })
      await expect(journal.append(commits)).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
      expect(disk.faults).toBeGreaterThan(0)
      expect(folder.bytes()).toEqual(before)
      expect(journal.lastSeq).toBe(lastSeq)
      disk.plan(undefined)
      await journal.append(commits)
      expect(commits.flat().map(({ seq }) => seq)).toEqual([lastSeq + 1, lastSeq + 2, lastSeq + 3])
      await journal.close()
    }
    expect((await folder.history()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('on quota and file size limits is the same', async () => {
    for (const code of ['EDQUOT', 'EFBIG']) {
      using folder = new JournalFolder()
      const disk = new FaultyDisk()
      const { journal } = await folder.open({ disk })
      disk.plan({ at: 1, on: ['write'], kind: 'error', code })
      await expect(journal.append([[numbered(1)]])).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
      await journal.append([[numbered(1)]])
      await journal.close()
    }
  })

  it('in fdatasync is final: no second try, no further write', async () => {
    for (const code of ['EIO', 'ENOSPC']) {
      using folder = new JournalFolder()
      const disk = new FaultyDisk()
      const { journal } = await folder.open({ disk })
      disk.plan({ at: 1, on: ['sync'], kind: 'error', code })
      const failure = { code: 'JOURNAL_SYNC_FAILED', exitCode: 74 }
      await expect(journal.append([[numbered(1)]])).rejects.toMatchObject(failure)
      const operations = disk.log.length
      await expect(journal.append([[numbered(2)]])).rejects.toMatchObject(failure)
      await expect(journal.roll(checkpoint())).rejects.toMatchObject(failure)
      expect(disk.log).toHaveLength(operations)
      await journal.close()
    }
  })

  it('with another error, or a half-written end that cannot be cut off, is final too', async () => {
    using folder = new JournalFolder()
    const disk = new FaultyDisk()
    const { journal } = await folder.open({ disk })
    disk.plan({ at: 1, on: ['write'], kind: 'error', code: 'EIO' })
    await expect(journal.append([[numbered(1)]])).rejects.toMatchObject({ code: 'JOURNAL_IO', exitCode: 74 })
    await expect(journal.append([[numbered(1)]])).rejects.toMatchObject({ code: 'JOURNAL_IO' })
    await journal.close()
    const again = await folder.open({ disk })
    disk.plan({ at: 1, on: ['write', 'truncate'], kind: 'error', code: 'ENOSPC', persists: true })
    await expect(again.journal.append([[numbered(1)]])).rejects.toMatchObject({ code: 'JOURNAL_IO' })
    await again.journal.close()
  })

  it('because an event cannot be a line leaves the journal as it was', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    const before = folder.bytes()
    const large = numbered(2, { text: 'x'.repeat(70_000) })
    await expect(journal.append([[numbered(1)], [large]])).rejects.toMatchObject({
      code: 'JOURNAL_LINE_TOO_LONG',
    })
    expect(folder.bytes()).toEqual(before)
    await journal.append([[numbered(1)]])
    expect(journal.lastSeq).toBe(2)
    await journal.close()
  })

  it('because the lock is gone writes nothing any more', async () => {
    using folder = new JournalFolder()
    let isHeld = true
    const { journal } = await folder.open({ isLockHeld: () => isHeld })
    await journal.append([[numbered(1)]])
    const before = folder.bytes()
    isHeld = false
    await expect(journal.append([[numbered(2)]])).rejects.toMatchObject({
      code: 'JOURNAL_CHANGED',
      exitCode: 74,
    })
    isHeld = true
    await expect(journal.append([[numbered(2)]])).rejects.toMatchObject({ code: 'JOURNAL_CHANGED' })
    expect(folder.bytes()).toEqual(before)
    await journal.close()
  })
})

describe('a roll', () => {
  it('seals the old segment read-only; a restart folds only the new one', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.append([[numbered(1)]])
    await journal.roll(checkpoint(2, 'all'))
    await journal.append([[numbered(2)], [stopped()]])
    await journal.close()
    expect(readdirSync(join(folder.state, 'segments'))).toEqual(['00000001.jsonl'])
    expect(statSync(join(folder.state, 'segments', '00000001.jsonl')).mode & 0o777).toBe(0o400)
    const again = await folder.open()
    expect(again.recovery.outcome).toBe('clean')
    expect(names(again.events)).toEqual([
      'segment_opened',
      'checkpoint',
      'checkpoint',
      'fact_recorded',
      'scheduler_stopped',
    ])
    expect(again.events[0]).toMatchObject({ segment: 2, prev_last_seq: 3 })
    await again.journal.close()
  })

  it('without room leaves the old segment going on, and works later', async () => {
    using folder = new JournalFolder()
    const disk = new FaultyDisk()
    const { journal } = await folder.open({ disk })
    await journal.append([[numbered(1)]])
    for (const path of [/\.new$/, /state\.jsonl$/]) {
      disk.plan({ at: 1, on: ['write'], path, kind: 'short', code: 'ENOSPC' })
      await expect(journal.roll(checkpoint())).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
      expect(disk.faults).toBeGreaterThan(0)
      expect(readdirSync(join(folder.state, 'segments'))).toEqual([])
      disk.plan(undefined)
      await journal.append([[numbered(2)]])
    }
    await journal.roll(checkpoint())
    await journal.append([[numbered(3)]])
    await journal.close()
    expect(numbersOf(await folder.history())).toEqual([1, 2, 2, 3])
  })

  it('whose next segment was taken away is called off: the segment goes on behind its footer', async () => {
    using folder = new JournalFolder()
    const disk = new FaultyDisk()
    const { journal } = await folder.open({ disk })
    await journal.append([[numbered(1)]])
    disk.plan({ at: 1, on: ['rename'], kind: 'crash' })
    await expect(journal.roll(checkpoint())).rejects.toThrow(/dies/)
    await journal.close()
    rmSync(join(folder.state, 'segments', '00000002.jsonl.new'))
    const again = await folder.open()
    expect(names(again.events).slice(-2)).toEqual(['segment_sealed', 'journal_recovered'])
    await again.journal.append([[numbered(2)]])
    await again.journal.roll(checkpoint())
    await again.journal.close()
    expect(numbersOf(await folder.history())).toEqual([1, 2])
  })

  it('survives a hard link to the active segment: a backup may hold one', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    linkSync(folder.path, join(folder.root, 'backup'))
    await journal.append([[numbered(1)]])
    await journal.roll(checkpoint())
    await journal.append([[numbered(2)]])
    await journal.close()
    expect(numbersOf(await folder.history())).toEqual([1, 2])
  })

  it('is finished by the next start if only the protection of the old segment is left to do', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.roll(checkpoint())
    await journal.close()
    const sealed = join(folder.state, 'segments', '00000001.jsonl')
    chmodSync(sealed, 0o600)
    const again = await folder.open()
    expect(statSync(sealed).mode & 0o777).toBe(0o400)
    await again.journal.close()
  })

  it('lies in `<path>.d` where the path does not end in .jsonl', async () => {
    using folder = new JournalFolder()
    mkdirSync(join(folder.root, 'deep', 'er'), { recursive: true })
    const path = join(folder.root, 'deep', 'er', 'journal')
    const { journal } = await folder.open({ path })
    await journal.roll(checkpoint())
    await journal.close()
    expect(existsSync(`${path}.d/segments/00000001.jsonl`)).toBe(true)
  })
})
