// The shapes of what crosses the control socket, checked. Loaded by the daemon only: zod takes longer to load than a
// command takes to run. Limits and meanings are the keeper's to judge: it must say the same to whoever asks in process.

import { z } from 'zod'
import { DagbokError, EXIT } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type {
  CancelRequest,
  EventFilter,
  PauseRequest,
  RecordRequest,
  ResumeRequest,
  RunSlotRequest,
  SkipRequest,
  TriggerRequest,
} from './control.ts'
import type { Verb } from './wire.ts'

const jsonObject = z.record(z.string(), z.json()) as unknown as z.ZodType<JsonObject>
const word = z.string().min(1).max(1024)

export const triggerRequest = z
  .strictObject({
    dag: word.optional(),
    file: z.string().min(1).max(4096).startsWith('/', 'expected an absolute path').optional(),
    params: jsonObject.optional(),
    cause: word,
  })
  .refine(({ dag, file }) => (dag === undefined) !== (file === undefined), 'expected either dag or file')

const reason = z.string().max(4096)
const moment = z.string().min(1).max(40)

export const runSlotRequest = z.strictObject({ schedule_id: word, slot: moment, cause: word })

export const pauseRequest = z
  .strictObject({
    schedule_id: word.optional(),
    reason,
    until: moment.optional(),
    for_ms: z.number().int().min(1).optional(),
  })
  .refine(
    ({ until, for_ms }) => until === undefined || for_ms === undefined,
    'expected until or for_ms, not both',
  )

export const resumeRequest = z.strictObject({ schedule_id: word.optional(), reason })

export const skipRequest = z.strictObject({ schedule_id: word, slot: moment.optional(), reason })

export const cancelRequest = z.strictObject({ run_id: word, reason })

export const recordRequest = z.strictObject({ fields: jsonObject })

export const eventFilter = z.strictObject({
  after_seq: z.number().int().min(0).optional(),
  run_id: word.optional(),
  event: word.optional(),
})

const nothing = z.strictObject({})

const REQUESTS = {
  trigger: triggerRequest,
  run_slot: runSlotRequest,
  pause: pauseRequest,
  resume: resumeRequest,
  skip: skipRequest,
  unskip: skipRequest,
  cancel: cancelRequest,
  record: recordRequest,
  status: nothing,
  reload: nothing,
} as const satisfies Record<Verb, z.ZodType>

interface RequestOf {
  trigger: TriggerRequest
  run_slot: RunSlotRequest
  pause: PauseRequest
  resume: ResumeRequest
  skip: SkipRequest
  unskip: SkipRequest
  cancel: CancelRequest
  record: RecordRequest
  status: Record<never, never>
  reload: Record<never, never>
}

/** A request that is not what its verb takes (exit 2). */
export class ControlRequestError extends DagbokError {
  constructor(message: string) {
    super('CONTROL_REQUEST_INVALID', message, {
      exitCode: EXIT.usage,
      hint: 'docs/guides/cli.md shows what each verb takes',
    })
  }
}

/**
 * What a peer sent for a verb, if it is that.
 * @throws ControlRequestError naming every field that is wrong
 */
export function checkRequest<V extends Verb>(verb: V, body: unknown): RequestOf[V] {
  return check(`the request to ${verb}`, REQUESTS[verb], body) as RequestOf[V]
}

/** @throws ControlRequestError */
export function checkFilter(query: URLSearchParams): EventFilter {
  const raw: Record<string, unknown> = Object.fromEntries(query)
  if (typeof raw['after_seq'] === 'string' && /^\d{1,15}$/.test(raw['after_seq'])) {
    raw['after_seq'] = Number(raw['after_seq'])
  }
  return check('the filter of events', eventFilter, raw) as EventFilter
}

function check(what: string, schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const wrong = result.error.issues.map(issue => {
    const place = issue.path.join('.')
    return place === '' ? issue.message : `${place}: ${issue.message}`
  })
  throw new ControlRequestError(`${what} is not valid: ${wrong.join('; ')}`)
}
