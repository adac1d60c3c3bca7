// What an expression in CEL may name: one list of variables and functions, for the check at load and for the answer.
//
//   E1. The check and the evaluation use the same environment: what is let through has an answer.
//   E2. An expression cannot hold up the scheduler: it has at most 500 nodes, goes 40 deep, and names only the functions
//       listed here. `matches` is not among them (its time doubles with each character), nor is what makes longer texts
//       or lists out of short ones; a macro inside a macro is refused (cel-check.ts).

import { Environment } from '@marcbachmann/cel-js'
import { DAY_MS } from '../core/time/instant.ts'

/** How far back `signal("name")` looks if it does not say. */
export const SIGNAL_WITHIN_MS = DAY_MS

const TIMESTAMP = 'google.protobuf.Timestamp'

/** Name → type, as CEL calls it. */
const VARIABLES = {
  slot: TIMESTAMP,
  date: 'string',
  schedule: 'string',
  tenant: 'string',
  dag: 'string',
  weekday: 'int',
  hour: 'int',
  day: 'int',
  month: 'int',
  year: 'int',
} as const

export type CelVariable = keyof typeof VARIABLES

export const CEL_VARIABLES = Object.keys(VARIABLES) as readonly CelVariable[]

/** The client, in the conditions of one; in others it has no value, and the check refuses it. */
export const CEL_CLIENT = 'client_id'

/** Functions of ours: they ask the run index and the journal. */
export const CEL_QUESTIONS = ['last_run', 'signal'] as const

/** Functions and macros of the language that may be named. */
export const CEL_FUNCTIONS: ReadonlySet<string> = new Set([
  ...CEL_QUESTIONS,
  ...['size', 'int', 'double', 'string', 'bool', 'timestamp', 'duration'],
  ...['startsWith', 'endsWith', 'contains', 'lowerAscii', 'upperAscii', 'trim'],
  ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
  ...['all', 'exists', 'exists_one'],
])

/** Macros that bind a name: they look at each element of a list. */
export const CEL_MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one'])

/** The last finished run of a schedule, as an expression sees it. Of none: empty texts, and the beginning of 1970. */
export class LastRun {
  readonly status: string
  readonly run_id: string
  readonly cause: string
  readonly slot: Date
  readonly started_at: Date
  readonly finished_at: Date

  constructor(
    run: { [Field in 'status' | 'run_id' | 'cause']: string } & {
      [Field in 'slot' | 'started_at' | 'finished_at']: string | null
    },
  ) {
    this.status = run.status
    this.run_id = run.run_id
    this.cause = run.cause
    this.slot = new Date(run.slot ?? 0)
    this.started_at = new Date(run.started_at ?? 0)
    this.finished_at = new Date(run.finished_at ?? 0)
  }

  static none(): LastRun {
    return new LastRun({
      status: '',
      run_id: '',
      cause: '',
      slot: null,
      started_at: null,
      finished_at: null,
    })
  }
}

/** What answers when an expression calls a function of ours. */
export interface CelWorld {
  lastRun(scheduleId: string): Promise<LastRun>
  /** @param within a duration as in YAML; undefined: SIGNAL_WITHIN_MS */
  signal(name: string, within: string | undefined): Promise<boolean>
}

export function createCelEnvironment(world: CelWorld): Environment {
  const environment = new Environment({ limits: { maxAstNodes: 500, maxDepth: 40, maxListElements: 100 } })
  for (const [name, type] of Object.entries(VARIABLES)) environment.registerVariable(name, type)
  environment.registerVariable(CEL_CLIENT, 'string')
  return environment
    .registerType('Run', {
      ctor: LastRun,
      fields: {
        status: 'string',
        run_id: 'string',
        cause: 'string',
        slot: TIMESTAMP,
        started_at: TIMESTAMP,
        finished_at: TIMESTAMP,
      },
    })
    .registerFunction('last_run(string): Run', (id: string) => world.lastRun(id), { async: true })
    .registerFunction('signal(string): bool', (name: string) => world.signal(name, undefined), {
      async: true,
    })
    .registerFunction(
      'signal(string, string): bool',
      (name: string, within: string) => world.signal(name, within),
      { async: true },
    )
}
