// What the events of a simulation come to: counts per schedule, load per minute, runs at once, waiting. Nothing grows with
// the span but what is asked for: the slots of the schedules that are named to it.

import type {
  Event,
  RunFinished,
  ScheduleEnqueued,
  ScheduleMissed,
  ScheduleSkipped,
} from '../state-machine/event.ts'
import { type Instant, parseInstant, startOfMinute } from '../time/instant.ts'

export interface ScheduleTally {
  readonly scheduleId: string
  fires: number
  skipped: number
  missed: number
  /** Runs that were cancelled: replaced by the next slot, or not started in time. */
  cancelled: number
  /** Skips and misses by their reason. */
  readonly reasons: Map<string, number>
  first: string | undefined
  last: string | undefined
  /** Longest time between a slot's decision and the start of its run. */
  longestWaitMs: number
}

export interface Peak {
  readonly count: number
  readonly at: Instant
}

export class SimulationTally {
  readonly schedules = new Map<string, ScheduleTally>()
  /** The fullest minutes, the fullest first. */
  readonly peakMinutes: Peak[] = []
  peakRuns: Peak | undefined
  peakWaiting: Peak | undefined
  fires = 0
  events = 0
  /** Fires of the schedules that were named, as instants. */
  readonly slots = new Map<string, Instant[]>()

  readonly #peaksMax: number
  readonly #waiting = new Map<string, { scheduleId: string; since: Instant }>()
  #running = 0
  #minute: Instant | undefined
  #inMinute = 0

  /**
   * @param scheduleIds all that are simulated; those without an event are told as well
   * @param keepSlotsOf schedules whose slots are kept
   */
  constructor(scheduleIds: Iterable<string>, keepSlotsOf: Iterable<string> = [], peaksMax = 5) {
    for (const id of scheduleIds) this.#of(id)
    for (const id of keepSlotsOf) this.slots.set(id, [])
    this.#peaksMax = peaksMax
  }

  add(event: Event): void {
    this.events += 1
    switch (event.event) {
      case 'schedule_enqueued':
        return this.#enqueued(event as ScheduleEnqueued)
      case 'schedule_skipped': {
        const { schedule_id, reason } = event as ScheduleSkipped
        const tally = this.#of(schedule_id)
        tally.skipped += 1
        count(tally.reasons, reason, 1)
        return
      }
      case 'schedule_missed': {
        const { schedule_id, reason, count: slots } = event as ScheduleMissed
        const tally = this.#of(schedule_id)
        tally.missed += slots
        count(tally.reasons, reason, slots)
        return
      }
      case 'run_started': {
        this.#running += 1
        const at = parseInstant(event.timestamp)
        if (this.#running > (this.peakRuns?.count ?? 0)) this.peakRuns = { count: this.#running, at }
        const { run_id } = event as { run_id: string }
        const waited = this.#waiting.get(run_id)
        if (waited === undefined) return
        this.#waiting.delete(run_id)
        const tally = this.#of(waited.scheduleId)
        tally.longestWaitMs = Math.max(tally.longestWaitMs, at - waited.since)
        return
      }
      case 'run_finished':
        return this.#finished(event as RunFinished)
    }
  }

  #finished({ run_id, schedule_id, status }: RunFinished): void {
    // A run that is given up before it starts was never under way.
    if (!this.#waiting.delete(run_id)) this.#running -= 1
    if (status === 'cancelled' && schedule_id !== undefined) this.#of(schedule_id).cancelled += 1
  }

  /** Runs that were enqueued and had not ended when the span did. */
  get unfinished(): number {
    return this.#running + this.#waiting.size
  }

  /** Call once, after the last event. */
  finish(): void {
    this.#closeMinute(undefined)
  }

  #enqueued({ schedule_id, slot, run_id, timestamp }: ScheduleEnqueued): void {
    const tally = this.#of(schedule_id)
    tally.fires += 1
    this.fires += 1
    tally.first ??= slot
    tally.last = slot
    const at = parseInstant(timestamp)
    this.slots.get(schedule_id)?.push(parseInstant(slot))
    const minute = startOfMinute(at)
    if (minute !== this.#minute) this.#closeMinute(minute)
    this.#inMinute += 1
    this.#waiting.set(run_id, { scheduleId: schedule_id, since: at })
  }

  /** What still waits when the next minute with fires begins did not get room at once. */
  #closeMinute(next: Instant | undefined): void {
    if (this.#minute !== undefined && this.#inMinute > 0) {
      const peaks = this.peakMinutes
      const place = peaks.findIndex(peak => peak.count < this.#inMinute)
      const peak = { count: this.#inMinute, at: this.#minute }
      if (place >= 0) peaks.splice(place, 0, peak)
      else if (peaks.length < this.#peaksMax) peaks.push(peak)
      if (peaks.length > this.#peaksMax) peaks.pop()
      const waiting = this.#waiting.size
      if (waiting > (this.peakWaiting?.count ?? 0)) this.peakWaiting = { count: waiting, at: this.#minute }
    }
    this.#minute = next
    this.#inMinute = 0
  }

  #of(scheduleId: string): ScheduleTally {
    let tally = this.schedules.get(scheduleId)
    if (tally === undefined) {
      tally = {
        scheduleId,
        fires: 0,
        skipped: 0,
        missed: 0,
        cancelled: 0,
        reasons: new Map(),
        first: undefined,
        last: undefined,
        longestWaitMs: 0,
      }
      this.schedules.set(scheduleId, tally)
    }
    return tally
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
