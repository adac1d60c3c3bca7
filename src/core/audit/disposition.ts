// The three events that dispose of slots, as one shape: a slot, or a span of them.

import { type Event, isUserEvent } from '../state-machine/event.ts'
import { type Instant, parseInstant } from '../time/instant.ts'

export type DispositionKind = 'enqueued' | 'skipped' | 'missed'

export interface Disposition {
  readonly scheduleId: string
  readonly kind: DispositionKind
  readonly reason: string
  readonly from: Instant
  /** The same as `from` for a single slot. */
  readonly to: Instant
  /** How many slots the line says it disposes of. */
  readonly count: number
  readonly decidedAt: Instant
  readonly seq: number
}

const KINDS: Readonly<Record<string, DispositionKind>> = {
  schedule_enqueued: 'enqueued',
  schedule_skipped: 'skipped',
  schedule_missed: 'missed',
}

/** Undefined for any other event. A span is told by its `from`, whichever of the three it is. */
export function dispositionOf(event: Event): Disposition | undefined {
  const kind = KINDS[event.event]
  if (kind === undefined || isUserEvent(event)) return undefined
  const line = event as unknown as {
    schedule_id: string
    reason: string
    slot?: string
    from?: string
    to?: string
    count?: number
  }
  const from = parseInstant(line.from ?? line.slot ?? '')
  return {
    scheduleId: line.schedule_id,
    kind,
    reason: line.reason,
    from,
    to: line.from === undefined ? from : parseInstant(line.to ?? ''),
    count: line.from === undefined ? 1 : (line.count ?? 0),
    decidedAt: parseInstant(event.timestamp),
    seq: event.seq,
  }
}
