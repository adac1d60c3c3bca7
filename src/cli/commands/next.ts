// `scheduler next`: when schedules are due, from the definitions, and what became of their last decided slot and which are
// paused, from the journal. Without a journal, or beside one that cannot be read, the second half is left out.

import { DagbokError, EXIT } from '../../core/error.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { describeTiming, timingFields } from '../../core/schedule/timing.ts'
import { formatSlot, type Instant, parseInstant } from '../../core/time/instant.ts'
import { zoneOf } from '../../core/time/zone.ts'
import type { SlotRow } from '../../ports/run-index.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import type { Reader } from '../house.ts'
import { writeJsonList } from '../output.ts'
import { NO_PAUSES, type Pauses, readPauses } from '../pauses.ts'
import { type Column, renderTable } from '../render/table.ts'
import { formatSpan, formatWallClock } from '../render/time.ts'
import { findSchedule } from '../schedule-name.ts'
import { readCount } from '../usage.ts'

interface Due {
  readonly schedule: Schedule
  /** Undefined: disabled, or no slot within the next 40 years. */
  readonly slot: Instant | undefined
}

const COLUMNS: readonly Column[] = [
  { title: 'NEXT' },
  { title: 'IN', align: 'right' },
  { title: 'LAST' },
  { title: 'SCHEDULE' },
  { title: 'DAG' },
  { title: 'CRON' },
  { title: 'ZONE' },
]

export async function run(
  context: CommandContext,
  id: string | undefined,
  flags: { count?: string },
): Promise<number> {
  const { out, json, headers } = context
  const count =
    flags.count === undefined ? (id === undefined ? 1 : 10) : readCount('--count', flags.count, 10_000)
  const { schedules } = await loadGoodDefinitions(context)
  const chosen = id === undefined ? [...schedules.values()] : [findSchedule(schedules, id)]
  const now = context.now()
  const due = chosen.flatMap(schedule => listSlots(schedule, now, count))
  due.sort((a, b) => (a.slot ?? Number.POSITIVE_INFINITY) - (b.slot ?? Number.POSITIVE_INFINITY) || 0)
  const { last, pauses } = await readJournal(context, chosen)

  if (json) {
    writeJsonList(
      out.data,
      'NextSlotList',
      due.map(({ schedule, slot }) => ({
        schedule_id: schedule.id,
        dag_name: schedule.dagName,
        tenant_id: schedule.tenantId,
        cron: describeTiming(schedule.timing),
        timezone: schedule.timing.timezone,
        timing: timingFields(schedule.timing),
        enabled: schedule.enabled,
        slot: slot === undefined ? null : formatSlot(slot),
        in_ms: slot === undefined ? null : slot - now,
        paused: slot !== undefined && pauses.covers(schedule.id, slot),
        last: last.get(schedule.id) ?? null,
      })),
    )
    return EXIT.ok
  }
  if (due.length === 0) {
    out.note.line(`no schedules in ${context.settings.scheduleDirs.join(', ')}`)
    return EXIT.ok
  }
  const rows = due.map(({ schedule, slot }) => {
    const clock = (instant: Instant) =>
      formatWallClock(instant, zoneOf(schedule.timing.timezone).offsetAt(instant))
    const row = last.get(schedule.id)
    return [
      slot === undefined ? '-' : clock(slot),
      sayWhen({ schedule, slot }, now, pauses),
      row === undefined ? '-' : `${clock(parseInstant(row.slot_to))} ${row.disposition}`,
      schedule.id,
      schedule.dagName,
      describeTiming(schedule.timing),
      schedule.timing.timezone,
    ]
  })
  for (const line of renderTable(COLUMNS, rows, headers)) out.data.line(line)
  return EXIT.ok
}

function listSlots(schedule: Schedule, now: Instant, count: number): Due[] {
  if (!schedule.enabled) return [{ schedule, slot: undefined }]
  const due: Due[] = []
  let slot = schedule.slots.next(now)
  while (slot !== undefined && due.length < count) {
    due.push({ schedule, slot })
    slot = schedule.slots.next(slot)
  }
  return due.length === 0 ? [{ schedule, slot: undefined }] : due
}

function sayWhen({ schedule, slot }: Due, now: Instant, pauses: Pauses): string {
  if (slot === undefined) return schedule.enabled ? 'never' : 'disabled'
  return pauses.covers(schedule.id, slot) ? 'paused' : formatSpan(slot - now)
}

/**
 * The last decided slot of each schedule, and the pauses. What is due is known without a journal, so a broken one is only
 * noted.
 */
async function readJournal(
  context: CommandContext,
  schedules: readonly Schedule[],
): Promise<{ last: ReadonlyMap<string, SlotRow>; pauses: Pauses }> {
  const last = new Map<string, SlotRow>()
  let reader: Reader
  try {
    reader = await (await context.house()).openReader(context.settings)
  } catch (error) {
    if (!(error instanceof DagbokError)) throw error
    if (error.code !== 'JOURNAL_MISSING')
      context.out.note.line(`what was decided last is unknown: ${error.message} [${error.code}]`)
    return { last, pauses: NO_PAUSES }
  }
  try {
    for (const { id } of schedules) {
      const [row] = reader.index.slots(id, { limit: 1 })
      if (row !== undefined) last.set(id, row)
    }
    return { last, pauses: readPauses(reader.index) }
  } finally {
    await reader.close()
  }
}
