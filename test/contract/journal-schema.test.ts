// Every kind of line against schemas/journal.schema.json, and the schema and the page against what generates them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import {
  buildJournalSchema,
  fillPage,
  PAGE_FILE,
  printSchema,
  SCHEMA_FILE,
} from '../../scripts/generate-journal-schema.ts'
import { encodeBatch } from '../../src/adapters/jsonl/batch.ts'
import type { AttemptError, Event, EventName, SystemEvent } from '../../src/core/state-machine/event.ts'
import { checkpoint, JournalFolder, numbered } from '../support/journal-folder.ts'

const validate = new Ajv({ allErrors: true }).compile(buildJournalSchema())
const validateStrictly = new Ajv({ allErrors: true }).compile(buildJournalSchema(true))

type Details<E> = Omit<E, 'timestamp' | 'event' | 'seq'>

const run = { run_id: 'nightly@2026-01-05T06:00Z', dag_name: 'nightly' }
const due = { schedule_id: 'nightly', slot: '2026-01-05T06:00Z' }
const whole = { ...run, ...due, tenant_id: 'default' }
const attempt = { ...run, task_id: 'load', attempt: 2, client_id: 'acme' }
const error: AttemptError = { kind: 'exit_code', message: 'exit 7', exit_code: 7 }
const hash = 'f00d'
const message = { notification_ids: ['n7', 'n8'], channel: 'SUPPORT' }
const inPool = { pool: 'warehouse', weight: 2, priority: -5 }

/** One of each, with every field that it can have. The compiler says when one is missing. */
const SPECIMENS: { [N in EventName]: Required<Details<Extract<SystemEvent, { event: N }>>> } = {
  segment_opened: { format: 1, journal_id: 'j-1', segment: 1, prev_last_seq: 0, prev_crc: '00000000' },
  segment_sealed: { segment: 1, lines: 4711 },
  checkpoint: { part: 1, parts: 1, items: [{ kind: 'state', epoch: 1 }] },
  journal_recovered: { reason: 'torn_tail', dropped_bytes: 3, quarantine: 'quarantine/00000001-17.torn' },
  journal_resumed: { reason: 'disk_full', since: '2026-01-05T05:59:12.001Z', refused: 3 },
  scheduler_started: { epoch: 1, mode: 'serve', pid: 4711, host: 'ci-3', version: '0.1.0' },
  scheduler_stopping: { reason: 'SIGTERM' },
  scheduler_stopped: { epoch: 1 },
  clock_jumped: { direction: 'backward', wall_ms: -3600000.5, monotonic_ms: 1000.25 },
  definitions_loaded: { schedules: 3, dags: 2, cause: 'reload' },
  definitions_rejected: { cause: 'start', errors: ['configs/dags/a.yaml:3:1: unknown key'] },
  schedule_registered: {
    schedule_id: 'nightly',
    cause: 'first_seen',
    cursor: '2026-01-05T05:59:00.000Z',
    cron: '0 6 * * *',
    crons: ['0 6 * * *', '0 18 * * *'],
    every: '15m',
    at: ['2026-12-24T18:00Z'],
    timezone: 'UTC',
    dialect: 'quartz',
    dst: 'both',
    start_at: '2026-01-01T00:00Z',
    end_at: '2026-12-31T00:00Z',
    roll: {
      convention: 'modified_following',
      calendar: 'office',
      days: {
        weekend: ['SUN', 'SAT'],
        dates: ['2026-12-24/2026-12-31'],
        rules: [
          { day: '12-25', observed: { SUN: 'MON' }, from_year: 2020 },
          { nth: -1, weekday: 'MON', month: 5, until_year: 2030 },
          { weekday: 'MON', on_or_after: '06-20' },
          { easter: -2, orthodox: true },
        ],
        exclude: ['2026-04-03'],
        workdays: ['2026-12-28'],
        include: [{ dates: ['2026-01-01'] }],
      },
    },
  },
  schedule_paused: { schedule_id: 'nightly', reason: 'migration', until: '2026-01-06T00:00:00.000Z' },
  schedule_resumed: { schedule_id: 'nightly', reason: 'done' },
  scheduling_frozen: { reason: 'audit', until: '2026-01-06T00:00:00.000Z' },
  scheduling_thawed: { reason: 'done' },
  slot_skip_requested: { schedule_id: 'nightly', slot: '2026-01-06T06:00Z', reason: 'holiday' },
  slot_skip_withdrawn: { schedule_id: 'nightly', slot: '2026-01-06T06:00Z', reason: 'no holiday' },
  slot_opened: { ...due, minute: due.slot, reason: 'catchup' },
  slot_deferred: {
    ...due,
    minute: due.slot,
    ask: 2,
    reason: 'condition_error',
    inputs: { conditions: [{ command: './ready.sh', error: 'exit code 3', holds: null }] },
    retry_at: '2026-01-05T06:01:00.000Z',
  },
  schedule_retired: { schedule_id: 'nightly', cause: 'removed' },
  schedule_enqueued: {
    ...whole,
    minute: due.slot,
    definition_hash: hash,
    reason: 'due',
    order: 'serial',
    start_after: '2026-01-05T06:00:07.512Z',
    start_by: '2026-01-05T07:00:07.512Z',
    late_at: '2026-01-05T07:00:00.000Z',
    ...inPool,
    inputs: { conditions: [{ file: 'data/in.csv', bytes: 12, holds: true }] },
  },
  schedule_skipped: { ...due, minute: due.slot, reason: 'overlap', inputs: { active: [run.run_id] } },
  schedule_missed: {
    schedule_id: 'nightly',
    from: '2026-01-05T02:00Z',
    to: '2026-01-05T02:00:30Z',
    count: 2,
    reason: 'catchup_latest',
  },
  definition_recorded: {
    dag_name: 'nightly',
    tenant_id: 'default',
    definition_hash: hash,
    part: 1,
    parts: 1,
    tasks: [{ id: 'load' }],
  },
  run_requested: {
    ...run,
    tenant_id: 'default',
    definition_hash: hash,
    cause: 'cli',
    params: { day: 5 },
    schedule_id: 'nightly',
    slot: due.slot,
    ...inPool,
  },
  run_started: whole,
  run_resumed: { ...run, tasks_finished: 1, tasks_interrupted: 1 },
  run_cancel_requested: { run_id: run.run_id, reason: 'by hand' },
  run_finished: {
    ...whole,
    status: 'failed',
    tasks_succeeded: 1,
    tasks_failed: 1,
    tasks_skipped: 0,
    clients_succeeded: 992,
    clients_failed: 5,
    clients_skipped: 3,
    duration_ms: 41833,
    error: 'load: exit 7',
  },
  task_start: { ...attempt, workflow_ref: 'shell', deadline_at: '2026-01-05T06:10:00.000Z' },
  task_spawned: { ...attempt, pid: 4712, start_ticks: 88123, boot_id: 'b-1' },
  task_readopted: { ...attempt, pid: 4712 },
  task_ok: {
    ...attempt,
    duration_ms: 12,
    output: { rows: 3 },
    blob: { sha256: 'ab'.repeat(32), bytes: 70_000 },
    continue: 0,
    partial: true,
  },
  task_retry: { ...attempt, duration_ms: 12, error, retry_at: '2026-01-05T06:00:31.250Z' },
  task_lost: {
    ...attempt,
    reason: 'the scheduler was killed',
    overtaken: true,
    retry_at: '2026-01-05T06:00:31.250Z',
  },
  task_fail: { ...attempt, duration_ms: 12, error: { ...error, signal: 'SIGKILL' }, message: 'exit 7' },
  task_cancelled: { ...attempt, reason: 'by hand' },
  task_skip: {
    ...attempt,
    reason: 'condition',
    duration_ms: 3,
    detail: 'suspended',
    inputs: { conditions: [{ cel: 'false', holds: false }] },
  },
  clients_found: { ...attempt, part: 1, parts: 1, clients: ['acme', 'umbrella'] },
  files_dispatched: {
    ...run,
    task_id: 'POLL_AND_DISPATCH',
    stage: 'external_input_files',
    part: 1,
    parts: 1,
    files: [{ key: 'a.csv', version: '3:17:4' }],
  },
  files_consumed: { ...run, stage: 'external_input_files', files: 1 },
  files_released: { ...run, stage: 'external_input_files', files: 1, status: 'failed' },
  files_forgotten: { dag_name: 'nightly', stage: 'external_input_files', keys: ['a.csv'] },
  stream_taken: {
    ...run,
    task_id: 'CONSUME_STREAM',
    stream: 'orders',
    from: { offset: 0 },
    to: { offset: 120 },
    records: 3,
    more: false,
  },
  stream_committed: { ...run, stream: 'orders', position: { offset: 120 } },
  stream_released: { ...run, stream: 'orders', status: 'failed' },
  notification_queued: {
    notification_id: 'n7',
    channel: 'SUPPORT',
    type: 'ON_ERROR',
    outcome: 'failed',
    ...whole,
    subject: 'DAG nightly failed',
    summary: '1 ok, 1 failed, 0 skipped after 3s',
    more: 3,
    send_at: '2026-01-05T06:00:30.000Z',
    give_up_at: '2026-01-05T07:00:20.000Z',
    dedupe_until: '2026-01-05T06:15:20.000Z',
  },
  notification_sent: { ...message, attempt: 2 },
  notification_retry: {
    ...message,
    attempt: 1,
    error: 'it answered 503',
    retry_at: '2026-01-05T06:00:21.000Z',
  },
  notification_failed: { ...message, attempt: 1, reason: 'refused', error: 'it answered 404' },
  notification_suppressed: {
    ...message,
    reason: 'duplicate',
    duplicate_of: 'n5',
    type: 'ON_ERROR',
    ...run,
    ...due,
    subject: 'DAG nightly failed',
  },
}

function lineOf(name: string, details: object): Record<string, unknown> {
  const event = { timestamp: '2026-01-05T06:00:00.012Z', event: name, seq: 0, ...details } as Event
  const first = numbered(1)
  const line = encodeBatch([[first, event]], 0, 0)
    .bytes.toString()
    .split('\n')[1]!
  return JSON.parse(line)
}

const errorsOf = (line: unknown) =>
  validate(line) ? [] : validate.errors!.map(({ instancePath, message }) => [instancePath, message])

describe('the schema of the journal', () => {
  it('is what the generator writes, and so is the page', () => {
    expect(readFileSync(SCHEMA_FILE, 'utf8'), 'node scripts/generate-journal-schema.ts').toBe(printSchema())
    const page = readFileSync(PAGE_FILE, 'utf8')
    expect(page, 'node scripts/generate-journal-schema.ts').toBe(fillPage(page))
  })

  for (const [name, details] of Object.entries(SPECIMENS)) {
    it(`knows ${name} with every field, and none of its fields as another type`, () => {
      const line = lineOf(name, details)
      expect(validateStrictly(line), JSON.stringify(validateStrictly.errors)).toBe(true)
      expect(errorsOf({ ...line, added_later: 1 })).toEqual([])
      for (const field of Object.keys(details)) {
        expect(errorsOf({ ...line, [field]: null }), field).not.toEqual([])
      }
    })
  }

  it('wants what every line has, and knows no other name', () => {
    const line = lineOf('scheduler_stopped', SPECIMENS.scheduler_stopped)
    for (const field of ['timestamp', 'event', 'seq', 'c', 'epoch']) {
      expect(errorsOf({ ...line, [field]: undefined, ...{} }), field).not.toEqual([])
    }
    expect(errorsOf({ ...line, event: 'scheduler_exploded' })).not.toEqual([])
    expect(errorsOf({ ...line, timestamp: 'yesterday' })).not.toEqual([])
    expect(errorsOf({ ...line, seq: 0 })).not.toEqual([])
    expect(errorsOf({ ...line, c: 'XYZ' })).not.toEqual([])
    expect(errorsOf({ ...line, commit: [1, 2, 3, 4] })).not.toEqual([])
  })

  it('lets users record what they like, also under a known name', () => {
    expect(errorsOf(lineOf('anything at all', { source: 'user', value: [1, null] }))).toEqual([])
    expect(errorsOf(lineOf('task_ok', { source: 'user' }))).toEqual([])
    expect(errorsOf(lineOf('task_ok', { source: 'somebody' }))).not.toEqual([])
  })

  it('fits every line that the journal writes by itself', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.append([[numbered(1), numbered(2)]])
    await journal.roll(checkpoint(2))
    await journal.close()
    await (await folder.open()).journal.close()
    const sealed = readFileSync(join(folder.state, 'segments', '00000001.jsonl'), 'utf8')
    const lines = (sealed + folder.bytes().toString()).trimEnd().split('\n')
    const seen = new Set<string>()
    for (const line of lines) {
      const value = JSON.parse(line)
      seen.add(value.event)
      if (value.source === undefined)
        expect(validateStrictly(value), JSON.stringify(validateStrictly.errors)).toBe(true)
      expect(errorsOf(value), line).toEqual([])
    }
    expect([...seen].sort()).toEqual(
      ['checkpoint', 'fact_recorded', 'journal_recovered', 'segment_opened', 'segment_sealed'].sort(),
    )
  })
})
