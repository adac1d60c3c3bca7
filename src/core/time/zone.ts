// Time zones as tables of offset changes, so that everything above them is integer arithmetic.
//
// The offsets come from the engine's own tzdata (through Intl, the only part of the platform used here), probed once
// per stretch of years and kept per zone name. Nothing reads the clock or the host's zone.
//
//   1. A table's content is a function of (zone, tzdata) alone: neither the order of calls nor the stretch that was
//      asked for first changes an answer.
//   2. Probes stand 3 days apart. The closest two offset changes in tzdata, of any zone in any year, are 3.99 days
//      apart (Freetown 1939), so no pair of changes can hide between two probes.
//   3. Tables reach from 1900 to 2300. Before that the first offset holds, after it the last: a clock that stands in
//      the year 3010 must not start a search of a thousand years.

import { DagbokError, EXIT } from '../error.ts'
import { findNearest } from '../nearest.ts'
import type { Instant } from './instant.ts'

/** The stretch of time that zone tables know, in whole seconds since the epoch. */
export const ZONE_MIN_S = Date.UTC(1900, 0, 1) / 1000
export const ZONE_MAX_S = Date.UTC(2300, 0, 1) / 1000

const PROBE_STEP_S = 3 * 86_400
const COVER_AHEAD_S = 366 * 86_400

/** One change of a zone's offset from UTC. Offsets are in milliseconds, east of Greenwich positive. */
export interface ZoneTransition {
  /** The first instant at which the new offset holds. */
  readonly at: Instant
  readonly offsetBeforeMs: number
  readonly offsetAfterMs: number
}

/**
 * A zone's periods of constant offset. `startsS[i]` is the first second of period i (period 0 has no known start and
 * stands at -Infinity), `offsetsS[i]` its offset; period i ends where i+1 starts, and the last one holds at least up to
 * `coveredUntilS`. The arrays are for reading; they grow, at either end, whenever `cover` is called.
 */
export class Zone {
  readonly name: string
  readonly startsS: number[] = []
  readonly offsetsS: number[] = []
  #coveredFromS = Number.NaN
  #coveredUntilS = Number.NaN

  constructor(name: string) {
    this.name = name
  }

  get coveredUntilS(): number {
    return this.#coveredUntilS
  }

  /** Sees to it that every offset change in [fromS, untilS) is in the table (within 1900 to 2300). */
  cover(fromS: number, untilS: number): void {
    const from = Math.max(ZONE_MIN_S, Math.min(fromS, ZONE_MAX_S))
    const until = Math.min(ZONE_MAX_S, Math.max(untilS, ZONE_MIN_S))
    if (from >= this.#coveredFromS && until <= this.#coveredUntilS) return
    const readOffset = offsetReader(this.name)
    if (Number.isNaN(this.#coveredFromS)) {
      this.startsS.push(Number.NEGATIVE_INFINITY)
      this.offsetsS.push(readOffset(from))
      this.#coveredFromS = from
      this.#coveredUntilS = from
    }
    if (until > this.#coveredUntilS) {
      const end = Math.min(until + COVER_AHEAD_S, ZONE_MAX_S)
      for (const [at, offset] of findChanges(readOffset, this.#coveredUntilS, end)) {
        this.startsS.push(at)
        this.offsetsS.push(offset)
      }
      this.#coveredUntilS = end
    }
    if (from < this.#coveredFromS) {
      const begin = Math.max(from - COVER_AHEAD_S, ZONE_MIN_S)
      const earlier = findChanges(readOffset, begin, this.#coveredFromS)
      this.startsS.splice(0, 1, Number.NEGATIVE_INFINITY, ...earlier.map(([at]) => at))
      this.offsetsS.splice(0, 1, readOffset(begin), ...earlier.map(([, offset]) => offset))
      this.#coveredFromS = begin
    }
  }

  /** The index of the period that holds second `atS`. The second must be covered. */
  periodAt(atS: number): number {
    const starts = this.startsS
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= atS) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The offset from UTC at `instant`, in milliseconds, east of Greenwich positive. */
  offsetAt(instant: Instant): number {
    const atS = Math.floor(instant / 1000)
    this.cover(atS, atS + 1)
    return this.offsetsS[this.periodAt(atS)]! * 1000
  }

  /** The offset changes at instants in [from, until), in order. */
  transitions(from: Instant, until: Instant): ZoneTransition[] {
    this.cover(Math.floor(from / 1000) - 1, Math.ceil(until / 1000))
    const found: ZoneTransition[] = []
    for (let i = 1; i < this.startsS.length; i++) {
      const at = this.startsS[i]! * 1000
      if (at < from || at >= until) continue
      found.push({
        at,
        offsetBeforeMs: this.offsetsS[i - 1]! * 1000,
        offsetAfterMs: this.offsetsS[i]! * 1000,
      })
    }
    return found
  }
}

const zones = new Map<string, Zone>()

/**
 * The zone of an IANA name (`Europe/Berlin`, `UTC`; case does not matter), one object per name.
 * @throws {DagbokError} TIMEZONE_INVALID, naming the nearest zone that exists.
 */
export function zoneOf(name: string): Zone {
  const key = name.toLowerCase()
  let zone = zones.get(key)
  if (zone === undefined) {
    if (!isTimeZone(name)) throw explainTimeZone(name)
    zone = new Zone(name)
    zones.set(key, zone)
  }
  return zone
}

/** The three-letter names that tzdata defines. ICU knows more (PST, IST), but those mean several zones at once. */
const THREE_LETTER_ZONES = 'CET EET EST GMT HST MET MST PRC ROC ROK UCT UTC WET'.split(' ')

/**
 * Whether `name` is an IANA zone that this engine's tzdata knows. Plain offsets (`+05:30`) and ambiguous abbreviations
 * (`PST`, `IST`) are none.
 */
export function isTimeZone(name: string): boolean {
  if (zones.has(name.toLowerCase())) return true
  if (name.length > 64 || !/^[a-z][a-z0-9_+\-/]*$/i.test(name) || /^systemv\//i.test(name)) return false
  if (name.length === 3 && !THREE_LETTER_ZONES.includes(name.toUpperCase())) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function explainTimeZone(name: string): DagbokError {
  const shown = JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name)
  const nearest = findNearest(name, [...Intl.supportedValuesOf('timeZone'), 'UTC'])
  let remedy = 'Write an IANA name with its area and city, such as Europe/Berlin, or UTC.'
  if (nearest !== undefined) remedy = `Did you mean ${nearest}?`
  else if (/^(?:utc|gmt)?[+-]\d/i.test(name))
    remedy = 'Write an IANA name: an offset knows no summer time (a fixed one is Etc/GMT-2 for UTC+2).'
  else if (/^[a-z]{2,5}$/i.test(name))
    remedy =
      'Several zones share this abbreviation: write the one meant by area and city, such as Asia/Kolkata.'
  return new DagbokError('TIMEZONE_INVALID', `time zone ${shown} is unknown: expected an IANA name`, {
    hint: remedy,
    exitCode: EXIT.configInvalid,
  })
}

/** The offset changes in (fromS, untilS], each as [first second of the new offset, that offset], in order. */
function findChanges(readOffset: (atS: number) => number, fromS: number, untilS: number): [number, number][] {
  const changes: [number, number][] = []
  let at = fromS
  let offset = readOffset(at)
  while (at < untilS) {
    const probe = Math.min(at + PROBE_STEP_S, untilS)
    const probed = readOffset(probe)
    if (probed !== offset) {
      let before = at
      let after = probe
      while (after - before > 1) {
        const middle = Math.floor((before + after) / 2)
        if (readOffset(middle) === offset) before = middle
        else after = middle
      }
      changes.push([after, probed])
      offset = probed
    }
    at = probe
  }
  return changes
}

/** A function from seconds since the epoch to the zone's offset in seconds, read off `GMT+05:30`. */
function offsetReader(name: string): (atS: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  return atS => {
    const text = format.format(atS * 1000)
    const found = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text)
    if (found === null) throw new Error(`no offset in ${JSON.stringify(text)} (${name})`)
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = found
    const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
    return sign === '-' ? -size : size
  }
}
