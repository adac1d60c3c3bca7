// Writes schemas/journal.schema.json and the field tables of docs/journal-format.md from one description of every
// event, which the compiler holds against src/core/state-machine/event.ts. Run it after a change of the events:
//   node scripts/generate-journal-schema.ts

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { WEEKDAY_NAMES } from '../src/core/calendar/day.ts'
import type { RecordedDays, RecordedRule } from '../src/core/calendar/recorded-days.ts'
import { NOTIFICATION_TYPES } from '../src/core/dag/notification.ts'
import { ROLL_CONVENTIONS, type TimingRoll } from '../src/core/schedule/roll.ts'
import type { EventName, SystemEvent } from '../src/core/state-machine/event.ts'

type Schema = Record<string, unknown>

interface Field {
  readonly schema: Schema
  readonly says: string
  readonly optional?: true
}
interface OptionalField extends Field {
  readonly optional: true
}

type Subject<E> = Omit<E, 'timestamp' | 'event' | 'seq'>
/** Every field of the event, no other, and optional exactly where it is. */
type Fields<E> = { [K in keyof Subject<E>]-?: undefined extends E[K & keyof E] ? OptionalField : Field }

interface Description<E> {
  readonly says: string
  readonly fields: Fields<E>
}

const text = (says: string): Field => ({ schema: { type: 'string' }, says })
const count = (says: string): Field => ({ schema: { type: 'integer', minimum: 0 }, says })
const ordinal = (says: string): Field => ({ schema: { type: 'integer', minimum: 1 }, says })
const object = (says: string): Field => ({ schema: { type: 'object' }, says })
const oneOf = (says: string, ...values: string[]): Field => ({
  schema: { type: 'string', enum: values },
  says,
})
const instant = (says: string): Field => ({ schema: { type: 'string', pattern: INSTANT }, says })
const texts = (says: string): Field => ({ schema: { type: 'array', items: { type: 'string' } }, says })
const optional = (field: Field): OptionalField => ({ ...field, optional: true })
const ref = (name: string, says: string): Field => ({ schema: { $ref: `#/definitions/${name}` }, says })

const INSTANT = '^\\d{4,6}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{3})?)?Z$'
const TIMESTAMP = '^[+-]?\\d{4,6}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$'

const scheduleId = text('The schedule.')
const slot = instant('The due instant that was decided, in UTC, to the minute (or second).')
const minute = instant('The same, under its other name: `{schedule_id, minute}` is the key.')
const runId = text('The run.')
const dagName = text('Its DAG.')
const tenantId = text('Whose DAG it is.')
const hash = text('Content hash of the definition that the run keeps.')
const run = { run_id: runId, dag_name: dagName }
const poolTerms = {
  pool: optional(text('The pool whose room the run needs from its start to its end.')),
  weight: optional(ordinal('How many slots of the pool it holds. Left out: 1.')),
  priority: optional({
    schema: { type: 'integer' },
    says: 'Runs of a higher one start first. Left out: 0.',
  }),
}
const clientId = optional(text('Of a task that does its work for one client of a fan-out: which.'))
const attempt = {
  ...run,
  task_id: text('The task.'),
  attempt: ordinal('Which try of the task: 1, 2, 3 …'),
  client_id: clientId,
}
const stage = text('The stage of the DAG.')
const stream = text('The stream of the DAG.')
const position = (says: string): Field => ({ schema: { type: 'object' }, says })
const status = text('How the run ended.')
const notificationId = text('The notification: `n1`, `n2` … in the order in which they came about.')
const channel = text('The channel.')
const message = {
  notification_ids: texts('The notifications.'),
  channel,
}
const tries = ordinal('Which try of the channel since it last took something.')
const duration = count('How long it took, in milliseconds.')
const retryAt = instant('When the next attempt is due; drawn once, never again.')

const roll = ref('roll', 'Where times go that fall on no business day.')

const EVENTS: { readonly [N in EventName]: Description<Extract<SystemEvent, { event: N }>> } = {
  segment_opened: {
    says: 'First line of every segment.',
    fields: {
      format: ordinal('Version of this format: 1. A newer one is refused.'),
      journal_id: text('The journal that the segment belongs to; the same in all of them.'),
      segment: ordinal('Number of the segment.'),
      prev_last_seq: count('`seq` of the last line of the segment before; 0 in the first.'),
      prev_crc: {
        schema: { type: 'string', pattern: '^[0-9a-f]{8}$' },
        says: 'Its `c`: the chain goes on from it.',
      },
    },
  },
  segment_sealed: {
    says: 'Last line of a segment that is full. (Behind it the segment may go on once, if a crash called the roll off.)',
    fields: {
      segment: ordinal('Number of the segment.'),
      lines: ordinal('Lines in it, this one included.'),
    },
  },
  checkpoint: {
    says: 'A part of the whole state. All parts are one commit, right behind `segment_opened`.',
    fields: {
      part: ordinal('Which part.'),
      parts: ordinal('Of how many.'),
      items: {
        schema: { type: 'array', items: { type: 'object' } },
        says: 'The state: for Dagbok itself, not for tools.',
      },
    },
  },
  journal_recovered: {
    says: 'The start after an unclean stop: the accepted lines were copied to a new file.',
    fields: {
      reason: oneOf('`torn_tail` if bytes had to be cut off.', 'unclean_stop', 'torn_tail'),
      dropped_bytes: count('How many. None of them was ever acknowledged.'),
      quarantine: optional(text('Where they are, relative to the state directory.')),
    },
  },
  journal_resumed: {
    says: 'The disk was full and is not any more. Nothing that was acknowledged is lost.',
    fields: {
      reason: oneOf('Always `disk_full`.', 'disk_full'),
      since: instant('From when on it was full.'),
      refused: count('Commands that were turned away meanwhile.'),
    },
  },
  scheduler_started: {
    says: 'A scheduler took the journal.',
    fields: {
      epoch: ordinal('Counts the schedulers that held this journal, one by one.'),
      mode: oneOf('What it was started for.', 'serve', 'once', 'run', 'command'),
      pid: ordinal('Its process.'),
      host: text('On which host.'),
      version: text('Its version.'),
    },
  },
  scheduler_stopping: {
    says: 'It takes nothing new and waits for what runs.',
    fields: { reason: text('Why.') },
  },
  scheduler_stopped: {
    says: 'The last line of a clean stop: the next start need not recover.',
    fields: { epoch: ordinal('The epoch that ends.') },
  },
  clock_jumped: {
    says: 'Wall clock and monotonic clock disagree: somebody set the time, or the machine slept.',
    fields: {
      direction: oneOf('Which way the wall clock went.', 'forward', 'backward'),
      wall_ms: { schema: { type: 'number' }, says: 'What the wall clock moved, in milliseconds.' },
      monotonic_ms: { schema: { type: 'number' }, says: 'What really passed, in milliseconds.' },
    },
  },
  definitions_loaded: {
    says: 'Schedules and DAGs were read and are in force.',
    fields: {
      schedules: count('How many schedules.'),
      dags: count('How many DAGs.'),
      cause: oneOf('When.', 'start', 'reload'),
    },
  },
  definitions_rejected: {
    says: 'They were read and are wrong; what was in force stays in force.',
    fields: {
      cause: oneOf('When.', 'start', 'reload'),
      errors: {
        schema: { type: 'array', items: { type: 'string' } },
        says: 'What is wrong, with file and line.',
      },
    },
  },
  schedule_registered: {
    says: 'From here on the slots after `cursor` are this schedule’s to decide.',
    fields: {
      schedule_id: scheduleId,
      cause: oneOf('Why now.', 'first_seen', 'enabled', 'timing_changed'),
      cursor: instant('Slots after it count.'),
      cron: optional(text('When it is due, as written: where it has exactly one expression.')),
      crons: optional(texts('The expressions, where it has several.')),
      every: optional(text('The period: due at its multiples since 1970-01-01T00:00Z, or since `start_at`.')),
      at: optional(texts('Single instants, in UTC.')),
      timezone: text('In which zone.'),
      dialect: optional(oneOf('How the expressions are read, where not as `unix`.', 'unix', 'quartz')),
      dst: optional(oneOf('What summer time does, where not as `cron`.', 'cron', 'skip', 'both')),
      start_at: optional(instant('No slot before it.')),
      end_at: optional(instant('No slot after it.')),
      roll: optional(roll),
    },
  },
  schedule_retired: {
    says: 'No slot of it is due any more, until it is registered again.',
    fields: { schedule_id: scheduleId, cause: oneOf('Why.', 'disabled', 'removed') },
  },
  schedule_paused: {
    says: 'Slots after this line’s timestamp are skipped.',
    fields: {
      schedule_id: scheduleId,
      reason: text('Why, in the words of whoever asked for it.'),
      until: optional(instant('Until then; without it until `schedule_resumed`.')),
    },
  },
  schedule_resumed: {
    says: 'The pause is over.',
    fields: { schedule_id: scheduleId, reason: text('Why.') },
  },
  scheduling_frozen: {
    says: 'As `schedule_paused`, for every schedule at once.',
    fields: { reason: text('Why.'), until: optional(instant('Until then.')) },
  },
  scheduling_thawed: { says: 'The pause of everything is over.', fields: { reason: text('Why.') } },
  slot_skip_requested: {
    says: 'A slot to come will be skipped.',
    fields: { schedule_id: scheduleId, slot, reason: text('Why.') },
  },
  slot_skip_withdrawn: {
    says: 'The slot is not to be skipped any more: it will be decided as if nobody had asked.',
    fields: { schedule_id: scheduleId, slot, reason: text('Why.') },
  },
  slot_opened: {
    says: 'The slot is due and its conditions are being asked; its disposition follows. Later slots do not wait for it.',
    fields: {
      schedule_id: scheduleId,
      slot,
      minute,
      reason: oneOf('What its run will be enqueued for.', 'due', 'catchup'),
    },
  },
  slot_deferred: {
    says: 'The conditions of an open slot do not hold yet, or nobody knows: they are asked again.',
    fields: {
      schedule_id: scheduleId,
      slot,
      minute,
      ask: ordinal('How often they have been asked.'),
      reason: oneOf('Why.', 'calendar', 'blackout', 'condition', 'condition_error'),
      inputs: object('What the world said.'),
      retry_at: instant('When they are asked again.'),
    },
  },
  schedule_enqueued: {
    says: 'The slot got a run. One of the three dispositions.',
    fields: {
      schedule_id: scheduleId,
      slot,
      minute,
      run_id: runId,
      dag_name: dagName,
      tenant_id: tenantId,
      definition_hash: hash,
      reason: oneOf(
        '`catchup`: decided later than it was due; `by_hand`: run before it was.',
        'due',
        'catchup',
        'by_hand',
      ),
      order: oneOf('`serial`: the runs of this schedule go one after the other.', 'serial', 'parallel'),
      start_after: optional(instant('It does not start before: the slot and its jitter.')),
      start_by: optional(instant('It is cancelled if it has not started by then.')),
      late_at: optional(instant('If the run has not ended by then, it is late.')),
      ...poolTerms,
      inputs: optional(object('What the world said when the conditions were asked.')),
    },
  },
  schedule_skipped: {
    says: 'The slot got no run, for a reason that was looked at. One of the three dispositions.',
    fields: {
      schedule_id: scheduleId,
      slot,
      minute,
      reason: oneOf(
        'Why.',
        'overlap',
        'paused',
        'frozen',
        'skipped_by_hand',
        'too_many_open',
        'calendar',
        'blackout',
        'condition',
        'condition_error',
      ),
      inputs: object('What the decision was made from.'),
    },
  },
  schedule_missed: {
    says: 'Each of the slots from `from` to `to` was due and did not run. One of the three dispositions.',
    fields: {
      schedule_id: scheduleId,
      from: instant('The first of them.'),
      to: instant('The last of them.'),
      count: ordinal('How many slots that are.'),
      reason: oneOf(
        'Why.',
        'catchup_none',
        'catchup_latest',
        'catchup_window',
        'max_catchup',
        'deadline',
        'definition_changed',
      ),
    },
  },
  definition_recorded: {
    says: 'A DAG’s normal form, kept for the runs that start with it.',
    fields: {
      dag_name: dagName,
      tenant_id: tenantId,
      definition_hash: hash,
      part: ordinal('Which part of it; a large definition takes several lines.'),
      parts: ordinal('Of how many.'),
      tasks: { schema: { type: 'array', items: { type: 'object' } }, says: 'The tasks of this part.' },
    },
  },
  run_requested: {
    says: 'A run that no slot decided: by hand, over the socket, by the library.',
    fields: {
      ...run,
      tenant_id: tenantId,
      definition_hash: hash,
      cause: text('Who or what asked for it.'),
      params: optional(object('What it was given.')),
      schedule_id: optional(text('The schedule whose slot is run once more.')),
      slot: optional(instant('That slot; its own decision stays as it was.')),
      ...poolTerms,
    },
  },
  run_started: {
    says: 'The run was admitted; its tasks may start.',
    fields: { ...run, tenant_id: tenantId, schedule_id: optional(scheduleId), slot: optional(slot) },
  },
  run_resumed: {
    says: 'The scheduler came back and goes on with this run.',
    fields: {
      ...run,
      tasks_finished: count('Tasks that are done and stay done.'),
      tasks_interrupted: count('Tasks that were running.'),
    },
  },
  run_cancel_requested: {
    says: 'Somebody asked for the run to end.',
    fields: { run_id: runId, reason: text('Why.') },
  },
  run_finished: {
    says: 'The run ended. Nothing of it comes behind this line.',
    fields: {
      ...run,
      tenant_id: tenantId,
      schedule_id: optional(scheduleId),
      slot: optional(slot),
      status: oneOf('How.', 'success', 'failed', 'partial', 'skipped', 'cancelled'),
      tasks_succeeded: count('Tasks that succeeded.'),
      tasks_failed: count('Tasks that failed.'),
      tasks_skipped: count('Tasks that did not run.'),
      clients_succeeded: optional(count('Clients of its fan-outs for which the work was done.')),
      clients_failed: optional(count('Clients for which it failed.')),
      clients_skipped: optional(count('Clients for which it was not done.')),
      duration_ms: duration,
      error: optional(text('What went wrong first.')),
    },
  },
  task_start: {
    says: 'The intent: on disk before anything of the attempt is started.',
    fields: {
      ...attempt,
      workflow_ref: text('What it runs.'),
      deadline_at: optional(instant('When it is out of time.')),
    },
  },
  task_spawned: {
    says: 'Its process exists. The three fields together name it: a pid is used again.',
    fields: {
      ...attempt,
      pid: ordinal('The process.'),
      start_ticks: count('When the kernel started it, in clock ticks since boot.'),
      boot_id: text('Which boot.'),
    },
  },
  task_readopted: {
    says: 'It outlived its scheduler and is supervised again.',
    fields: { ...attempt, pid: ordinal('The process.') },
  },
  task_ok: {
    says: 'The attempt succeeded. The task is never run again in this run.',
    fields: {
      ...attempt,
      duration_ms: duration,
      output: optional(object('What it gave, up to 32 KiB.')),
      blob: optional(ref('blob', 'Where it is, if it is larger.')),
      continue: optional({ schema: { const: 0 }, says: 'The output in the blob says so.' }),
      partial: optional({
        schema: { const: true },
        says: 'Of a fan-out: it was not done for all of its clients.',
      }),
    },
  },
  task_retry: {
    says: 'The attempt failed and another one is due.',
    fields: { ...attempt, duration_ms: duration, error: ref('error', 'What went wrong.'), retry_at: retryAt },
  },
  task_lost: {
    says: 'The attempt was interrupted by a crash and nobody knows how it ended, or another run was faster with what it found. Another one is due.',
    fields: {
      ...attempt,
      reason: text('What is known.'),
      overtaken: optional({
        schema: { const: true },
        says: 'Another run was faster. It is not counted as an interruption, of which a task survives five.',
      }),
      retry_at: retryAt,
    },
  },
  task_fail: {
    says: 'The last attempt failed, and the task with it.',
    fields: {
      ...attempt,
      duration_ms: duration,
      error: ref('error', 'What went wrong.'),
      message: text('The same in one line.'),
    },
  },
  task_cancelled: { says: 'The attempt was ended on request.', fields: { ...attempt, reason: text('Why.') } },
  task_skip: {
    says: 'The task will not run in this run.',
    fields: {
      ...run,
      task_id: text('The task.'),
      reason: oneOf(
        'Why. `not_continued`: an upstream task said `continue: 0`; `trigger_rule`: what its rule waits for cannot come; `returned_skip`: it said so itself; `condition`: those of its client do not hold.',
        'upstream_failed',
        'upstream_skipped',
        'not_continued',
        'trigger_rule',
        'returned_skip',
        'condition',
        'cancelled',
      ),
      attempt: optional(ordinal('Of one that was begun: which try.')),
      duration_ms: optional(duration),
      client_id: clientId,
      detail: optional(text('Why, in words.')),
      inputs: optional(object('What the conditions of the client came to.')),
    },
  },
  clients_found: {
    says: 'A fan-out has found its clients; the tasks `task_id[client]` follow.',
    fields: {
      ...attempt,
      part: ordinal('Which part of the list.'),
      parts: ordinal('Of how many.'),
      clients: texts('Their names.'),
    },
  },
  files_dispatched: {
    says: 'Files of a stage are this run’s; no other gets them before its end. Same commit as the `task_ok` of the poll.',
    fields: {
      ...run,
      task_id: text('The task that polled.'),
      stage,
      part: ordinal('Which part of the list.'),
      parts: ordinal('Of how many.'),
      files: {
        schema: {
          type: 'array',
          items: {
            type: 'object',
            properties: { key: { type: 'string' }, version: { type: 'string' } },
            required: ['key', 'version'],
            additionalProperties: false,
          },
        },
        says: 'Key and version of each.',
      },
    },
  },
  files_consumed: {
    says: 'The run succeeded: its files are never handed over again in that version. Same commit as `run_finished`.',
    fields: { ...run, stage, files: count('How many.') },
  },
  files_released: {
    says: 'The run did not succeed: the next one gets its files. Same commit as `run_finished`.',
    fields: { ...run, stage, files: count('How many.'), status },
  },
  files_forgotten: {
    says: 'Consumed files that the stage has no more.',
    fields: { dag_name: dagName, stage, keys: texts('Their keys.') },
  },
  stream_taken: {
    says: 'Records of a stream are this run’s. Same commit as the `task_ok` that read them.',
    fields: {
      ...run,
      task_id: text('The task that read.'),
      stream,
      from: optional(position('Behind which they begin. Left out: at the beginning.')),
      to: position('Where they end.'),
      records: count('How many were read.'),
      more: { schema: { type: 'boolean' }, says: 'There was more.' },
    },
  },
  stream_committed: {
    says: 'The run succeeded: the next one reads on from here. Same commit as `run_finished`.',
    fields: { ...run, stream, position: position('Where.') },
  },
  stream_released: {
    says: 'The run did not succeed: the next one reads the same again. Same commit as `run_finished`.',
    fields: { ...run, stream, status },
  },
  notification_queued: {
    says: 'Somebody is to be told. In the same commit as what it tells of.',
    fields: {
      notification_id: notificationId,
      channel,
      type: oneOf(
        'For which type of the DAG. `MORE`: it stands for some that made room.',
        ...NOTIFICATION_TYPES,
        'MORE',
      ),
      outcome: oneOf(
        'What it tells of.',
        'success',
        'failed',
        'partial',
        'skipped',
        'cancelled',
        'late',
        'missed',
        'more',
      ),
      dag_name: optional(dagName),
      tenant_id: optional(tenantId),
      run_id: optional(runId),
      schedule_id: optional(scheduleId),
      slot: optional(instant('The slot, of several the last one.')),
      subject: text('In a few words: the same for all of one kind about one DAG.'),
      summary: text('What there is to say.'),
      more: optional(ordinal('How many others it stands for.')),
      send_at: optional(instant('When the window ends in which others of its channel join it.')),
      give_up_at: instant('It is not tried again after this.'),
      dedupe_until: optional(instant('The same subject is not queued for this channel before.')),
    },
  },
  notification_sent: {
    says: 'The channel took one message with all of these.',
    fields: { ...message, attempt: tries },
  },
  notification_retry: {
    says: 'The channel did not take it.',
    fields: {
      ...message,
      attempt: tries,
      error: text('Why, without URL, header or secret.'),
      retry_at: instant('When it is tried again; drawn once.'),
    },
  },
  notification_failed: {
    says: 'They are not tried again: nobody was told.',
    fields: {
      ...message,
      attempt: tries,
      reason: oneOf(
        '`refused`: another try would be, too. `gave_up`: their time is over.',
        'refused',
        'gave_up',
      ),
      error: text('Why, without URL, header or secret.'),
    },
  },
  notification_suppressed: {
    says: 'They are not told one by one.',
    fields: {
      ...message,
      reason: oneOf(
        '`duplicate`: the same was queued a short while ago, and this never was. `outbox_full`: another stands for them.',
        'duplicate',
        'outbox_full',
      ),
      duplicate_of: optional(text('Of a duplicate: the notification that told it.')),
      type: optional(
        oneOf('Of a duplicate: what it would have told, here and below.', ...NOTIFICATION_TYPES),
      ),
      dag_name: optional(dagName),
      run_id: optional(runId),
      schedule_id: optional(scheduleId),
      slot: optional(instant('The slot.')),
      subject: optional(text('The subject that both have.')),
    },
  },
}

const BLOB: Record<string, Field> = {
  sha256: { schema: { type: 'string', pattern: '^[0-9a-f]{64}$' }, says: 'Name of the file in `blobs/`.' },
  bytes: count('Its size.'),
}
const ERROR: Record<string, Field> = {
  kind: text('`exit_code`, `signal`, `timeout`, `threw`, `out_of_memory` …'),
  message: text('For people.'),
  exit_code: optional({ schema: { type: 'integer' }, says: 'The exit code, if there is one.' }),
  signal: optional(text('The signal that ended it.')),
}

const DAY = '\\d{4}-\\d\\d-\\d\\d'
const weekday: Schema = { type: 'string', enum: [...WEEKDAY_NAMES] }
const list = (says: string, items: Schema): OptionalField =>
  optional({ schema: { type: 'array', items }, says })
const spans = (says: string): OptionalField => list(says, { type: 'string', pattern: `^${DAY}(/${DAY})?$` })
const monthDay = (says: string): OptionalField =>
  optional({ schema: { type: 'string', pattern: '^\\d\\d-\\d\\d$' }, says })
const whole = (says: string): OptionalField => optional({ schema: { type: 'integer' }, says })

const ROLL: { readonly [K in keyof TimingRoll]: Field } = {
  convention: oneOf('How, by its name in finance.', ...ROLL_CONVENTIONS),
  calendar: text('The name of the calendar, for people.'),
  days: ref('business_days', 'Its business days as they were: what was due is worked out from these.'),
}
const BUSINESS_DAYS: { readonly [K in keyof Required<RecordedDays>]: OptionalField } = {
  weekend: list('Weekdays that are no business days.', weekday),
  dates: spans('Holidays: days, or spans with both ends (`2026-12-24/2026-12-31`).'),
  rules: list('Holidays of every year.', { $ref: '#/definitions/holiday_rule' }),
  exclude: spans('Days that are no holidays, whatever the others say.'),
  workdays: spans('Days that are business days, whatever the others say.'),
  include: list('Calendars whose holidays count here, too.', { $ref: '#/definitions/business_days' }),
}
const HOLIDAY_RULE: { readonly [K in keyof Required<RecordedRule>]: OptionalField } = {
  day: monthDay('On this day: `12-25`.'),
  nth: whole('On the nth `weekday` of `month`, from its end if negative.'),
  weekday: optional({ schema: weekday, says: 'The weekday.' }),
  month: whole('The month.'),
  on_or_after: monthDay('On the first `weekday` from this day on.'),
  on_or_before: monthDay('On the last `weekday` up to this day.'),
  easter: whole('So many days after Easter Sunday.'),
  orthodox: optional({ schema: { type: 'boolean' }, says: 'Easter of the Orthodox churches.' }),
  observed: optional({
    schema: {
      type: 'object',
      properties: Object.fromEntries(WEEKDAY_NAMES.map(name => [name, weekday])),
      additionalProperties: false,
    },
    says: 'Weekdays from which it moves, and where to.',
  }),
  from_year: whole('Not before this year.'),
  until_year: whole('Not after this year.'),
}

/** What a line is made of beside texts and numbers. */
const PARTS: Readonly<Record<string, { says: string; fields: Record<string, Field> }>> = {
  blob: { says: 'A file named by the SHA-256 of its bytes.', fields: BLOB },
  error: { says: 'How an attempt failed.', fields: ERROR },
  roll: { says: 'Where times go that fall on no business day.', fields: ROLL },
  business_days: { says: 'The business days of a calendar.', fields: BUSINESS_DAYS },
  holiday_rule: { says: 'A holiday that comes back every year.', fields: HOLIDAY_RULE },
}

/** @param name  the constant `event` of the line; undefined for a part of one */
function objectSchema(
  says: string,
  fields: Record<string, Field>,
  isStrict: boolean,
  extra: Schema = {},
): Schema {
  const properties: Schema = { ...extra }
  for (const [name, { schema, says: description }] of Object.entries(fields)) {
    properties[name] = '$ref' in schema ? { allOf: [schema], description } : { ...schema, description }
  }
  const required = Object.keys(fields).filter(name => fields[name]!.optional === undefined)
  return {
    description: says,
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties,
    ...(isStrict ? { additionalProperties: false } : {}),
  }
}

/**
 * The JSON Schema (draft-07) of any line.
 * @param isStrict  refuse fields that are not described: for tests. Readers must ignore what they do not know.
 */
export function buildJournalSchema(isStrict = false): Schema {
  const line: Schema = {
    timestamp: { type: 'string', pattern: TIMESTAMP, description: 'When it was decided: UTC, milliseconds.' },
    event: { type: 'string', minLength: 1, description: 'What happened.' },
    seq: {
      type: 'integer',
      minimum: 1,
      description: 'Position in the journal, without a hole: this is the order.',
    },
    commit: {
      type: 'array',
      items: { type: 'integer', minimum: 1 },
      minItems: 2,
      maxItems: 3,
      description:
        'Which line of how many of one commit: all of them count, or none. Third, where it is not the first number: ' +
        'which line of its write.',
    },
    c: { type: 'string', pattern: '^[0-9a-f]{8}$', description: 'CRC-32, chained with the line before.' },
  }
  const known = Object.keys(line).reduce<Schema>((all, name) => Object.assign(all, { [name]: true }), {})
  const definitions: Schema = {}
  for (const [name, { says, fields }] of Object.entries(PARTS))
    definitions[name] = objectSchema(says, fields, isStrict)
  for (const [name, { says, fields }] of Object.entries(EVENTS)) {
    definitions[name] = objectSchema(says, fields, isStrict, isStrict ? known : {})
  }
  const names = Object.keys(EVENTS)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A line of the Dagbok state journal',
    description: 'See docs/journal-format.md. Generated by scripts/generate-journal-schema.ts.',
    type: 'object',
    required: ['timestamp', 'event', 'seq', 'c'],
    properties: line,
    if: { required: ['source'], properties: { source: { const: 'user' } } },
    // biome-ignore lint/suspicious/noThenProperty: `then` is JSON Schema's word
    then: { description: 'A fact that a user recorded: any name, any fields.' },
    else: {
      properties: { event: { enum: names } },
      allOf: names.map(name => ({
        if: { properties: { event: { const: name } } },
        // biome-ignore lint/suspicious/noThenProperty: `then` is JSON Schema's word
        then: { $ref: `#/definitions/${name}` },
      })),
    },
    definitions,
  }
}

function describeType({ schema }: Field): string {
  if ('const' in schema) return `\`${schema['const']}\``
  if (Array.isArray(schema['enum'])) return schema['enum'].map(value => `\`${value}\``).join(' ')
  if (typeof schema['$ref'] === 'string') return `[${schema['$ref'].split('/').at(-1)}](#parts-of-lines)`
  if (schema['type'] === 'array') {
    const items = schema['items'] as Schema
    return `array of ${'$ref' in items ? describeType({ schema: items, says: '' }) : `${items['type']}s`}`
  }
  if (schema['pattern'] === INSTANT) return 'instant'
  return String(schema['type'])
}

function describeFields(fields: Record<string, Field>): string {
  const rows = Object.entries(fields).map(
    ([name, field]) => `| \`${name}\`${field.optional ? '?' : ''} | ${describeType(field)} | ${field.says} |`,
  )
  return ['| field | is | says |', '|---|---|---|', ...rows].join('\n')
}

/** The tables of every event, as they stand between the marks in docs/journal-format.md. */
export function describeEvents(): string {
  const sections = Object.entries(EVENTS).map(
    ([name, { says, fields }]) => `### \`${name}\`\n\n${says}\n\n${describeFields(fields)}\n`,
  )
  const parts = Object.entries(PARTS).map(
    ([name, { fields }]) => `**${name}**\n\n${describeFields(fields)}\n`,
  )
  return [...sections, '### Parts of lines\n', ...parts].join('\n')
}

export const DOC_MARKS = ['<!-- events: begin (generated) -->\n', '<!-- events: end -->\n'] as const

/** The page with its tables made anew. */
export function fillPage(page: string): string {
  const [begin, end] = DOC_MARKS
  const head = page.slice(0, page.indexOf(begin) + begin.length)
  return `${head}\n${describeEvents()}\n${page.slice(page.indexOf(end))}`
}

export const SCHEMA_FILE = new URL('../schemas/journal.schema.json', import.meta.url)
export const PAGE_FILE = new URL('../docs/journal-format.md', import.meta.url)

export function printSchema(): string {
  return `${JSON.stringify(buildJournalSchema(), null, 2)}\n`
}

if (import.meta.main) {
  writeFileSync(SCHEMA_FILE, printSchema())
  writeFileSync(PAGE_FILE, fillPage(readFileSync(PAGE_FILE, 'utf8')))
  for (const file of [SCHEMA_FILE, PAGE_FILE]) process.stdout.write(`${fileURLToPath(file)}\n`)
}
