// Reason codes in words: one sentence for every code that an event can carry, and for everything that has no event.
// A code that is not here is printed as it is: a newer scheduler may have written it.

import type { JsonObject } from '../../core/json.ts'
import { conditionsInWords } from './condition-words.ts'

type Sentence = string | ((inputs: JsonObject) => string)

const SENTENCES: Readonly<Record<string, Sentence>> = {
  // schedule_enqueued
  due: 'the slot was due and nothing stood in its way',
  catchup: 'the slot had passed while nothing could decide it, and its catch-up policy lets it run late',
  by_hand: 'somebody ran the slot by hand',

  // schedule_skipped
  overlap: inputs =>
    `the run ${text(inputs['blocked_by'], 'before it')} of the same schedule had not ended, and overlap is "skip"`,
  paused: inputs => `the schedule was paused${since(inputs)}${note(inputs)}`,
  frozen: inputs => `all scheduling was frozen${since(inputs)}${note(inputs)}`,
  skipped_by_hand: inputs => `somebody asked for this slot to be skipped${note(inputs)}`,
  calendar: inputs =>
    conditionsInWords(inputs) ?? `the calendar${named(inputs['calendar'])} does not have this day`,
  blackout: inputs =>
    conditionsInWords(inputs) ??
    `a blackout window${named(inputs['window'] ?? inputs['blackout'])} was in force`,
  condition: inputs =>
    conditionsInWords(inputs) ??
    `its condition${named(inputs['condition'] ?? inputs['expression'])} was false`,
  condition_error: inputs =>
    conditionsInWords(inputs) ??
    `its condition${named(inputs['condition'] ?? inputs['expression'])} could not be judged${because(inputs['error'])}`,
  too_many_open: inputs =>
    `${text(inputs['open'], 'too many')} slots of this schedule are waiting for their conditions already, since ${text(inputs['oldest'], 'long ago')}`,
  deadline: 'its starting deadline had passed before it could start',

  // schedule_missed
  catchup_none: 'the slot had passed while nothing could decide it, and catchup is "none"',
  catchup_latest:
    'several slots had passed while nothing could decide them, and catchup "latest" runs only the last one',
  catchup_window: 'the slot had passed longer ago than its catchup_window allows',
  max_catchup: 'more slots had passed than max_catchup lets run',
  definition_changed: 'the schedule was changed, disabled or removed before this slot was decided',

  // no event
  open: 'the slot is due and not decided yet',
  asked: 'the slot is due and its conditions are being asked',
  future: 'the slot is still to come',
  not_due: 'the schedule has no slot at this instant',
  before_first_seen: 'no slot before the schedule was first seen is ever decided',
  forgotten: 'it is older than what is kept of the journal',
  retired: 'the schedule was disabled or not there at this time',
  between_timings: 'the schedule was changed around this time, and its new timing began after it',
  not_seen: 'no scheduler has seen this schedule yet',

  // what a run waits for
  no_scheduler: 'no scheduler is running: the next start goes on with it',
  serial_order: inputs =>
    `runs of this schedule go one after the other, and ${text(inputs['run_id'], 'another')} is before it`,
  start_after: inputs =>
    `it does not start before ${text(inputs['at'], 'its time')}: the slot and its jitter`,
  parallel_limit: inputs =>
    `${text(inputs['running'], 'as many')} runs are under way and SCHED_MAX_PARALLEL is ${text(inputs['limit'], 'reached')}`,
  task_limit: inputs => `all ${text(inputs['limit'], 'places')} places for tasks (SCHED_MAX_TASKS) are taken`,
  pool: sayPool,
  start_by: inputs => `it is given up if it has not started by ${text(inputs['at'], 'its deadline')}`,
  retry: inputs =>
    `task ${text(inputs['task_id'], '')} waits for another attempt at ${text(inputs['at'], 'its time')}`,
  draining: 'the scheduler is stopping and starts nothing new: the next start goes on with it',
  disk_full: 'the disk of the journal is full: nothing is decided until there is room',
  about_to_start: 'nothing is in its way: it starts with the next turn of the scheduler',
}

/** Every code that has a sentence. */
export const REASONS_IN_WORDS: readonly string[] = Object.keys(SENTENCES)

/** One sentence, without a capital and a full stop. Not yet safe for a terminal: inputs come from outside. */
export function reasonInWords(code: string, inputs: JsonObject = {}): string {
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined
  if (sentence === undefined) return `its reason code is ${code}`
  return typeof sentence === 'string' ? sentence : sentence(inputs)
}

function text(value: unknown, otherwise: string): string {
  if (value === undefined || value === null) return otherwise
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function list(value: unknown): string {
  return Array.isArray(value) && value.length > 0
    ? value.map(item => text(item, '')).join(', ')
    : 'other runs'
}

function named(value: unknown): string {
  return value === undefined || value === null ? '' : ` ${text(value, '')}`
}

function because(value: unknown): string {
  return value === undefined || value === null ? '' : `: ${text(value, '')}`
}

/** What is known of a pool and of the run's place in its line: without a scheduler, only who holds it. */
function sayPool(inputs: JsonObject): string {
  const { pool, slots, held, held_by, weight, place, waiting, priority } = inputs
  const much =
    typeof slots === 'number' && typeof held === 'number' ? ` (${held} of ${slots} slots held)` : ''
  let said = `it needs room in the pool ${text(pool, '')}${much}, held by ${list(held_by)}`
  if (typeof weight === 'number' && weight !== 1) said += `; it takes ${weight} slots`
  if (typeof place === 'number') said += `; number ${place} of ${text(waiting, '')} in line`
  if (typeof priority === 'number' && priority !== 0) said += `; priority ${priority}`
  return said
}

function since(inputs: JsonObject): string {
  const from = inputs['since'] === undefined ? '' : ` since ${text(inputs['since'], '')}`
  return inputs['until'] === undefined ? from : `${from} until ${text(inputs['until'], '')}`
}

function note(inputs: JsonObject): string {
  const said = inputs['note'] ?? inputs['reason']
  return said === undefined || said === '' ? '' : ` (${text(said, '')})`
}
