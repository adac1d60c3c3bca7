// Ready after a crash: opening and folding a segment of 64 MiB whose scheduler was killed. Against reading the same
// bytes, checking each line's checksum and parsing it: the least that anyone has to do who wants the same certainty.

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { openJournal } from '../src/adapters/jsonl/journal.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { Agenda } from '../src/core/planner/agenda.ts'
import { NO_DEFINITIONS } from '../src/core/schedule/definitions.ts'
import { checkpointEvents, replay } from '../src/core/state-machine/checkpoint.ts'
import type { Command } from '../src/core/state-machine/command.ts'
import { decide } from '../src/core/state-machine/decide.ts'
import type { Event } from '../src/core/state-machine/event.ts'
import { evolve } from '../src/core/state-machine/evolve.ts'
import { emptyState, type State } from '../src/core/state-machine/state.ts'
import { formatInstant } from '../src/core/time/instant.ts'
import type { Journal } from '../src/ports/journal.ts'
import { inFolder, median, QUICK, takeTurns, timeMs } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { NO_OP_DAG } from './world.ts'

const MIB = 2 ** 20
const SEGMENT_BYTES = (QUICK ? 8 : 64) * MIB
const OLDER_SEGMENTS = 7
const OLDER_BYTES = (QUICK ? 1 : 16) * MIB
const ROUNDS = QUICK ? 3 : 7
const NOW = Date.parse('2026-01-05T06:00:00Z')

let number = 0

/** Goes on with runs of a chain of three tasks until the active segment has so many bytes. */
async function fill(journal: Journal, state: State, bytes: number): Promise<void> {
  const context = {
    now: NOW,
    definitions: NO_DEFINITIONS,
    agenda: new Agenda(),
    limits: { maxParallel: 100, maxTasks: 100 },
    admission: 'open',
    driven: 'all',
    random: () => 0.5,
  } as const
  while (journal.activeBytes < bytes) {
    const commits: Event[][] = []
    for (let n = 0; n < 100; n++) {
      number += 1
      const runId = `noop@manual-${String(number).padStart(26, '0')}`
      const command = (given: Command) => commits.push(...decide(state, given, context))
      command({ type: 'trigger', runId, dag: NO_OP_DAG, cause: 'cli' })
      for (const { id } of NO_OP_DAG.tasks) {
        const attempt = { runId, taskId: id, attempt: 1 }
        command({ type: 'spawned', ...attempt, pid: 4711, startTicks: 1, bootId: 'bench' })
        command({
          type: 'ended',
          ...attempt,
          durationMs: 12,
          result: { kind: 'ok', output: { rows: number } },
        })
      }
    }
    await journal.append(commits)
  }
}

/** What was written to make the trial must not be paid for by the first sync within it. */
function settle(): void {
  execFileSync('sync')
  globalThis.gc?.()
}

/** Read, split at line feeds, compare each chained checksum, parse. */
function readBare(path: string): number {
  const bytes = readFileSync(path)
  let lines = 0
  let crc = 0
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from)
    const line = bytes.toString('latin1', from, end)
    const cut = line.lastIndexOf(',"c":"')
    crc = crc32(bytes.subarray(from, from + cut), crc)
    JSON.parse(bytes.toString('utf8', from, end))
    lines += 1
    from = end + 1
  }
  if (lines === 0 || crc === 0) throw new Error('the segment holds nothing')
  return lines
}

await inFolder(async folder => {
  /** Makes a journal that nobody stopped, and says where its active segment is. */
  async function make(name: string, older: number): Promise<string> {
    const home = join(folder, name)
    const path = join(home, 'state.jsonl')
    const state = emptyState()
    const { journal } = await openJournal({ path, now: systemClock.now, segmentBytes: 4 * SEGMENT_BYTES })
    for (let n = 0; n < older; n++) {
      await fill(journal, state, OLDER_BYTES)
      const checkpoint = checkpointEvents(state, formatInstant(NOW))
      await journal.roll(checkpoint)
      for (const event of checkpoint) evolve(state, event)
    }
    await fill(journal, state, SEGMENT_BYTES)
    await journal.close()
    return home
  }

  /** One start after a kill: everything until the first command could be decided. */
  async function recover(home: string): Promise<number> {
    const copy = join(folder, 'copy')
    rmSync(copy, { recursive: true, force: true })
    cpSync(home, copy, { recursive: true })
    settle()
    const state = emptyState()
    let closed: Journal | undefined
    const ms = await timeMs(async () => {
      const { journal, recovery } = await openJournal({
        path: join(copy, 'state.jsonl'),
        now: systemClock.now,
        segmentBytes: 4 * SEGMENT_BYTES,
        onEvent: event => replay(state, event),
      })
      if (recovery.outcome !== 'recovered')
        throw new Error(`the start was ${recovery.outcome}, not a recovery`)
      closed = journal
    })
    await closed?.close()
    return ms
  }

  const young = await make('young', 0)
  const old = await make('old', OLDER_SEGMENTS)
  const segment = join(young, 'state.jsonl')
  let lines = 0
  const times = await takeTurns(ROUNDS, {
    bare: () => {
      copyFileSync(segment, join(folder, 'bare'))
      settle()
      return timeMs(() => {
        lines = readBare(join(folder, 'bare'))
      })
    },
    young: () => recover(young),
    old: () => recover(old),
  })
  const [bareMs, youngMs, oldMs] = [median(times.bare), median(times.young), median(times.old)]
  const bytes = statSync(segment).size
  deliver({
    name: 'recovery',
    title: 'Ready after a crash',
    method: `A segment of ${formatNumber(bytes / MIB)} MiB (${lines.toLocaleString('en')} lines) without a clean end: \`openJournal\` with the fold, and the copy to a new file that an unclean stop asks for, synced. Page cache warm for both; ${ROUNDS} rounds taking turns, median.`,
    rows: [
      { what: 'ready', value: youngMs, unit: 'ms', probe: bareMs, against: 'read, checksum, parse' },
      {
        what: `ready, with ${OLDER_SEGMENTS} older segments (${formatNumber((OLDER_SEGMENTS * OLDER_BYTES) / MIB)} MiB)`,
        value: oldMs,
        unit: 'ms',
        probe: youngMs,
        against: 'without',
      },
      {
        what: 'lines',
        value: lines / (youngMs / 1_000),
        unit: 'lines/s',
        probe: lines / (bareMs / 1_000),
        against: 'read, checksum, parse',
      },
    ],
    goals: [
      {
        text: 'ready in at most 1.6 times what reading, checking and parsing take',
        isMet: youngMs <= 1.6 * bareMs,
        measured: `${formatNumber(youngMs / bareMs)} ×`,
      },
      {
        text: 'older history makes no difference (within 20 %)',
        isMet: oldMs <= 1.2 * youngMs,
        measured: `${formatNumber(oldMs / youngMs)} ×`,
      },
    ],
  })
})
