// What somebody expects of a schedule over a span, and whether its slots keep it.

import { formatSlot, HOUR_MS, type Instant, MINUTE_MS } from '../time/instant.ts'
import type { Zone } from '../time/zone.ts'

export type Boundary =
  /** A wall clock of the schedule's zone, milliseconds after midnight: every day. */
  { readonly kind: 'clock'; readonly ms: number } | { readonly kind: 'instant'; readonly at: Instant }

export interface Expectation {
  readonly scheduleId: string
  readonly exactly?: number
  readonly atLeast?: number
  readonly atMost?: number
  /** Each of them is a slot that fires. */
  readonly slots?: readonly Instant[]
  /** No slot fires from the first, included, to the second, not included. */
  readonly neverBetween?: readonly [Boundary, Boundary]
}

/** Slots named in one failure; the rest is counted. */
const NAMED_MAX = 3

/** What is wrong, one sentence each; empty if everything is as expected. `fires` is in order. */
export function checkExpectation(expected: Expectation, fires: readonly Instant[], zone: Zone): string[] {
  const wrong: string[] = []
  const { exactly, atLeast, atMost, slots, neverBetween } = expected
  const got = `got ${sayCount(fires.length)}`
  if (exactly !== undefined && fires.length !== exactly)
    wrong.push(`expected exactly ${sayCount(exactly)}, ${got}`)
  if (atLeast !== undefined && fires.length < atLeast)
    wrong.push(`expected at least ${sayCount(atLeast)}, ${got}`)
  if (atMost !== undefined && fires.length > atMost)
    wrong.push(`expected at most ${sayCount(atMost)}, ${got}`)
  if (slots !== undefined) {
    const there = new Set(fires)
    const missing = slots.filter(slot => !there.has(slot))
    if (missing.length > 0) wrong.push(`expected a fire at ${listSlots(missing)}, got none`)
  }
  if (neverBetween !== undefined) {
    const [from, to] = neverBetween
    const found = fires.filter(slot => isBetween(slot, from, to, zone))
    if (found.length > 0)
      wrong.push(`expected none between ${sayBoundary(from)} and ${sayBoundary(to)}, got ${listSlots(found)}`)
  }
  return wrong
}

function isBetween(slot: Instant, from: Boundary, to: Boundary, zone: Zone): boolean {
  const low = placeOf(slot, from, zone)
  const high = placeOf(slot, to, zone)
  const isOvernight = from.kind === 'clock' && to.kind === 'clock' && from.ms >= to.ms
  return isOvernight ? low >= 0 || high < 0 : low >= 0 && high < 0
}

/** How far the slot lies behind the boundary, in milliseconds; negative: before it. */
function placeOf(slot: Instant, boundary: Boundary, zone: Zone): number {
  if (boundary.kind === 'instant') return slot - boundary.at
  const wall = slot + zone.offsetAt(slot)
  return (((wall % (24 * HOUR_MS)) + 24 * HOUR_MS) % (24 * HOUR_MS)) - boundary.ms
}

function listSlots(slots: readonly Instant[]): string {
  const named = slots.slice(0, NAMED_MAX).map(formatSlot).join(', ')
  return slots.length > NAMED_MAX ? `${named} and ${slots.length - NAMED_MAX} more` : named
}

function sayBoundary(boundary: Boundary): string {
  if (boundary.kind === 'instant') return formatSlot(boundary.at)
  const pad = (value: number) => String(value).padStart(2, '0')
  return `${pad(Math.floor(boundary.ms / HOUR_MS))}:${pad(Math.floor((boundary.ms % HOUR_MS) / MINUTE_MS))}`
}

function sayCount(fires: number): string {
  return `${fires} fire${fires === 1 ? '' : 's'}`
}
