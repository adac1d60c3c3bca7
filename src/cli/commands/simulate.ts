// `scheduler simulate`: what the scheduler would record about slots over a span, by its own planner on a clock that jumps.
// Reads definitions and past durations; writes nothing and runs nothing.

import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { EXIT } from '../../core/error.ts'
import type { Definitions } from '../../core/schedule/definitions.ts'
import { estimateDurations } from '../../core/simulation/durations.ts'
import { checkExpectation } from '../../core/simulation/expectation.ts'
import { simulate } from '../../core/simulation/simulate.ts'
import { SimulationTally } from '../../core/simulation/tally.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { parseDuration } from '../../core/time/duration.ts'
import { MINUTE_MS } from '../../core/time/instant.ts'
import { zoneOf } from '../../core/time/zone.ts'
import { readExpectations, type WrittenExpectation } from '../../definition/expectation-file.ts'
import { DefinitionsInvalidError } from '../../definition/problem.ts'
import { readAssumptions } from '../assumptions.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import type { SimulateFlags } from '../flags.ts'
import { writeJson } from '../output.ts'
import { readPastDurations } from '../past-durations.ts'
import { describeEvent } from '../render/event-line.ts'
import { type Outcome, renderSimulation, simulationJson } from '../render/simulation.ts'
import { findSchedule } from '../schedule-name.ts'
import { readSpan } from '../span.ts'
import { UsageError } from '../usage.ts'

const WEEK_MS = 7 * 86_400_000

/** Events between two looks at whether somebody wants it to end. */
const EVENTS_PER_TURN = 20_000

const SLOT_EVENTS = new Set(['schedule_enqueued', 'schedule_skipped', 'schedule_missed'])

export async function run(
  context: CommandContext,
  ids: readonly string[],
  flags: SimulateFlags,
): Promise<number> {
  const { out, json, settings, headers } = context
  const now = Math.floor(context.now() / MINUTE_MS) * MINUTE_MS
  const span = readSpan(flags, { from: now, lengthMs: WEEK_MS })
  const runMs = flags.duration === undefined ? MINUTE_MS : readRunDuration(flags.duration)
  const { definitions, shown } = choose(await loadGoodDefinitions(context), ids)
  const expectations =
    flags.assert === undefined ? [] : await loadExpectations(context, flags.assert, definitions)
  const active = [...definitions.schedules.values()].filter(({ enabled }) => enabled)
  const history = await readPastDurations(context, new Set(active.map(({ dagName }) => dagName)))

  const tally = new SimulationTally(
    active.map(({ id }) => id),
    expectations.map(({ scheduleId }) => scheduleId),
  )
  const began = performance.now()
  const events = simulate(definitions, {
    from: span.from,
    until: span.until,
    limits: { maxParallel: settings.maxParallel, maxTasks: settings.maxTasks },
    durationOf: estimateDurations(definitions.dags, history.durations, runMs),
    answerOf: readAssumptions(flags.assume ?? [], new Set(definitions.schedules.keys())),
  })
  for (const event of events) {
    tally.add(event)
    if (flags.slots && isAbout(event, shown)) showEvent(context, event)
    if (tally.events % EVENTS_PER_TURN === 0) {
      await setImmediate()
      if (out.data.closed.aborted) return EXIT.ok
    }
  }
  tally.finish()

  const outcome: Outcome = {
    span,
    tally,
    schedules: active.filter(({ id }) => shown === undefined || shown.has(id)),
    runs: history.runs,
    runMs,
    expectations: expectations.map(expected => ({
      expected,
      failures: checkExpectation(
        expected,
        tally.slots.get(expected.scheduleId) ?? [],
        zoneOf(definitions.schedules.get(expected.scheduleId)!.timing.timezone),
      ),
    })),
  }
  if (!flags.slots) {
    if (json) writeJson(out.data, 'Simulation', simulationJson(outcome))
    else for (const line of renderSimulation(outcome, out.data, headers)) out.data.line(line)
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  out.note.line(`${tally.events} events in ${seconds}s; nothing was run or written`)
  return reportExpectations(context, outcome, flags.assert)
}

/** All enabled schedules are simulated, since they share the limits; those that are named are shown, enabled or not. */
function choose(
  all: Definitions,
  ids: readonly string[],
): { definitions: Definitions; shown: ReadonlySet<string> | undefined } {
  if (ids.length === 0) return { definitions: all, shown: undefined }
  const schedules = new Map(all.schedules)
  for (const id of ids) schedules.set(id, { ...findSchedule(all.schedules, id), enabled: true })
  return { definitions: { ...all, schedules }, shown: new Set(ids) }
}

function isAbout(event: Event, shown: ReadonlySet<string> | undefined): boolean {
  if (!SLOT_EVENTS.has(event.event)) return false
  return shown === undefined || shown.has((event as { schedule_id: string }).schedule_id)
}

function showEvent({ out, json }: CommandContext, event: Event): void {
  out.data.line(json ? JSON.stringify(event) : `${event.timestamp} ${describeEvent(event).text}`)
}

function readRunDuration(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new UsageError(
      `--duration: ${(error as Error).message}`,
      'write an amount with its unit: 90s, 5m, 1h',
    )
  }
}

async function loadExpectations(
  { cwd }: CommandContext,
  file: string,
  { schedules }: Definitions,
): Promise<WrittenExpectation[]> {
  const path = resolve(cwd, file)
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new UsageError(`--assert: ${file} cannot be read: ${reason}`)
  }
  const read = await readExpectations(relative(cwd, path) || file, bytes, new Set(schedules.keys()))
  if ('problems' in read) throw new DefinitionsInvalidError(read.problems)
  return read.expectations
}

function reportExpectations({ out }: CommandContext, { expectations }: Outcome, file = ''): number {
  if (expectations.length === 0) return EXIT.ok
  const failed = expectations.filter(({ failures }) => failures.length > 0)
  for (const { expected, failures } of failed) {
    for (const failure of failures)
      out.note.line(`${file}:${expected.line}: schedule ${expected.scheduleId}: ${failure}`)
  }
  out.note.line(
    failed.length === 0
      ? `${file}: all ${expectations.length} expectations hold`
      : `${file}: ${failed.length} of ${expectations.length} expectations do not hold`,
  )
  return failed.length === 0 ? EXIT.ok : EXIT.runFailed
}
