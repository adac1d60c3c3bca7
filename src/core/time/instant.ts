// Instants: whole milliseconds since 1970-01-01T00:00:00Z, as a plain number. Nothing here reads a clock.

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

// Whole batches are of one instant and one slot: the last answer is kept, which saves most of a decision's cost.
let lastInstant = Number.NaN
let lastInstantText = ''
let lastSlot = Number.NaN
let lastSlotText = ''
// Two of what was read: a line has its timestamp and its slot, by turns.
let lastParsedText = ''
let lastParsed: Instant = Number.NaN
let otherParsedText = ''
let otherParsed: Instant = Number.NaN

/** `2026-01-05T06:00:00.000Z`: the form of `timestamp` in every journal line. */
export function formatInstant(instant: Instant): string {
  if (instant !== lastInstant) {
    lastInstantText = new Date(instant).toISOString()
    lastInstant = instant
  }
  return lastInstantText
}

/**
 * The shortest form that is exact to the second: `2026-01-05T06:00Z`, or `2026-01-05T06:00:30Z` where the slot has
 * seconds. It is what stands in `slot`, in `minute` and in a run id.
 */
export function formatSlot(slot: Instant): string {
  if (slot !== lastSlot) {
    const text = new Date(slot).toISOString()
    lastSlotText = slot % MINUTE_MS === 0 ? `${text.slice(0, 16)}Z` : `${text.slice(0, 19)}Z`
    lastSlot = slot
  }
  return lastSlotText
}

/** Reads what `formatSlot` and `formatInstant` write, and any other ISO 8601 text with an offset. NaN if it is none. */
export function parseInstant(text: string): Instant {
  if (text !== lastParsedText) {
    if (text === otherParsedText) return otherParsed
    otherParsedText = lastParsedText
    otherParsed = lastParsed
    lastParsed = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? Date.parse(text) : Number.NaN
    lastParsedText = text
  }
  return lastParsed
}

export function startOfMinute(instant: Instant): Instant {
  return Math.floor(instant / MINUTE_MS) * MINUTE_MS
}
