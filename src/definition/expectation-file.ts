// A file of expectations for `scheduler simulate --assert`: YAML or JSON → expectations, and what is wrong with the file.

import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import type { Boundary, Expectation } from '../core/simulation/expectation.ts'
import { HOUR_MS, type Instant, MINUTE_MS, parseInstant } from '../core/time/instant.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import type { FieldWords } from './expected-words.ts'
import { makeFileProblem, ProblemList } from './problem.ts'
import { addSchemaProblems } from './schema-problems.ts'
import { decodeText, SourceText } from './source-text.ts'
import { readYaml, type YamlTree } from './yaml-tree.ts'

/** An expectation and the line of the file that it begins on. */
export interface WrittenExpectation extends Expectation {
  readonly line: number
}

const Count = z.int().min(0).max(1_000_000_000)

const ExpectationEntry = z.strictObject({
  schedule: z.string().min(1).max(256),
  exactly: Count.optional(),
  at_least: Count.optional(),
  at_most: Count.optional(),
  slots: z.array(z.string()).min(1).max(10_000).optional(),
  never_between: z.array(z.string()).min(2).max(2).optional(),
})

const ExpectationFile = z.array(ExpectationEntry).min(1).max(10_000)

const WORDS: FieldWords = {
  '': {
    expected: 'a list of expectations, each beginning with "- schedule:"',
    example: '- schedule: nightly',
  },
  '[]': {
    expected: 'an expectation (a mapping with schedule and what is expected of it)',
    example: '- schedule: nightly',
  },
  '[].schedule': {
    expected: 'the id of a schedule',
    example: 'schedule: nightly',
    aliases: ['id', 'schedule_id'],
  },
  '[].exactly': { expected: 'a number of fires', example: 'exactly: 31', aliases: ['fires', 'count'] },
  '[].at_least': { expected: 'a number of fires', example: 'at_least: 30', aliases: ['min', 'minimum'] },
  '[].at_most': { expected: 'a number of fires', example: 'at_most: 31', aliases: ['max', 'maximum'] },
  '[].slots': {
    expected: 'a list of slots that must fire',
    example: 'slots: [2026-01-05T06:00Z]',
    aliases: ['fires_at', 'includes'],
  },
  '[].slots[]': { expected: 'ISO 8601 with an offset', example: '2026-01-05T06:00Z' },
  '[].never_between': {
    expected: 'two times: clocks of the schedule’s zone, or instants',
    example: 'never_between: ["09:00", "17:00"]',
    aliases: ['not_between', 'never'],
  },
  '[].never_between[]': {
    expected: 'a clock such as "09:00", or ISO 8601 with an offset',
    example: '"09:00"',
  },
}

/**
 * Reads a file of expectations.
 * @param file as people see it
 * @param scheduleIds the schedules that there are
 */
export async function readExpectations(
  file: string,
  bytes: Uint8Array,
  scheduleIds: ReadonlySet<string>,
): Promise<{ expectations: WrittenExpectation[] } | { problems: readonly DefinitionProblem[] }> {
  const decoded = decodeText(bytes)
  if ('notText' in decoded) {
    const { message, help } = decoded.notText
    return { problems: [makeFileProblem(file, message, { help })] }
  }
  const problems = new ProblemList(new SourceText(file, decoded.text))
  const tree = await readYaml(problems)
  if (tree === undefined) {
    if (problems.errorCount === 0)
      problems.add({ start: 0, end: 0 }, `the file is empty: expected ${WORDS['']!.expected}`)
    return { problems: problems.finish() }
  }
  addSchemaProblems(ExpectationFile, WORDS, tree, problems)
  const expectations: WrittenExpectation[] = []
  if (Array.isArray(tree.value)) {
    for (const [index, entry] of tree.value.entries())
      if (isJsonObject(entry)) expectations.push(readEntry(entry, index, tree, problems, scheduleIds))
  }
  return problems.errorCount > 0 ? { problems: problems.finish() } : { expectations }
}

function readEntry(
  entry: JsonObject,
  index: number,
  tree: YamlTree,
  problems: ProblemList,
  scheduleIds: ReadonlySet<string>,
): WrittenExpectation {
  const { schedule, exactly, at_least, at_most, slots, never_between } = entry
  const id = typeof schedule === 'string' ? schedule : ''
  if (id !== '' && !scheduleIds.has(id)) {
    const nearest = findNearest(id, scheduleIds)
    problems.add(tree.locate([index, 'schedule']), `there is no schedule ${JSON.stringify(id)}`, {
      help:
        nearest === undefined
          ? '`scheduler next` lists them all'
          : `did you mean ${JSON.stringify(nearest)}?`,
    })
  }
  if ([exactly, at_least, at_most, slots, never_between].every(value => value === undefined)) {
    problems.add(tree.locate([index]), 'nothing is expected of it', {
      help: 'add exactly, at_least, at_most, slots or never_between',
    })
  }
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined)
  const place = tree.locate([index])
  const read = {
    exactly: number(exactly),
    atLeast: number(at_least),
    atMost: number(at_most),
    slots: Array.isArray(slots)
      ? slots.map((text, item) => readSlot(text, [index, 'slots', item], tree, problems))
      : undefined,
    neverBetween:
      Array.isArray(never_between) && never_between.length === 2
        ? readPair(never_between, index, tree, problems)
        : undefined,
  }
  const given = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
  return { scheduleId: id, line: problems.source.positionAt(place.start).line, ...given }
}

type Place = (string | number)[]

function readSlot(text: unknown, path: Place, tree: YamlTree, problems: ProblemList): Instant {
  if (typeof text !== 'string') return Number.NaN
  const at = parseInstant(text)
  if (Number.isNaN(at)) addNoInstant(text, path, tree, problems, '2026-01-05T06:00Z')
  return at
}

function readPair(
  pair: readonly unknown[],
  index: number,
  tree: YamlTree,
  problems: ProblemList,
): readonly [Boundary, Boundary] {
  const read = (item: number): Boundary => {
    const text = pair[item]
    const clock = typeof text === 'string' ? /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text) : null
    if (clock !== null) {
      const ms = Number(clock[1]) * HOUR_MS + Number(clock[2]) * MINUTE_MS
      if (ms <= 24 * HOUR_MS) return { kind: 'clock', ms }
    }
    const at = typeof text === 'string' ? parseInstant(text) : Number.NaN
    if (typeof text === 'string' && Number.isNaN(at))
      addNoInstant(text, [index, 'never_between', item], tree, problems, '"09:00"')
    return { kind: 'instant', at }
  }
  const boundaries = [read(0), read(1)] as const
  const [from, to] = boundaries
  if (from.kind !== to.kind && !Number.isNaN(placeOf(from)) && !Number.isNaN(placeOf(to))) {
    problems.add(
      tree.locate([index, 'never_between']),
      'expected two clocks or two instants, got one of each',
    )
  }
  if (from.kind === 'instant' && to.kind === 'instant' && from.at >= to.at) {
    problems.add(tree.locate([index, 'never_between']), 'expected the earlier instant first', {
      help: 'swap the two',
    })
  }
  return boundaries
}

function placeOf(boundary: Boundary): number {
  return boundary.kind === 'clock' ? boundary.ms : boundary.at
}

function addNoInstant(
  text: string,
  path: Place,
  tree: YamlTree,
  problems: ProblemList,
  example: string,
): void {
  problems.add(tree.locate(path), `expected a point in time, got ${JSON.stringify(text)}`, {
    help: `for example ${example}`,
  })
}
