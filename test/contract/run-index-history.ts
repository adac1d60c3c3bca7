// Journals to index: one that a scheduler could have written, of any length, the same for the same seed; and
// arbitrary ones that none would write, for comparing adapters.

import fc from 'fast-check'
import type { Event } from '../../src/core/state-machine/event.ts'
import { formatInstant, formatSlot, MINUTE_MS } from '../../src/core/time/instant.ts'

export type Draft = Record<string, unknown> & { event: string }

const START = Date.parse('2026-01-05T06:00:00Z')

/** Numbers and dates the drafts: `seq` from `firstSeq` on, a second apart. */
export function asEvents(drafts: readonly Draft[], firstSeq = 1): Event[] {
  return drafts.map(({ event, ...rest }, i) => {
    const timestamp = formatInstant(START + (firstSeq + i) * 1_000)
    return { timestamp, event, seq: firstSeq + i, ...rest } as unknown as Event
  })
}

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** `runs` runs of three tasks each, with retries, failures, skips, misses and user lines among them. */
export function writeHistory(runs: number, seed = 1): Event[] {
  const random = randomFrom(seed)
  const drafts: Draft[] = [
    {
      event: 'segment_opened',
      format: 1,
      journal_id: 'j1',
      segment: 1,
      prev_last_seq: 0,
      prev_crc: '00000000',
    },
    { event: 'scheduler_started', epoch: 1, mode: 'serve', pid: 4711, host: 'ci-3', version: '0.1.0' },
  ]
  for (let n = 0; n < runs; n++) {
    const schedule_id = `schedule_${n % 7}`
    const slot = formatSlot(START + n * MINUTE_MS)
    if (random() < 0.05) {
      const to = formatSlot(START + n * MINUTE_MS + 30_000)
      drafts.push({
        event: 'schedule_missed',
        schedule_id,
        from: slot,
        to,
        count: 2,
        reason: 'catchup_window',
      })
      continue
    }
    if (random() < 0.05) {
      const inputs = { active: 1 }
      drafts.push({ event: 'schedule_skipped', schedule_id, slot, minute: slot, reason: 'overlap', inputs })
      continue
    }
    writeRun(drafts, { schedule_id, slot, random })
    if (random() < 0.1)
      drafts.push({ event: 'task_ok', source: 'user', run_id: 'mine', note: 'søndag \u2028 "x"' })
  }
  return asEvents(drafts)
}

function writeRun(drafts: Draft[], plan: { schedule_id: string; slot: string; random: () => number }): void {
  const { schedule_id, slot, random } = plan
  const run_id = `${schedule_id}@${slot}`
  const dag_name = `dag_of_${schedule_id}`
  const tenant_id = 'local-dev'
  const place = { run_id, dag_name, tenant_id, schedule_id, slot }
  drafts.push({
    event: 'schedule_enqueued',
    ...place,
    minute: slot,
    definition_hash: 'abc',
    reason: 'due',
    order: 'serial',
  })
  drafts.push({ event: 'run_started', ...place })
  let failed = 0
  let skipped = 0
  for (const task_id of ['sweep', 'report', 'brief']) {
    const task = { run_id, dag_name, task_id }
    if (failed > 0) {
      skipped++
      drafts.push({ event: 'task_skip', ...task, reason: 'upstream_failed' })
      continue
    }
    let attempt = 1
    const start = () => {
      drafts.push({ event: 'task_start', ...task, attempt, workflow_ref: 'shell' })
      drafts.push({ event: 'task_spawned', ...task, attempt, pid: 99, start_ticks: 5, boot_id: 'b' })
    }
    start()
    if (random() < 0.1) {
      const error = { kind: 'exit_code', message: 'it ended with 7', exit_code: 7 }
      drafts.push({
        event: 'task_retry',
        ...task,
        attempt,
        duration_ms: 12.5,
        error,
        retry_at: formatInstant(START),
      })
      attempt++
      start()
    }
    if (random() < 0.05) {
      drafts.push({
        event: 'task_lost',
        ...task,
        attempt,
        reason: 'scheduler_killed',
        retry_at: formatInstant(START),
      })
      attempt++
      start()
    }
    if (random() < 0.05) {
      const error = { kind: 'timeout', message: 'no answer within 5 s' }
      const message = `Task '${task_id}' failed after ${attempt} attempts`
      failed++
      drafts.push({ event: 'task_fail', ...task, attempt, duration_ms: 7, error, message })
    } else {
      const output = { summary: `Prioritized ${Math.floor(random() * 20)} items` }
      drafts.push({ event: 'task_ok', ...task, attempt, duration_ms: 234, output })
    }
  }
  drafts.push({
    event: 'run_finished',
    ...place,
    status: failed > 0 ? 'failed' : 'success',
    tasks_succeeded: 3 - failed - skipped,
    tasks_failed: failed,
    tasks_skipped: skipped,
    duration_ms: 2_340,
    ...(failed > 0 ? { error: 'a task failed' } : {}),
  })
}

/** Events in any order, about few runs, tasks and schedules, so that they meet; lines of users with any name. */
export const arbitraryHistory: fc.Arbitrary<Event[]> = fc
  .array(
    fc
      .record({
        event: fc.constantFrom(
          'schedule_enqueued',
          'schedule_skipped',
          'schedule_missed',
          'run_requested',
          'run_started',
          'run_finished',
          'task_start',
          'task_spawned',
          'task_ok',
          'task_retry',
          'task_lost',
          'task_fail',
          'task_cancelled',
          'task_skip',
          'checkpoint',
          'clock_jumped',
        ),
        run_id: fc.constantFrom('r1', 'r2', 'r3'),
        task_id: fc.constantFrom('a', 'b'),
        schedule_id: fc.constantFrom('s1', 's2'),
        minute: fc.integer({ min: 0, max: 5 }),
        attempt: fc.integer({ min: 1, max: 3 }),
        duration_ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
        text: fc.string({ unit: 'binary', maxLength: 12 }),
        bySlot: fc.boolean(),
        isUser: fc.constantFrom(false, false, false, true),
      })
      .map((d): Draft => {
        const slot = formatSlot(START + d.minute * 30_000)
        return {
          event: d.event,
          run_id: d.run_id,
          dag_name: 'dag',
          tenant_id: 't',
          task_id: d.task_id,
          ...(d.bySlot || d.event.startsWith('schedule_') ? { schedule_id: d.schedule_id, slot } : {}),
          minute: slot,
          from: slot,
          to: formatSlot(START + (d.minute + 1) * 30_000),
          count: 2,
          cause: d.text,
          reason: 'due',
          status: 'failed',
          tasks_succeeded: d.attempt,
          tasks_failed: 0,
          tasks_skipped: 0,
          attempt: d.attempt,
          duration_ms: d.duration_ms,
          workflow_ref: 'shell',
          retry_at: formatInstant(START),
          error: d.event.startsWith('task') ? { kind: 'threw', message: d.text } : d.text,
          output: { text: d.text },
          message: d.text,
          items: [{ text: d.text }],
          ...(d.isUser ? { source: 'user' } : {}),
          ...(d.attempt === 2 ? { commit: [1, 2], c: '12345678' } : {}),
        }
      }),
    { maxLength: 60 },
  )
  .map(drafts => asEvents(drafts))
