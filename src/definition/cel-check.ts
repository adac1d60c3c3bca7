// An expression in CEL, checked at load: that it can be read, names only what there is, and comes to true or false.

import { type ASTNode, type Environment, ParseError, TypeError as TypeMismatch } from '@marcbachmann/cel-js'
import { findNearest } from '../core/nearest.ts'
import { parseDuration } from '../core/time/duration.ts'
import {
  CEL_CLIENT,
  CEL_FUNCTIONS,
  CEL_MACROS,
  CEL_QUESTIONS,
  CEL_VARIABLES,
  createCelEnvironment,
  LastRun,
} from './cel-environment.ts'
import { type CelName, listCelNames } from './cel-names.ts'

/** What is wrong with an expression, and where in it. */
export interface CelProblem {
  readonly message: string
  readonly help: string
  readonly start: number
  readonly end: number
}

let environment: Environment | undefined

/** Nothing is called while an expression is only looked at. */
function checkEnvironment(): Environment {
  environment ??= createCelEnvironment({
    lastRun: async () => LastRun.none(),
    signal: async () => false,
  })
  return environment
}

/**
 * Every name that is unknown or refused; if there is none, what else is wrong first.
 * @param ofClient whether it is asked about one client, whom it may name
 */
export function checkCel(expression: string, ofClient = false): CelProblem[] {
  let ast: ASTNode
  try {
    ast = checkEnvironment().parse(expression).ast
  } catch (error) {
    return [tellError(error, expression)]
  }
  const variables: readonly string[] = ofClient ? [...CEL_VARIABLES, CEL_CLIENT] : CEL_VARIABLES
  const names = listCelNames(ast).flatMap(name => checkName(name, variables))
  if (names.length > 0) return names
  const { type, error } = checkEnvironment().check(expression)
  if (error !== undefined) return [tellError(error, expression)]
  if (type === 'bool') return []
  return [
    {
      message: `expected an expression that is true or false, got one of type ${type}`,
      help: 'compare it with something, for example weekday == 1',
      start: 0,
      end: expression.length,
    },
  ]
}

/** The schedules that an expression asks for by a literal id, each with its place; none of one that cannot be read. */
export function schedulesNamedIn(expression: string): { id: string; start: number; end: number }[] {
  if (!expression.includes('last_run')) return []
  let ast: ASTNode
  try {
    ast = checkEnvironment().parse(expression).ast
  } catch {
    return []
  }
  return listCelNames(ast).flatMap(each => {
    if (each.kind !== 'call' || each.name !== 'last_run' || each.node.op !== 'call') return []
    const argument = each.node.args[1][0]
    if (argument?.op !== 'value' || typeof argument.args !== 'string') return []
    return [{ id: argument.args, ...argument.range }]
  })
}

function checkName(name: CelName, variables: readonly string[]): CelProblem[] {
  const { start, end } = name
  if (name.kind === 'variable') {
    if (variables.includes(name.name)) return []
    const help = nearestOr(name.name, variables, `known names: ${variables.join(', ')}`)
    return [{ message: `unknown name "${name.name}"`, help, start, end }]
  }
  if (!CEL_FUNCTIONS.has(name.name)) {
    const refusal = REFUSED[name.name]
    if (refusal !== undefined)
      return [{ message: `the function "${name.name}" is not allowed here`, help: refusal, start, end }]
    const known = `functions of this program: ${CEL_QUESTIONS.join(', ')}; of CEL: size, contains, startsWith, …`
    const help = nearestOr(name.name, CEL_FUNCTIONS, known)
    return [{ message: `unknown function "${name.name}"`, help, start, end }]
  }
  if (name.isInMacro && CEL_MACROS.has(name.name))
    return [
      {
        message: `"${name.name}" stands inside another macro: the work would multiply`,
        help: 'write it beside the other one, joined by && or ||',
        start,
        end,
      },
    ]
  return name.name === 'signal' ? checkWithin(name.node) : []
}

/** `signal(name, "1 day")`: a duration that is written out is read now. */
function checkWithin(node: ASTNode): CelProblem[] {
  const within = node.op === 'call' ? node.args[1][1] : undefined
  if (within?.op !== 'value' || typeof within.args !== 'string') return []
  try {
    parseDuration(within.args)
    return []
  } catch {
    const message = `expected a duration such as 90s or 1h30m, got "${within.args}"`
    return [{ message, help: 'for example signal("orders_complete", "12h")', ...within.range }]
  }
}

const REFUSED: Readonly<Record<string, string>> = {
  matches: 'a pattern can take for ever: compare with ==, startsWith, endsWith or contains',
  has: 'what is declared is always there',
  dyn: 'types are known here: write what is meant without it',
  type: 'types are known here: write what is meant without it',
  map: 'use all, exists or exists_one',
  filter: 'use all, exists or exists_one',
  bind: 'write the expression out',
  split: 'use contains, startsWith or endsWith',
  join: 'compare the parts one by one',
}

/** The library's words, for what it is that people write. */
const REMEDIES: readonly [code: string, help: string][] = [
  ['no_such_overload', 'both sides must be of one type: texts in quotes, whole numbers without'],
  ['no_matching_overload', 'look at the number and the types of what is in the brackets'],
  ['no_such_key', 'last_run has status, run_id, cause, slot, started_at and finished_at'],
]

function tellError(error: unknown, expression: string): CelProblem {
  const whole = { start: 0, end: expression.length }
  if (!(error instanceof ParseError) && !(error instanceof TypeMismatch))
    return { message: String(error), help: 'write it more simply', ...whole }
  const range = error.range ?? error.node?.range ?? whole
  const isAssigned = error.code === 'unexpected_character' && expression[range.start] === '='
  const help = isAssigned
    ? 'write == to compare'
    : (REMEDIES.find(([code]) => code === error.code)?.[1] ??
      (error.code.startsWith('limit') || /exceed/i.test(error.summary)
        ? 'split it into several conditions, or make it a command'
        : 'for example weekday == 1 && tenant != "acme"'))
  const message = error.summary.replace('EOF', 'the end of the text').replaceAll('google.protobuf.', '')
  return {
    message: `the expression cannot be used: ${message.slice(0, 1).toLowerCase()}${message.slice(1)}`,
    help,
    start: Math.min(range.start, expression.length),
    end: Math.min(Math.max(range.end, range.start), expression.length),
  }
}

function nearestOr(name: string, known: Iterable<string>, otherwise: string): string {
  const near = findNearest(name, known)
  return near === undefined ? otherwise : `did you mean "${near}"?`
}
