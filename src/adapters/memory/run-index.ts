// The run index in memory: for tests, for `simulate`, and where no file may be written. Keeps everything for ever.

import { type Event, isUserEvent } from '../../core/state-machine/event.ts'
import { type Instant, parseInstant } from '../../core/time/instant.ts'
import {
  type IndexCheckpoint,
  IndexRebuildNeededError,
  type RunIndex,
  type RunRow,
  type SlotRow,
  type TaskRow,
} from '../../ports/run-index.ts'
import {
  canonicalText,
  foldRun,
  foldTask,
  indexedEvent,
  queryInstant,
  runIdOf,
  slotRowOf,
  subjectOf,
  taskOf,
} from '../../ports/run-rows.ts'

export interface MemoryRunIndex extends RunIndex {
  /** All of it as canonical text, the same as the SQLite index writes for the same journal. */
  dump(): string
}

interface Numbered<Row> {
  firstSeq: number
  row: Row
}

/** An empty index. */
export function createMemoryRunIndex(): MemoryRunIndex {
  let checkpoint: IndexCheckpoint | undefined
  /** As JSON text: what a caller does to its objects afterwards does not reach them. */
  const lines: { seq: number; text: string; event: Event }[] = []
  const runs = new Map<string, Numbered<RunRow>>()
  const tasks = new Map<string, Map<string, Numbered<TaskRow>>>()
  const slots = new Map<string, Map<Instant, SlotRow>>()

  function requireNext(events: readonly Event[]): void {
    let expected = (checkpoint?.seq ?? 0) + 1
    for (const event of events) {
      if (event.seq < expected && checkpoint !== undefined && event.seq <= checkpoint.seq) continue
      const mayBegin = checkpoint === undefined && expected === 1 && event.event === 'segment_opened'
      if (mayBegin && !isUserEvent(event)) expected = event.seq
      if (event.seq !== expected) {
        throw new IndexRebuildNeededError('gap', `line ${expected} is missing, the next one is ${event.seq}`)
      }
      expected++
    }
  }

  function fold(event: Event): void {
    const text = JSON.stringify(indexedEvent(event))
    lines.push({ seq: event.seq, text, event: JSON.parse(text) as Event })
    const runId = runIdOf(event)
    if (runId !== undefined) {
      const kept = runs.get(runId)
      runs.set(runId, { firstSeq: kept?.firstSeq ?? event.seq, row: foldRun(kept?.row, event) })
    }
    const task = taskOf(event)
    if (task !== undefined) {
      const ofRun = tasks.get(task.run_id) ?? new Map<string, Numbered<TaskRow>>()
      tasks.set(task.run_id, ofRun)
      const kept = ofRun.get(task.task_id)
      ofRun.set(task.task_id, { firstSeq: kept?.firstSeq ?? event.seq, row: foldTask(kept?.row, event) })
    }
    const slot = slotRowOf(event)
    if (slot !== undefined && !Number.isNaN(parseInstant(slot.slot) + parseInstant(slot.slot_to))) {
      const ofSchedule = slots.get(slot.schedule_id) ?? new Map<Instant, SlotRow>()
      slots.set(slot.schedule_id, ofSchedule)
      ofSchedule.set(parseInstant(slot.slot), slot)
    }
  }

  return {
    checkpoint: () => checkpoint,
    apply: (journalId, events) => {
      if (events.length === 0) return
      if (checkpoint !== undefined && checkpoint.journalId !== journalId) {
        throw new IndexRebuildNeededError(
          'other_journal',
          `it is of ${checkpoint.journalId}, not ${journalId}`,
        )
      }
      requireNext(events)
      for (const event of events) {
        if (event.seq <= (checkpoint?.seq ?? 0)) continue
        fold(event)
        checkpoint = { journalId, seq: event.seq }
      }
    },
    runs: ({ dagName, scheduleId, status, since, limit }) => {
      const sinceText = since === undefined ? '' : queryInstant(since)
      return [...runs.values()]
        .filter(({ row }) => dagName === undefined || row.dag_name === dagName)
        .filter(({ row }) => scheduleId === undefined || row.schedule_id === scheduleId)
        .filter(({ row }) => status === undefined || status.includes(row.status))
        .filter(({ row }) => row.enqueued_at >= sinceText)
        .sort((a, b) => compare(b.row.enqueued_at, a.row.enqueued_at) || b.firstSeq - a.firstSeq)
        .slice(0, limit)
        .map(({ row }) => ({ ...row }))
    },
    run: runId => {
      const kept = runs.get(runId)
      return kept === undefined ? undefined : { ...kept.row }
    },
    tasks: runId => bySeq(tasks.get(runId)?.values() ?? []).map(({ row }) => ({ ...row })),
    slots: (scheduleId, { since, until, limit }) => {
      const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : parseInstant(queryInstant(since))
      const untilMs = until === undefined ? Number.POSITIVE_INFINITY : parseInstant(queryInstant(until))
      return [...(slots.get(scheduleId) ?? [])]
        .filter(([slotMs, row]) => parseInstant(row.slot_to) >= sinceMs && slotMs <= untilMs)
        .sort(([a], [b]) => b - a)
        .slice(0, limit)
        .map(([, row]) => ({ ...row }))
    },
    events: ({ runId, scheduleId, event: name, afterSeq, beforeSeq, timestamp, limit }) => {
      const found: Event[] = []
      for (let i = lines.length - 1; i >= 0 && found.length < limit; i--) {
        const { seq, text, event } = lines[i]!
        if (afterSeq !== undefined && seq <= afterSeq) break
        if (beforeSeq !== undefined && seq >= beforeSeq) continue
        if (timestamp !== undefined && event.timestamp !== timestamp) continue
        if (runId !== undefined && subjectOf(event, 'run_id') !== runId) continue
        if (scheduleId !== undefined && subjectOf(event, 'schedule_id') !== scheduleId) continue
        if (name !== undefined && event.event !== name) continue
        found.push(JSON.parse(text) as Event)
      }
      return found
    },
    close: () => {},
    dump: () => {
      const out: string[] = []
      if (checkpoint !== undefined) out.push(`checkpoint ${canonicalText(checkpoint)}`)
      for (const { event } of lines) out.push(`event ${canonicalText(event)}`)
      for (const { row, firstSeq } of bySeq(runs.values())) {
        out.push(`run ${canonicalText({ ...row, first_seq: firstSeq })}`)
      }
      for (const { row, firstSeq } of bySeq([...tasks.values()].flatMap(ofRun => [...ofRun.values()]))) {
        out.push(`task ${canonicalText({ ...row, first_seq: firstSeq })}`)
      }
      for (const [, ofSchedule] of [...slots].sort(([a], [b]) => compare(a, b))) {
        for (const [, row] of [...ofSchedule].sort(([a], [b]) => a - b))
          out.push(`slot ${canonicalText(row)}`)
      }
      return out.join('\n') + '\n'
    },
  }
}

function bySeq<Row>(rows: Iterable<Numbered<Row>>): Numbered<Row>[] {
  return [...rows].sort((a, b) => a.firstSeq - b.firstSeq)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
