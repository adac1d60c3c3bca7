// What the schema cannot see of conditions that ask the world: keys beside the wrong kind, marks, URLs, headers,
// durations, expressions; and what happens while they have no yes.
//
//   Fields of a wrong form are skipped: they are the schema's to tell of.

import type { Condition } from '../core/condition/condition.ts'
import { questionsOf } from '../core/condition/condition.ts'
import { CLIENT_MARK, findMarks, MARKS } from '../core/condition/occasion.ts'
import { QUESTION_KINDS, type QuestionKind } from '../core/condition/question.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import type { ConditionPolicy } from '../core/schedule/schedule.ts'
import { parseDuration } from '../core/time/duration.ts'
import { MINUTE_MS, SECOND_MS } from '../core/time/instant.ts'
import { checkCel, schedulesNamedIn } from './cel-check.ts'
import { checkDuration, checkLength, DURATION_PATTERN } from './duration-text.ts'
import type { ProblemList } from './problem.ts'
import { QUESTION_SIBLINGS } from './question-schema.ts'
import type { Span } from './source-text.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

const LONGEST_TIMEOUT_MS = 10 * MINUTE_MS
const SHORTEST_RETRY_MS = 5 * SECOND_MS

/** Keys of a schedule that say something about conditions that ask. */
const POLICY_KEYS = ['retry_until', 'retry_every', 'on_error'] as const

/** Undefined unless a condition asks. */
export function conditionPolicyOf(
  conditions: readonly Condition[] | undefined,
  entry: {
    readonly retry_until?: string | undefined
    readonly retry_every?: string | undefined
    readonly on_error?: 'skip' | 'run' | undefined
  },
): ConditionPolicy | undefined {
  if (conditions === undefined || conditions.flatMap(each => questionsOf([each])).length === 0)
    return undefined
  const { retry_until: until, retry_every: every = '1m', on_error: onError = 'skip' } = entry
  return {
    ...(until !== undefined && { retryUntilMs: parseDuration(until) }),
    retryEveryMs: parseDuration(every),
    onError,
  }
}

/** A schedule that an expression asks for by its id. */
export interface AskedSchedule {
  readonly id: string
  readonly place: Span
}

/** Adds what is wrong with the meaning of `conditions` and of the keys that go with them. */
export function checkConditions(
  entry: JsonObject,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): AskedSchedule[] {
  const checker = new ConditionChecker(tree, problems)
  checker.checkList(entry['conditions'], [...path, 'conditions'])
  checker.checkPolicy(entry, path)
  return checker.asked
}

/** Conditions of a fan-out, asked for each client: they may name the client, and must be about it. */
export function checkClientConditions(
  list: Json | undefined,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): AskedSchedule[] {
  const checker = new ConditionChecker(tree, problems, true)
  checker.checkList(list, path)
  return checker.asked
}

class ConditionChecker {
  readonly #tree: YamlTree
  readonly #problems: ProblemList
  readonly #ofClients: boolean
  readonly #marks: readonly string[]
  #questions = 0
  readonly asked: AskedSchedule[] = []

  constructor(tree: YamlTree, problems: ProblemList, ofClients = false) {
    this.#tree = tree
    this.#problems = problems
    this.#ofClients = ofClients
    this.#marks = ofClients ? [...MARKS, CLIENT_MARK] : MARKS
  }

  checkList(list: Json | undefined, path: Path): void {
    if (!Array.isArray(list)) return
    for (const [index, condition] of list.entries()) this.#checkOne(condition, [...path, index])
  }

  checkPolicy(entry: JsonObject, path: Path): void {
    for (const key of POLICY_KEYS) {
      if (entry[key] === undefined || this.#questions > 0) continue
      this.#problems.add(
        this.#tree.locateKey(path, key),
        `"${key}" is of no use: no condition asks the world`,
        {
          help: `remove it, or add a condition of kind ${QUESTION_KINDS.join(', ')}`,
        },
      )
    }
    for (const key of ['retry_until', 'retry_every'])
      checkLength(entry[key], [...path, key], this.#tree, this.#problems)
    const every = readDuration(entry['retry_every'])
    const until = readDuration(entry['retry_until'])
    if (every !== undefined && every < SHORTEST_RETRY_MS)
      this.#add(
        [...path, 'retry_every'],
        `expected 5s or more, got "${entry['retry_every']}"`,
        'write 5s or more',
      )
    if (until !== undefined && until === 0)
      this.#add(
        [...path, 'retry_until'],
        'expected more than nothing, got "0s"',
        'remove it to ask only once',
      )
    if (entry['retry_every'] !== undefined && entry['retry_until'] === undefined && this.#questions > 0)
      this.#problems.add(
        this.#tree.locateKey(path, 'retry_every'),
        '"retry_every" without "retry_until": conditions are asked once',
        { help: 'add retry_until: 2h' },
      )
  }

  #checkOne(condition: Json, path: Path): void {
    if (!isJsonObject(condition)) return
    this.checkList(condition['all'], [...path, 'all'])
    this.checkList(condition['any'], [...path, 'any'])
    if (condition['not'] !== undefined) this.#checkOne(condition['not'], [...path, 'not'])
    const kind = QUESTION_KINDS.find(name => condition[name] !== undefined)
    if (kind !== undefined) this.#questions++
    if (this.#ofClients)
      for (const key of ['calendar', 'blackout'])
        if (condition[key] !== undefined)
          this.#problems.add(
            this.#tree.locateKey(path, key),
            `"${key}" says the same for every client: it is no condition of one`,
            { help: 'move it to the conditions of the schedule' },
          )
    this.#checkSiblings(condition, kind, path)
    this.#checkDurations(condition, path)
    this.#checkTexts(condition, path)
  }

  #checkSiblings(condition: JsonObject, kind: QuestionKind | undefined, path: Path): void {
    const allowed = kind === undefined ? [] : QUESTION_SIBLINGS[kind]
    for (const [key, kinds] of SIBLING_KINDS) {
      if (condition[key] === undefined || allowed.includes(key)) continue
      this.#problems.add(
        this.#tree.locateKey(path, key),
        `"${key}" does not stand beside ${kind === undefined ? 'this condition' : `"${kind}"`}`,
        { help: `it stands beside ${kinds.join(', ').replace(/, ([^,]*)$/, ' or $1')}` },
      )
    }
    if (kind === 'sql' && condition['database'] === undefined)
      this.#problems.add(this.#tree.locate([...path, 'sql']), 'missing key "database" beside "sql"', {
        help: 'add database: data/billing.sqlite',
      })
  }

  #checkDurations(condition: JsonObject, path: Path): void {
    for (const key of ['max_age', 'within', 'timeout'])
      checkLength(condition[key], [...path, key], this.#tree, this.#problems)
    const timeout = readDuration(condition['timeout'])
    if (timeout !== undefined && (timeout === 0 || timeout > LONGEST_TIMEOUT_MS))
      this.#add(
        [...path, 'timeout'],
        `expected more than 0s and at most 10m, got "${condition['timeout']}"`,
        'write 10m or less; to wait longer, ask again with retry_until',
      )
  }

  #checkTexts(condition: JsonObject, path: Path): void {
    const { file, command, http, headers, sql, database, signal, cel } = condition
    this.#checkMarks(file, [...path, 'file'])
    if (Array.isArray(command))
      for (const [index, word] of command.entries()) this.#checkMarks(word, [...path, 'command', index])
    this.#refuseMarks(
      command,
      [...path, 'command'],
      `use "$${this.#ofClients ? 'DAGBOK_CLIENT_ID' : 'DAGBOK_DATE'}" and the like, or write the command as a list`,
    )
    this.#refuseMarks(
      sql,
      [...path, 'sql'],
      `use the parameters ${this.#ofClients ? ':client_id, ' : ''}:date, :slot, :tenant, :schedule and :dag`,
    )
    for (const [text, key] of [
      [database, 'database'],
      [signal, 'signal'],
    ] as const)
      this.#refuseMarks(text, [...path, key], 'write the name out')
    this.#checkNul(condition, path)
    if (typeof http === 'string' && this.#checkMarks(http, [...path, 'http']))
      this.#checkUrl(http, [...path, 'http'])
    if (isJsonObject(headers))
      for (const [name, value] of Object.entries(headers))
        this.#checkHeader(name, value, [...path, 'headers'])
    if (typeof cel === 'string' && cel !== '') this.#checkExpression(cel, [...path, 'cel'])
  }

  #checkExpression(expression: string, path: Path): void {
    for (const { message, help, start, end } of checkCel(expression, this.#ofClients))
      this.#problems.add(this.#placeIn(path, start, end), message, { help })
    for (const { id, start, end } of schedulesNamedIn(expression))
      this.asked.push({ id, place: this.#placeIn(path, start, end) })
  }

  /** True if all marks of the text are known. */
  #checkMarks(text: Json | undefined, path: Path): boolean {
    if (typeof text !== 'string') return true
    const unknown = findMarks(text).filter(({ name }) => !this.#marks.includes(name))
    for (const { name, start, end } of unknown) {
      if (name === '') {
        this.#problems.add(
          this.#placeIn(path, start, end),
          'expected a mark between "{{" and "}}", got nothing',
          {
            help: `known marks: ${this.#marks.join(', ')}`,
          },
        )
        continue
      }
      const near = findNearest(name, this.#marks)
      this.#problems.add(this.#placeIn(path, start, end), `unknown mark "{{${name}}}"`, {
        help: near === undefined ? `known marks: ${this.#marks.join(', ')}` : `did you mean "{{${near}}}"?`,
      })
    }
    return unknown.length === 0
  }

  #refuseMarks(text: Json | undefined, path: Path, help: string): void {
    if (typeof text !== 'string') return
    for (const { name, start, end } of findMarks(text))
      if (this.#marks.includes(name))
        this.#problems.add(this.#placeIn(path, start, end), `the mark "{{${name}}}" is not filled in here`, {
          help,
        })
  }

  #checkNul(condition: JsonObject, path: Path): void {
    for (const key of ['file', 'command', 'database']) {
      const value = condition[key]
      const texts = Array.isArray(value) ? value : [value]
      if (texts.some(text => typeof text === 'string' && text.includes('\0')))
        this.#add([...path, key], 'expected a text without a NUL character', 'remove \\0')
    }
  }

  #checkUrl(text: string, path: Path): void {
    const url = URL.parse(text.replace(/\{\{.*?\}\}/g, 'x'))
    if (url === null || !/^https?:$/.test(url.protocol))
      return this.#add(
        path,
        'expected a URL that begins with http:// or https://',
        'for example https://example.org/health',
      )
    if (url.username !== '' || url.password !== '')
      this.#add(
        path,
        'expected a URL without a user or password',
        'put them into headers: { authorization: … }',
      )
  }

  #checkHeader(name: string, value: Json | undefined, path: Path): void {
    if (typeof value !== 'string') return
    if (!this.#checkMarks(value, [...path, name])) return
    const place = this.#tree.locateKey(path, name)
    try {
      new Headers([[name, 'x']])
    } catch {
      this.#problems.add(place, `"${name}" is no name of a header`, { help: 'letters, digits and "-"' })
      return
    }
    try {
      new Headers([[name, value]])
    } catch {
      // Without the value: it may be a secret, and problems are logged.
      this.#problems.add(place, `the value of the header "${name}" holds characters that cannot be sent`, {
        help: 'write it in one line, in plain letters',
      })
    }
  }

  #add(path: Path, message: string, help: string): void {
    this.#problems.add(this.#tree.locate(path), message, { help })
  }

  /** A part of a text, where the file has it letter by letter; else the whole of it. */
  #placeIn(path: Path, start: number, end: number): Span {
    const offset = this.#tree.textOffset(path)
    if (offset === undefined) return this.#tree.locate(path)
    return { start: offset + start, end: offset + Math.max(end, start + 1) }
  }
}

/** Key → the kinds it stands beside. */
const SIBLING_KINDS: ReadonlyMap<string, readonly QuestionKind[]> = new Map(
  QUESTION_KINDS.flatMap(kind => QUESTION_SIBLINGS[kind]).map(key => [
    key,
    QUESTION_KINDS.filter(kind => QUESTION_SIBLINGS[kind].includes(key)),
  ]),
)

function readDuration(text: Json | undefined): number | undefined {
  if (typeof text !== 'string' || !DURATION_PATTERN.test(text) || checkDuration(text) !== undefined)
    return undefined
  return parseDuration(text)
}
