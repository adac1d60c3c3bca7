// Why a slot ended as it did: the decision, its reason and what it was computed from, out of the index; where there is no
// decision, what the schedule's life says about the instant.

import type { Downtime } from '../core/audit/downtime.ts'
import { downtimeAt } from '../core/audit/downtime.ts'
import { standingOf } from '../core/audit/slot-standing.ts'
import { type KeptSchedule, type Stretch, timelineOf } from '../core/audit/timeline.ts'
import type { JsonObject } from '../core/json.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import { describeTiming, rolledTo, type Slots } from '../core/schedule/timing.ts'
import { type Event, isUserEvent, type SlotDeferred } from '../core/state-machine/event.ts'
import { formatSlot, type Instant, parseInstant } from '../core/time/instant.ts'
import { zoneOf } from '../core/time/zone.ts'
import type { RunIndex, SlotRow } from '../ports/run-index.ts'
import type { Reader } from './house.ts'
import { reasonInWords } from './render/reason-words.ts'
import { formatWallClock } from './render/time.ts'
import { answerRun, isScheduling, type Liveness, type RunAnswer } from './run-answer.ts'

const ALL = Number.POSITIVE_INFINITY
/** What is later than this is worth a word about why. */
const LATE_MS = 60_000

/** What held the decision up. */
export type HeldUp =
  | ({ readonly kind: 'downtime' } & Downtime)
  | { readonly kind: 'disk_full'; readonly from: string; readonly to: string }
  | { readonly kind: 'clock_jumped'; readonly at: string; readonly wall_ms: number }

export interface SlotAnswer {
  readonly schedule_id: string
  readonly slot: string
  /** The wall clock of the schedule's zone. */
  readonly local: string
  readonly decision: SlotRow['disposition'] | null
  /** The reason code of the decision, or where the instant stands if there is none. */
  readonly reason: string
  readonly words: string
  readonly inputs: JsonObject
  readonly decided_at: string | null
  /** From the slot to its decision. */
  readonly late_ms: number | null
  /** For a slot to come. */
  readonly in_ms?: number
  /** The decision covers several slots. */
  readonly span?: { readonly from: string; readonly to: string; readonly count: number }
  readonly held_up?: HeldUp
  readonly before?: string | null
  readonly after?: string | null
  /** What is known beyond the reason, in words. */
  readonly notes: readonly string[]
  readonly run?: RunAnswer
}

/** What is known of a schedule before a slot is asked for. */
export interface ScheduleFacts {
  readonly id: string
  readonly timezone: string
  readonly defined: Schedule | undefined
  readonly stretches: readonly Stretch[]
  /** Its slots to come; undefined while it is disabled or gone. */
  readonly upcoming: Slots | undefined
}

/**
 * What the journal and the definitions say about a schedule; undefined if neither knows it.
 * @param areDefinitionsGood without good definitions the journal alone says what is to come
 */
export async function readScheduleFacts(
  reader: Reader,
  id: string,
  defined: Schedule | undefined,
  areDefinitionsGood: boolean,
): Promise<ScheduleFacts | undefined> {
  const { index } = reader
  const events = ['schedule_registered', 'schedule_retired'].flatMap(event =>
    index.events({ scheduleId: id, event, limit: ALL }),
  )
  const stretches = timelineOf(id, events, await readKept(reader, id))
  const last = stretches.at(-1)
  if (defined === undefined && last === undefined && index.slots(id, { limit: 1 }).length === 0)
    return undefined
  const inForce = last !== undefined && last.end === undefined ? last.slots : undefined
  const upcoming = areDefinitionsGood ? (defined?.enabled ? defined.slots : undefined) : inForce
  const timezone = defined?.timing.timezone ?? last?.timing.timezone ?? 'UTC'
  return { id, timezone, defined, stretches, upcoming }
}

/** After retention the schedule's first lines are gone: the checkpoint that opens the oldest segment has it. */
async function readKept({ events }: Reader, id: string): Promise<KeptSchedule | undefined> {
  for await (const event of events()) {
    if (event.seq === 1 || isUserEvent(event)) return undefined
    if (event.event === 'segment_opened') continue
    if (event.event !== 'checkpoint') return undefined
    const item = event.items.find(({ kind, id: itemId }) => kind === 'schedule' && itemId === id)
    if (item !== undefined) return { ...(item as unknown as KeptSchedule), keptSince: event.timestamp }
  }
  return undefined
}

export function answerSlot(
  { index }: Reader,
  facts: ScheduleFacts,
  slot: Instant,
  status: Liveness,
  now: Instant,
): SlotAnswer {
  const text = formatSlot(slot)
  const rows = index.slots(facts.id, { since: text, until: text, limit: ALL })
  // An exact decision, before a span that only reaches over the instant.
  const row = rows.find(found => parseInstant(found.slot) === slot) ?? rows[0]
  const { stretches, upcoming } = facts
  const asked = row === undefined ? findAsked(index, facts.id, text) : undefined
  const { standing, stretch, before, after } = standingOf({
    slot,
    now,
    stretches,
    isDecided: row !== undefined,
    isAsked: asked !== undefined,
    upcoming,
  })
  const zone = zoneOf(stretch?.timing.timezone ?? facts.timezone)
  const place = { schedule_id: facts.id, slot: text, local: formatWallClock(slot, zone.offsetAt(slot)) }
  if (row !== undefined && standing === 'decided') {
    return { ...place, ...answerDecided(index, row, slot, status, now) }
  }
  const heldUp = standing === 'open' ? heldUpAt(index, slot, now, status) : undefined
  return {
    ...place,
    decision: null,
    reason: standing,
    words: reasonInWords(standing, asked?.inputs),
    inputs: asked?.inputs ?? {},
    decided_at: null,
    late_ms: standing === 'open' || standing === 'asked' ? now - slot : null,
    ...(standing === 'future' ? { in_ms: slot - now } : {}),
    ...(heldUp === undefined ? {} : { held_up: heldUp }),
    ...(standing === 'not_due' ? { before: textOf(before), after: textOf(after) } : {}),
    notes: [
      ...(asked?.notes ?? []),
      ...notesOn(standing, slot, stretch, facts, status),
      ...noteHolds(index, facts.id, standing, text, now),
    ],
  }
}

/** What the conditions of an open slot have come to so far; undefined if it was never opened. */
function findAsked(
  index: RunIndex,
  scheduleId: string,
  slot: string,
): { inputs: JsonObject; notes: string[] } | undefined {
  const find = (event: string) =>
    index
      .events({ scheduleId, event, limit: ALL })
      .find(found => (found as { slot?: string }).slot === slot && !isUserEvent(found))
  const opened = find('slot_opened')
  if (opened === undefined) return undefined
  const deferred = find('slot_deferred') as SlotDeferred | undefined
  if (deferred === undefined) return { inputs: {}, notes: [`they are asked since ${opened.timestamp}`] }
  const times = deferred.ask === 1 ? 'once' : `${deferred.ask} times`
  const words = reasonInWords(deferred.reason, deferred.inputs)
  return {
    inputs: deferred.inputs,
    notes: [
      `they have been asked ${times}, the last time: ${words}`,
      `they are asked again at ${deferred.retry_at}`,
    ],
  }
}

function answerDecided(
  index: RunIndex,
  row: SlotRow,
  slot: Instant,
  status: Liveness,
  now: Instant,
): Omit<SlotAnswer, 'schedule_id' | 'slot' | 'local'> {
  const inputs = inputsOf(index, row)
  const lateMs = parseInstant(row.decided_at) - slot
  const isLate = row.disposition === 'missed' || lateMs > LATE_MS
  const heldUp = isLate ? heldUpAt(index, slot, parseInstant(row.decided_at), status) : undefined
  const run = row.run_id === null ? undefined : index.run(row.run_id)
  return {
    decision: row.disposition,
    reason: row.reason,
    words: reasonInWords(row.reason, inputs),
    inputs,
    decided_at: row.decided_at,
    late_ms: lateMs,
    ...(row.count > 1 ? { span: { from: row.slot, to: row.slot_to, count: row.count } } : {}),
    ...(heldUp === undefined ? {} : { held_up: heldUp }),
    notes: [],
    ...(run === undefined ? {} : { run: answerRun(index, run, status, now) }),
  }
}

/** What the decision was computed from, as its line has it. */
function inputsOf(index: RunIndex, row: SlotRow): JsonObject {
  const event = index
    .events({
      scheduleId: row.schedule_id,
      event: `schedule_${row.disposition}`,
      timestamp: row.decided_at,
      limit: ALL,
    })
    .find(found => (found as { slot?: string; from?: string }).slot === row.slot && !isUserEvent(found))
  const { inputs } = (event ?? {}) as { inputs?: JsonObject }
  return inputs ?? {}
}

/** What kept anybody from deciding the slot at its time. */
function heldUpAt(index: RunIndex, slot: Instant, decidedAt: Instant, status: Liveness): HeldUp | undefined {
  const named = (event: string) =>
    index.events({ event, limit: ALL }).filter(found => !isUserEvent(found)) as (Event & { since?: string })[]
  const lastSign = (beforeSeq: number | undefined) => {
    const before = index.events({ ...(beforeSeq === undefined ? {} : { beforeSeq }), limit: 64 })
    return before.find(({ event }) => !AFTER_A_CRASH.has(event))?.timestamp
  }
  const lives = [...named('scheduler_started'), ...named('scheduler_stopped')]
  const downtime = downtimeAt(slot, lives, lastSign, isScheduling(status))
  if (downtime !== undefined) return { kind: 'downtime', ...downtime }
  for (const { since, timestamp } of named('journal_resumed')) {
    if (since !== undefined && parseInstant(since) <= slot && slot <= parseInstant(timestamp))
      return { kind: 'disk_full', from: since, to: timestamp }
  }
  for (const jump of named('clock_jumped')) {
    const at = parseInstant(jump.timestamp)
    const { wall_ms } = jump as unknown as { wall_ms: number }
    if (slot <= at && at <= decidedAt && wall_ms > 0)
      return { kind: 'clock_jumped', at: jump.timestamp, wall_ms }
  }
  return undefined
}

/** Written by the start after a crash, not by the scheduler that crashed. */
const AFTER_A_CRASH = new Set(['segment_opened', 'segment_sealed', 'checkpoint', 'journal_recovered'])

function notesOn(
  standing: string,
  slot: Instant,
  stretch: Stretch | undefined,
  { id, defined, stretches }: ScheduleFacts,
  status: Liveness,
): string[] {
  switch (standing) {
    case 'asked':
      return isScheduling(status) ? [] : ['no scheduler is running: the next start asks them again']
    case 'open':
      if (status?.state === 'degraded') return [reasonInWords('disk_full')]
      return isScheduling(status)
        ? ['the scheduler is running: it decides the slot with its next turn']
        : ['no scheduler is running: the next start decides it, by the schedule’s catch-up policy']
    case 'before_first_seen':
      return [`it was first seen at ${stretch?.registeredAt}`]
    case 'forgotten':
      return [`the journal is kept from ${stretch?.registeredAt} on`]
    case 'retired': {
      const end = (stretch ?? stretches.at(-1))?.end
      if (end !== undefined)
        return [`it was ${end.cause === 'removed' ? 'removed' : 'disabled'} at ${end.at}`]
      return defined === undefined ? ['it is not in the definitions'] : ['its definition says enabled: false']
    }
    case 'not_due': {
      const timing = stretch === undefined ? defined?.timing : stretch.timing
      if (timing === undefined) return []
      const to = rolledTo(timing, id, slot)
      const moved = to === undefined ? [] : [`the time of this day is due at ${formatSlot(to)}`]
      return [`its timing is ${describeTiming(timing)} in ${timing.timezone}`, ...moved]
    }
    case 'between_timings':
      return stretch?.end === undefined ? [] : [`it was changed at ${stretch.end.at}`]
    case 'not_seen':
      return ['start one with: scheduler --serve']
    default:
      return []
  }
}

/** What people have asked for that a slot to come will meet. */
function noteHolds(index: RunIndex, id: string, standing: string, slot: string, now: Instant): string[] {
  if (standing !== 'future') return []
  const newest = (event: string, scheduleId?: string) =>
    index
      .events({ event, ...(scheduleId === undefined ? {} : { scheduleId }), limit: 1 })
      .find(found => !isUserEvent(found)) as (Event & { until?: string; reason?: string }) | undefined
  const notes: string[] = []
  for (const [hold, release, words, subject] of [
    ['schedule_paused', 'schedule_resumed', 'it is paused', id],
    ['scheduling_frozen', 'scheduling_thawed', 'all scheduling is frozen', undefined],
  ] as const) {
    const held = newest(hold, subject)
    if (held === undefined || held.seq < (newest(release, subject)?.seq ?? 0)) continue
    const until = held.until === undefined ? undefined : parseInstant(held.until)
    if (until !== undefined && (until <= now || until <= parseInstant(slot))) continue
    const end = held.until === undefined ? '' : ` until ${held.until}`
    notes.push(
      `${words} since ${held.timestamp}${end}${held.reason ? ` (${held.reason})` : ''}: it will be skipped`,
    )
  }
  const newestOfSlot = (event: string) =>
    index
      .events({ scheduleId: id, event, limit: 1_000 })
      .find(found => (found as { slot?: string }).slot === slot && !isUserEvent(found))
  const asked = newestOfSlot('slot_skip_requested')
  if (asked !== undefined && asked.seq > (newestOfSlot('slot_skip_withdrawn')?.seq ?? 0))
    notes.push('somebody asked for it to be skipped: it will be')
  return notes
}

function textOf(slot: Instant | undefined): string | null {
  return slot === undefined ? null : formatSlot(slot)
}
