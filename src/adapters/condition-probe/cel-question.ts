// What does an expression come to? What it read and what its functions said is what was seen.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { ASTNode } from '@marcbachmann/cel-js'
import { factsOf } from '../../core/condition/occasion.ts'
import type { Occasion } from '../../core/condition/question.ts'
import type { JsonObject } from '../../core/json.ts'
import { parseDuration } from '../../core/time/duration.ts'
import { formatInstant } from '../../core/time/instant.ts'
import {
  type CelVariable,
  createCelEnvironment,
  LastRun,
  SIGNAL_WITHIN_MS,
} from '../../definition/cel-environment.ts'
import { listCelNames } from '../../definition/cel-names.ts'
import type { RunRow } from '../../ports/run-index.ts'
import { type Asker, describeFailure } from './asker.ts'
import type { LastSignal } from './signal-question.ts'

/** The last run of a schedule that has finished. */
export type FindLastRun = (scheduleId: string) => Promise<RunRow | undefined>

/** Calls that are recorded: an expression over a long list makes many. */
const CALLS_MAX = 20

export function createCelAsker({
  lastRun,
  lastSignal,
}: {
  lastRun: FindLastRun
  lastSignal: LastSignal
}): Asker<'cel'> {
  // One environment for all: making one takes ten times as long as an answer. Whose call it is says the context.
  const asking = new AsyncLocalStorage<{ readonly facts: Facts; readonly calls: JsonObject }>()
  const record = (call: string, said: JsonObject | boolean) => {
    const { calls } = asking.getStore()!
    if (Object.keys(calls).length < CALLS_MAX) calls[call] = said
  }
  const environment = createCelEnvironment({
    async lastRun(id) {
      const row = await lastRun(id)
      record(`last_run(${JSON.stringify(id)})`, row === undefined ? { status: '' } : describeRun(row))
      return row === undefined ? LastRun.none() : new LastRun(row)
    },
    async signal(name, within) {
      const withinMs = within === undefined ? SIGNAL_WITHIN_MS : parseDuration(within)
      const event = await lastSignal(name, formatInstant(asking.getStore()!.facts.instant - withinMs))
      const more = within === undefined ? '' : `, ${JSON.stringify(within)}`
      record(`signal(${JSON.stringify(name)}${more})`, event !== undefined)
      return event !== undefined
    },
  })

  return async ({ expression }, occasion) => {
    const facts = factsOf(occasion)
    const calls: JsonObject = {}
    try {
      const program = environment.parse(expression)
      const said: unknown = await asking.run({ facts, calls }, () => program(contextOf(occasion, facts)))
      if (typeof said !== 'boolean')
        return { error: `the expression is neither true nor false: ${typeof said}` }
      return { holds: said, saw: { ...readVariables(program.ast, occasion, facts), ...calls } }
    } catch (error) {
      const { summary } = error as { summary?: string }
      return { error: `the expression failed: ${summary ?? describeFailure(error)}` }
    }
  }
}

type Facts = ReturnType<typeof factsOf>

function contextOf(occasion: Occasion, facts: Facts): Record<CelVariable, unknown> & { client_id?: string } {
  return {
    slot: new Date(facts.instant),
    date: facts.date,
    schedule: occasion.scheduleId,
    tenant: occasion.tenantId,
    dag: occasion.dagName,
    // Whole numbers of CEL are BigInts: a number of JavaScript is a double.
    weekday: BigInt(facts.weekday),
    hour: BigInt(facts.hour),
    day: BigInt(facts.day),
    month: BigInt(facts.month),
    year: BigInt(facts.year),
    ...(occasion.clientId === undefined ? {} : { client_id: occasion.clientId }),
  }
}

/** The variables that an expression names, with their values. */
function readVariables(ast: ASTNode, occasion: Occasion, facts: Facts): JsonObject {
  const context = { ...contextOf(occasion, facts), slot: occasion.slot }
  const seen: JsonObject = {}
  for (const { kind, name } of listCelNames(ast)) {
    if (kind !== 'variable' || !Object.hasOwn(context, name)) continue
    const value = context[name as keyof typeof context]
    seen[name] = typeof value === 'bigint' ? Number(value) : String(value)
  }
  return seen
}

function describeRun({ run_id, status, finished_at }: RunRow): JsonObject {
  return { run_id, status, finished_at }
}
