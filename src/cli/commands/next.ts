// `scheduler next`: when schedules are due, from the definitions alone. What the journal says about them is no part of it.

import { DagbokError, EXIT } from '../../core/error.ts'
import type { Schedule } from '../../core/schedule/schedule.ts'
import { formatSlot, type Instant } from '../../core/time/instant.ts'
import { zoneOf } from '../../core/time/zone.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import { writeJsonList } from '../output.ts'
import { type Column, renderTable } from '../render/table.ts'
import { formatSpan, formatWallClock } from '../render/time.ts'
import { readCount, suggest } from '../usage.ts'

interface Due {
  readonly schedule: Schedule
  /** Undefined: disabled, or no slot within the next 40 years. */
  readonly slot: Instant | undefined
}

const COLUMNS: readonly Column[] = [
  { title: 'NEXT' },
  { title: 'IN', align: 'right' },
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
  const chosen = id === undefined ? [...schedules.values()] : [schedules.get(id)]
  if (chosen[0] === undefined && id !== undefined) {
    throw new DagbokError('SCHEDULE_NOT_FOUND', `there is no schedule ${JSON.stringify(id)}`, {
      exitCode: EXIT.notFound,
      hint: suggest(id, schedules.keys(), '`scheduler next` lists them all'),
    })
  }
  const now = context.now()
  const due = chosen.flatMap(schedule => listSlots(schedule!, now, count))
  due.sort((a, b) => (a.slot ?? Number.POSITIVE_INFINITY) - (b.slot ?? Number.POSITIVE_INFINITY) || 0)

  if (json) {
    writeJsonList(
      out.data,
      'NextSlotList',
      due.map(({ schedule, slot }) => ({
        schedule_id: schedule.id,
        dag_name: schedule.dagName,
        tenant_id: schedule.tenantId,
        cron: schedule.timing.cron,
        timezone: schedule.timing.timezone,
        enabled: schedule.enabled,
        slot: slot === undefined ? null : formatSlot(slot),
        in_ms: slot === undefined ? null : slot - now,
      })),
    )
    return EXIT.ok
  }
  if (due.length === 0) {
    out.note.line(`no schedules in ${context.settings.scheduleDirs.join(', ')}`)
    return EXIT.ok
  }
  const rows = due.map(({ schedule, slot }) => [
    slot === undefined ? '-' : formatWallClock(slot, zoneOf(schedule.timing.timezone).offsetAt(slot)),
    slot !== undefined ? formatSpan(slot - now) : schedule.enabled ? 'never' : 'disabled',
    schedule.id,
    schedule.dagName,
    schedule.timing.cron,
    schedule.timing.timezone,
  ])
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
