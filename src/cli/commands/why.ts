// `scheduler why <schedule> [slot]`, `scheduler why <run>`: why a slot ended as it did, and where a run stands.

import type { StatusAnswer } from '../../api/control.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Definitions } from '../../core/schedule/definitions.ts'
import { type Instant, parseInstant } from '../../core/time/instant.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../house.ts'
import { plain, writeJson } from '../output.ts'
import { renderRunAnswer, renderSlotAnswer } from '../render/why.ts'
import { answerRun } from '../run-answer.ts'
import { findRun } from '../run-name.ts'
import { answerSlot, readScheduleFacts, type ScheduleFacts, type SlotAnswer } from '../slot-answer.ts'
import { readSlot } from '../slot-name.ts'
import { suggest, UsageError } from '../usage.ts'

/** How far back slots are looked for that are still open, and how many are shown. */
const OPENED_MAX = 200
const ASKED_SHOWN_MAX = 3

export async function run(context: CommandContext, name: string, words: readonly string[]): Promise<number> {
  const house = await context.house()
  const reader = await house.openReader(context.settings)
  try {
    const loaded = await house.loadDefinitions(context.settings)
    const definitions = loaded.ok ? loaded.definitions : undefined
    const schedule = definitions?.schedules.get(name)
    const facts = await readScheduleFacts(reader, name, schedule, definitions !== undefined)
    const status = await askStatus(context)
    if (facts === undefined) {
      showRun(context, reader, name, words, definitions, status)
    } else {
      if (definitions === undefined) {
        context.out.note.line(
          'the definitions are not valid (`scheduler validate`): answered from the journal alone',
        )
      }
      showSlots(context, facts, answerSlots(context, reader, facts, words.join(' '), status))
    }
  } finally {
    await reader.close()
  }
  return EXIT.ok
}

/** What the scheduler says of itself; undefined if none can be asked, which is an answer too. */
async function askStatus(context: CommandContext): Promise<StatusAnswer | undefined> {
  try {
    return await (await context.connect()).status()
  } catch (error) {
    if (error instanceof DagbokError) return undefined
    throw error
  }
}

function answerSlots(
  context: CommandContext,
  reader: Reader,
  facts: ScheduleFacts,
  word: string,
  status: StatusAnswer | undefined,
): SlotAnswer[] {
  const now = context.now()
  const last = lastSlot(reader, facts)
  const next = facts.upcoming?.next(now)
  const answer = (slot: Instant) => answerSlot(reader, facts, slot, status, now)
  if (word === 'last') {
    if (last === undefined) {
      throw new UsageError(
        `slot: no slot of ${facts.id} has been decided yet`,
        `\`scheduler why ${facts.id}\` says where it stands`,
      )
    }
    return [answer(last)]
  }
  if (word === 'next') {
    if (next === undefined) {
      const why = facts.upcoming === undefined ? 'it is disabled or not there' : 'its timing names none'
      throw new UsageError(
        `slot: ${facts.id} has no next slot: ${why}`,
        `\`scheduler why ${facts.id} last\` looks back`,
      )
    }
    return [answer(next)]
  }
  if (word !== '') return [answer(readSlot(word, facts.timezone))]
  const shown = new Set(
    [last, ...askedSlots(reader, facts), firstOpen(facts, last, now), next].filter(
      slot => slot !== undefined,
    ),
  )
  // A schedule that has none still has a reason: it is asked about now.
  return (shown.size === 0 ? [now] : [...shown].sort((a, b) => a - b)).map(answer)
}

/** The first slot that has come and that nobody has decided. */
function firstOpen(
  { stretches }: ScheduleFacts,
  last: Instant | undefined,
  now: Instant,
): Instant | undefined {
  const inForce = stretches.at(-1)
  if (inForce === undefined || inForce.end !== undefined) return undefined
  const slot = inForce.slots.next(Math.max(inForce.cursor, last ?? inForce.cursor))
  return slot !== undefined && slot <= now ? slot : undefined
}

/** Slots whose conditions are being asked, of the latest ones. */
function askedSlots({ index }: Reader, { id }: ScheduleFacts): Instant[] {
  const opened = index.events({ scheduleId: id, event: 'slot_opened', limit: OPENED_MAX }) as {
    slot?: string
  }[]
  return opened
    .map(({ slot }) => slot ?? '')
    .filter(slot => index.slots(id, { since: slot, until: slot, limit: 1 }).length === 0)
    .map(slot => parseInstant(slot))
    .slice(0, ASKED_SHOWN_MAX)
}

/** The last slot that is decided. */
function lastSlot({ index }: Reader, { id }: ScheduleFacts): Instant | undefined {
  const [row] = index.slots(id, { limit: 1 })
  return row === undefined ? undefined : parseInstant(row.slot_to)
}

function showSlots({ out, json, now }: CommandContext, facts: ScheduleFacts, answers: SlotAnswer[]): void {
  if (json) {
    writeJson(out.data, 'Why', { schedule_id: facts.id, timezone: facts.timezone, items: answers })
    return
  }
  for (const [index, answer] of answers.entries()) {
    if (index > 0) out.data.line('')
    for (const line of renderSlotAnswer(out.data, answer, now())) out.data.line(line)
  }
}

function showRun(
  context: CommandContext,
  reader: Reader,
  name: string,
  words: readonly string[],
  definitions: Definitions | undefined,
  status: StatusAnswer | undefined,
): void {
  const { out, json, now } = context
  // A run id holds an `@`, which no schedule's does.
  if (!name.includes('@')) throw unknownSchedule(reader, name, definitions)
  if (words.length > 0)
    throw new UsageError(`why: a run takes no slot, got ${JSON.stringify(words.join(' '))}`)
  const answer = answerRun(reader.index, findRun(reader, name), status, now())
  if (json) writeJson(out.data, 'WhyRun', answer)
  else for (const line of renderRunAnswer(out.data, answer, now())) out.data.line(line)
}

function unknownSchedule(reader: Reader, name: string, definitions: Definitions | undefined): DagbokError {
  const seen = reader.index.runs({ limit: 1_000 }).map(row => row.schedule_id)
  const known = new Set([...(definitions?.schedules.keys() ?? []), ...seen.filter(id => id !== null)])
  const ofDag = [...(definitions?.schedules.values() ?? [])].filter(({ dagName }) => dagName === name)
  const remedy =
    ofDag.length === 0
      ? '`scheduler next` lists them all'
      : `it is a DAG; its schedules are ${ofDag
          .slice(0, 5)
          .map(({ id }) => id)
          .join(', ')}`
  return new DagbokError('SCHEDULE_NOT_FOUND', `there is no schedule ${JSON.stringify(plain(name))}`, {
    exitCode: EXIT.notFound,
    hint: suggest(name, known, remedy),
  })
}
