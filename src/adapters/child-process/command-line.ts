// What a `shell` task runs: from params and env to an argument list and an environment. Nothing of it is interpolated.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  describeAttempt,
  type Environment,
  exportParams,
  findRefused,
  LONGEST_PARAMS_JSON,
} from '../../core/attempt/environment.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AttemptError } from '../../core/state-machine/event.ts'
import type { AttemptSpec } from '../../ports/executor.ts'

export interface CommandLine {
  /** Program first. A text command is `/bin/sh -c <text>`. */
  readonly argv: readonly [string, ...string[]]
  /** Params beside `command` and `cwd`. */
  readonly params: JsonObject
  readonly cwd?: string
}

/** Params that say what is run, and are no input of it. */
const OWN_PARAMS = new Set(['command', 'cwd'])

/** Reads `params.command` and `params.cwd`. */
export function readCommand({ params }: Pick<AttemptSpec, 'params'>): CommandLine | AttemptError {
  const { command, cwd } = params
  const rest: JsonObject = {}
  for (const [name, value] of Object.entries(params)) if (!OWN_PARAMS.has(name)) rest[name] = value
  if (cwd !== undefined && typeof cwd !== 'string')
    return invalid(`params.cwd is ${describe(cwd)}; expected the path of a folder as text`)
  const place = cwd === undefined ? {} : { cwd }
  if (typeof command === 'string') {
    if (command.trim() === '') return invalid('params.command is empty; expected a shell command')
    return checkNul({ argv: ['/bin/sh', '-c', command], params: rest, ...place })
  }
  if (!Array.isArray(command) || command.length === 0)
    return invalid(
      `params.command is ${describe(command)}; expected a text for /bin/sh, or a list such as ["python3", "report.py"]`,
    )
  const argv = command.map(word => (typeof word === 'number' ? String(word) : word))
  const strange = argv.findIndex(word => typeof word !== 'string')
  if (strange >= 0)
    return invalid(
      `params.command[${strange}] is ${describe(command[strange])}; expected text (put it in quotes)`,
    )
  return checkNul({ argv: argv as [string, ...string[]], params: rest, ...place })
}

/** The whole environment of a command, or why it cannot be made. May write `params.json` into `directory`. */
export function buildEnvironment(
  spec: AttemptSpec,
  params: JsonObject,
  { base, cookie, directory }: { base: Environment; cookie: string; directory: string },
): Environment | AttemptError {
  const refused = findRefused(spec.env)
  if (refused !== undefined)
    return {
      kind: 'env_denied',
      message: `env.${refused.name} may not be set: ${refused.why}; set it inside the command: env ${refused.name}=… program`,
    }
  const json = JSON.stringify(params)
  const environment: Environment = {
    ...base,
    ...spec.env,
    ...exportParams(params),
    ...describeAttempt(spec, cookie),
  }
  if (Buffer.byteLength(json) <= LONGEST_PARAMS_JSON) environment['DAGBOK_PARAMS'] = json
  else {
    const file = join(directory, 'params.json')
    writeFileSync(file, json, { mode: 0o600 })
    environment['DAGBOK_PARAMS_FILE'] = file
  }
  return environment
}

/** True for the failure that these functions return in place of a result. */
export function isAttemptError(value: object): value is AttemptError {
  return 'kind' in value && 'message' in value && Object.keys(value).length === 2
}

function checkNul(line: CommandLine): CommandLine | AttemptError {
  const at = [...line.argv, line.cwd ?? ''].findIndex(text => text.includes('\0'))
  if (at >= 0)
    return invalid('params.command or params.cwd holds a NUL character; no program can be given one')
  return line
}

function invalid(message: string): AttemptError {
  return { kind: 'invalid_params', message }
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`
}
