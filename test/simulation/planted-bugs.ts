// Bugs that a scheduler could have, put around the real one from outside: the judge has to find each of them. Nothing
// in src/ knows of this file; a bug is a wrapper around what the world hands to the scheduler.

import { encodeBatch } from '../../src/adapters/jsonl/batch.ts'
import type { Disk, DiskFile } from '../../src/adapters/jsonl/disk.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import { type Event, isUserEvent } from '../../src/core/state-machine/event.ts'
import { startOfMinute } from '../../src/core/time/instant.ts'
import { type Commit, type Journal, JournalDamagedError } from '../../src/ports/journal.ts'
import { crc32 } from './journal-text.ts'
import type { Hooks, Life } from './life.ts'
import { JOURNAL_PATH, type World } from './world.ts'

export interface PlantedBug {
  readonly name: string
  /** A fresh one for each seed: some remember things. */
  plant(): Hooks
  /** What the judge has to say of it. */
  readonly finding: RegExp
  readonly needsBitRot?: boolean
}

/** `file` with some of its methods replaced. */
function changeFile(file: DiskFile, changes: Partial<DiskFile>): DiskFile {
  return {
    writeSync: bytes => file.writeSync(bytes),
    write: bytes => file.write(bytes),
    read: (into, position) => file.read(into, position),
    sync: () => file.sync(),
    truncate: size => file.truncate(size),
    factsSync: () => file.factsSync(),
    close: () => file.close(),
    ...changes,
  }
}

/** `disk`, whose files are changed as they are opened. */
function changeFiles(disk: Disk, change: (file: DiskFile, path: string) => DiskFile): Disk {
  return {
    open: async (path, mode) => change(await disk.open(path, mode), path),
    factsSync: path => disk.factsSync(path),
    rename: (from, to) => disk.rename(from, to),
    unlink: path => disk.unlink(path),
    chmod: (path, mode) => disk.chmod(path, mode),
    makeDirectory: path => disk.makeDirectory(path),
    list: directory => disk.list(directory),
    syncDirectory: directory => disk.syncDirectory(directory),
    fileSystemType: path => disk.fileSystemType(path),
  }
}

/** `journal` whose `append` is another. Its figures stay live. */
export function changeAppend(
  journal: Journal,
  append: (commits: readonly Commit[]) => Promise<void>,
): Journal {
  return {
    get lastSeq() {
      return journal.lastSeq
    },
    get activeBytes() {
      return journal.activeBytes
    },
    get journalId() {
      return journal.journalId
    },
    get wantsRoll() {
      return journal.wantsRoll
    },
    append,
    roll: checkpoint => journal.roll(checkpoint),
    close: () => journal.close(),
  }
}

function isLost(event: Event): boolean {
  return event.event === 'task_lost' && !isUserEvent(event)
}

/**
 * A file in which bytes may stand that the journal does not know of: what `put` gives before a batch, and what a full
 * disk took of one. Only the journal's batches come by `writeSync`.
 */
function hideBytes(file: DiskFile, put: () => Buffer | undefined): DiskFile {
  let hidden = 0
  let isActive = false
  return changeFile(file, {
    writeSync: bytes => {
      isActive = true
      const before = put()
      if (before !== undefined) hidden += file.writeSync(before)
      return file.writeSync(bytes)
    },
    truncate: async size => {
      if (isActive) hidden = file.factsSync().size - size
      else await file.truncate(size)
    },
    factsSync: () => {
      const facts = file.factsSync()
      return { ...facts, size: facts.size - hidden }
    },
  })
}

/** Writes the lines that pass `keep` anew, with fresh numbers and checksums, as if nothing had been wrong. */
function rewriteJournal(world: World, keep: (line: Buffer, crcFits: boolean) => boolean): boolean {
  const bytes = world.disk.peek(JOURNAL_PATH)!
  const events: Event[] = []
  let crc = 0
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start)
    if (end < 0) break
    const line = bytes.subarray(start, end)
    start = end + 1
    const stated = Number.parseInt(line.toString('latin1', line.length - 10, line.length - 2), 16)
    const computed = crc32(line.subarray(0, line.length - 17), crc)
    let event: Event
    try {
      event = JSON.parse(line.toString('utf8')) as Event
    } catch {
      if (!keep(line, false)) continue
      return false
    }
    if (events.length === 0) crc = Number.parseInt((event as { prev_crc?: string }).prev_crc ?? '0', 16)
    const fits = events.length === 0 || computed === stated
    crc = stated
    if (!keep(line, fits)) continue
    const { c: _, commit: __, ...rest } = event as Event & { c?: unknown; commit?: unknown }
    events.push(rest as Event)
  }
  const header = events[0] as (Event & { prev_last_seq: number; prev_crc: string }) | undefined
  if (header?.event !== 'segment_opened' || !Number.isInteger(header.prev_last_seq)) return false
  const commits = events.map(event => [event])
  const chain = Number.parseInt(header.prev_crc, 16)
  world.disk.poke(JOURNAL_PATH, encodeBatch(commits, header.prev_last_seq, chain).bytes)
  return true
}

function openDamaged(keep: (line: Buffer, crcFits: boolean) => boolean): Hooks {
  return {
    openJournal: async (open, options, world) => {
      try {
        return await open(options)
      } catch (error) {
        if (!(error instanceof JournalDamagedError) || !rewriteJournal(world, keep)) throw error
        return open(options)
      }
    },
  }
}

function planByWallClock(definitions: Definitions, world: World): Definitions {
  const schedules = [...definitions.schedules.values()].map(schedule => ({
    ...schedule,
    slots: {
      ...schedule.slots,
      next: (after: number) => schedule.slots.next(Math.max(after, world.time.wallMs - 60_000)),
    },
  }))
  return { ...definitions, schedules: new Map(schedules.map(schedule => [schedule.id, schedule])) }
}

function startEarly(life: Life, commits: readonly Commit[]): void {
  for (const event of commits.flat())
    if (event.event === 'task_start' && !isUserEvent(event)) startAttempt(life, event)
}

/** Starts the attempt of which a line tells. */
export function startAttempt(life: Life, event: Event): void {
  const {
    run_id: runId,
    task_id: taskId,
    attempt,
  } = event as unknown as { run_id: string; task_id: string; attempt: number }
  const subject = { runId, taskId, attempt, dagName: 'dag', tenantId: 'sim', workflowRef: 'work', env: {} }
  life.worker!.start({ ...subject, params: { depends_on: [] }, logicalDate: event.timestamp })
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'acknowledges before fdatasync',
    plant: () => ({
      wrapDisk: disk => changeFiles(disk, file => changeFile(file, { sync: () => Promise.resolve() })),
    }),
    finding: /^I2 |JOURNAL_DAMAGED/,
  },
  {
    name: 'leaves a torn tail where it is',
    plant: () => {
      let torn: Buffer | undefined
      const takeTorn = () => {
        const taken = torn
        torn = undefined
        return taken
      }
      return {
        wrapDisk: disk => changeFiles(disk, file => hideBytes(file, takeTorn)),
        openJournal: async (open, options, world) => {
          const before = world.disk.peek(JOURNAL_PATH)
          const opened = await open(options)
          const bytes = opened.recovery.recovered?.dropped_bytes ?? 0
          torn = before === undefined || bytes === 0 ? undefined : before.subarray(before.length - bytes)
          return opened
        },
      }
    },
    finding: /JOURNAL_DAMAGED|^I[38] /,
  },
  {
    name: 'tries a failed fdatasync again',
    plant: () => ({
      wrapDisk: disk =>
        changeFiles(disk, file => changeFile(file, { sync: () => file.sync().catch(() => file.sync()) })),
    }),
    finding: /^I[28] |JOURNAL_DAMAGED|a clean stop/,
  },
  {
    name: 'leaves half a line when the disk is full',
    plant: () => ({
      wrapDisk: disk => changeFiles(disk, file => hideBytes(file, () => undefined)),
    }),
    finding: /JOURNAL_DAMAGED|^I[38] /,
  },
  {
    name: 'reports a lost attempt twice',
    plant: () => ({
      wrapJournal: journal =>
        changeAppend(journal, commits =>
          journal.append(
            commits.map(commit => commit.flatMap(event => (isLost(event) ? [event, { ...event }] : [event]))),
          ),
        ),
    }),
    finding: /^I5 .*task_lost|not running/,
  },
  {
    name: 'plans from the wall clock instead of the last slot',
    plant: () => ({ wrapDefinitions: planByWallClock }),
    finding: /^I1 /,
  },
  {
    name: 'skips a bad line',
    plant: () => openDamaged((_line, crcFits) => crcFits),
    finding: /^I3 a damaged journal was opened|the process ended by itself/,
    needsBitRot: true,
  },
  {
    name: 'does not look at checksums',
    plant: () => openDamaged(() => true),
    finding: /^I3 a damaged journal was opened|the process ended by itself/,
    needsBitRot: true,
  },
  {
    name: 'writes the lines of a decision one by one',
    plant: () => ({
      wrapJournal: journal =>
        changeAppend(journal, async commits => {
          for (const event of commits.flat()) await journal.append([[event]])
        }),
    }),
    finding: /^I4 /,
  },
  {
    name: 'forgets after a restart which slot it decided last',
    plant: () => ({
      afterFold: (state, world) => {
        const minute = startOfMinute(world.time.wallMs) - 1
        for (const schedule of state.schedules.values()) schedule.cursor = Math.min(schedule.cursor, minute)
      },
    }),
    finding: /^I1 |^I8 |the process ended by itself/,
  },
  {
    name: 'starts work before its intent is durable',
    plant: () => ({
      wrapJournal: (journal, life) =>
        changeAppend(journal, commits => {
          startEarly(life, commits)
          return journal.append(commits)
        }),
    }),
    finding: /^I6 /,
  },
  {
    name: 'takes the outcome of an old attempt for the new one',
    plant: () => ({
      wrapReports: (reports, life) => ({
        spawned: (key, identity) => reports.spawned(key, identity),
        adopted: (key, pid) => reports.adopted(key, pid),
        finished: (key, outcome, durationMs) => {
          const attempt = life.state.runs.get(key.runId)?.tasks.get(key.taskId)?.attempt ?? key.attempt
          reports.finished({ ...key, attempt }, outcome, durationMs)
        },
      }),
    }),
    finding: /^I7 /,
  },
]
