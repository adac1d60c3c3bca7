// The environment of an attempt: what a command or a function sees beside its own params.
//
//   E1. It is built from nothing: a short list of base variables, the task's `env`, and ours. A secret that the
//       scheduler was started with is in none of them.
//   E2. A param becomes a variable only under a prefix of ours, so no param can name a variable that a loader, a shell
//       or an interpreter obeys. What a task's `env` may not set is refused by name, not dropped in silence.
//   E3. No value holds a NUL, none is longer than the kernel takes (128 KiB); all params always stand in the JSON.

import type { Json, JsonObject } from '../json.ts'

export type Environment = Record<string, string>

/** What an attempt tells its command or function about itself. */
export interface AttemptFacts {
  readonly runId: string
  readonly taskId: string
  readonly attempt: number
  readonly dagName: string
  readonly tenantId: string
  readonly scheduleId?: string
  readonly logicalDate: string
  /** Of a task that does its work for one client. */
  readonly clientId?: string
  /** In a manifest's run. */
  readonly runtime?: JsonObject
}

export const RESERVED_PREFIX = 'DAGBOK_'
export const PARAM_PREFIX = 'DAGBOK_PARAM_'

/** A single variable may have 128 KiB with its name; a quarter of that leaves room for many. */
export const LONGEST_PARAM_VALUE = 32 * 1024
/** Above this the JSON of all params goes into a file. */
export const LONGEST_PARAMS_JSON = 96 * 1024
/** All variables together and the arguments may have 2 MiB. */
const LONGEST_PARAMS_TOTAL = 512 * 1024

const BASE_NAME = /^(?:PATH|HOME|LANG|LC_[A-Z]+|TZ|USER|LOGNAME|SHELL|TMPDIR)$/

const DENIED_NAME =
  /^(?:LD_.*|DYLD_.*|NODE_OPTIONS|NODE_PATH|PATH|IFS|BASH_ENV|ENV|PYTHON.*|PERL5.*|RUBYOPT|RUBYLIB|GIT_.*|SSH_.*|HOME)$/

/** Why a task's `env` may not set this variable, in words; undefined if it may. */
export function refuseVariable(name: string): string | undefined {
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name))
    return 'a name has capital letters, digits and "_", and no digit first'
  if (name.startsWith(RESERVED_PREFIX))
    return `names that begin with ${RESERVED_PREFIX} are set by the scheduler`
  if (DENIED_NAME.test(name)) return 'it changes which program is run or what is loaded into it'
  return undefined
}

/** Of the scheduler's own environment what an attempt may see: paths, locale, zone, user. */
export function pickBase(own: Readonly<Record<string, string | undefined>>): Environment {
  const base: Environment = {}
  for (const [name, value] of Object.entries(own))
    if (value !== undefined && BASE_NAME.test(name)) base[name] = value
  base['PATH'] ??= '/usr/local/bin:/usr/bin:/bin'
  return base
}

/** `DAGBOK_RUN_ID`, `DAGBOK_TASK_ID` … and the cookie by which everything the attempt starts is found again. */
export function describeAttempt(facts: AttemptFacts, cookie: string): Environment {
  return {
    DAGBOK_RUN_ID: facts.runId,
    DAGBOK_TASK_ID: facts.taskId,
    DAGBOK_ATTEMPT: String(facts.attempt),
    DAGBOK_DAG: facts.dagName,
    DAGBOK_TENANT: facts.tenantId,
    DAGBOK_SLOT: facts.logicalDate,
    ...(facts.scheduleId === undefined ? {} : { DAGBOK_SCHEDULE: facts.scheduleId }),
    ...(facts.clientId === undefined ? {} : { DAGBOK_CLIENT_ID: facts.clientId }),
    ...(facts.runtime === undefined ? {} : { DAGBOK_RUNTIME: JSON.stringify(facts.runtime) }),
    DAGBOK_COOKIE: cookie,
  }
}

/** The variable of a param: `sweep__summary` is `DAGBOK_PARAM_SWEEP__SUMMARY`; other characters become `_`. */
export function nameParam(param: string): string {
  return PARAM_PREFIX + param.toUpperCase().replace(/[^A-Z0-9_]/g, '_')
}

/**
 * One variable for each param: text as it stands, everything else as JSON. Left out (they are in the JSON of all
 * params): two params that share a name, a value with a NUL, a value over 32 KiB, all that passes 512 KiB together.
 */
export function exportParams(params: JsonObject): Environment {
  const variables: Environment = {}
  const shared = new Set<string>()
  let total = 0
  for (const [param, value] of Object.entries(params)) {
    if (value === undefined) continue
    const name = nameParam(param)
    if (name in variables || shared.has(name)) {
      delete variables[name]
      shared.add(name)
      continue
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value satisfies Json)
    total += text.length
    if (text.includes('\0') || text.length > LONGEST_PARAM_VALUE || total > LONGEST_PARAMS_TOTAL) continue
    variables[name] = text
  }
  return variables
}

/** The first variable of a task's `env` that it may not set, or whose value cannot be passed, with the reason. */
export function findRefused(
  env: Readonly<Record<string, string>>,
): { name: string; why: string } | undefined {
  for (const [name, value] of Object.entries(env)) {
    const why = refuseVariable(name)
    if (why !== undefined) return { name, why }
    if (value.includes('\0')) return { name, why: 'its value holds a NUL character' }
    if (value.length > LONGEST_PARAM_VALUE)
      return {
        name,
        why: `its value has ${value.length} characters, at most ${LONGEST_PARAM_VALUE} can be passed`,
      }
  }
  return undefined
}
