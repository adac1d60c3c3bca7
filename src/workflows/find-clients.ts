// Finds the clients of a fan-out, at the moment of its run: who is there now, without those who are excluded. A name that
// could be no id stops the run, since leaving a client out would be worse; so does a number of clients past all limits.

import { CLIENTS_MAX } from '../core/client/client.ts'
import { checkId } from '../core/ids.ts'
import { clip } from '../core/json.ts'
import type { ClientFinder } from '../ports/client-finder.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptOutcome, Executor } from '../ports/executor.ts'
import { createInProcessExecutor } from './in-process.ts'

/** Of a message; the journal keeps about as much. */
const NAMES_CHARACTERS = 3_000

/** For attempts with `fanOut`, whatever their workflow is. */
export function createClientsExecutor({ clock, clients }: { clock: Clock; clients: ClientFinder }): Executor {
  return createInProcessExecutor(clock, {
    what: 'finding the clients',
    errorKind: 'clients_unknown',
    async perform({ fanOut, tenantId }, signal) {
      if (fanOut === undefined) throw new Error('nobody says where the clients are')
      const found = await clients.find(fanOut.source, { tenantId }, signal)
      const excluded = new Set(fanOut.exclude.map(name => name.toLowerCase()))
      return judge(found.filter(name => !excluded.has(name.toLowerCase())))
    },
  })
}

function judge(clients: readonly string[]): AttemptOutcome {
  if (clients.length > CLIENTS_MAX)
    return failed(
      'clients_too_many',
      `${clients.length} clients were found, at most ${CLIENTS_MAX} can be served`,
    )
  const faults = clients.flatMap(name => {
    const fault = checkId(name)
    return fault === undefined ? [] : [`${JSON.stringify(clip(name, 100))}: ${fault}`]
  })
  if (faults.length === 0) return { kind: 'clients', clients }
  const words = clip(faults.join('; '), NAMES_CHARACTERS)
  return failed('client_names', `no ids, and so no clients: ${words}. Rename them or name them in exclude`)
}

function failed(kind: string, message: string): AttemptOutcome {
  return { kind: 'failed', error: { kind, message } }
}
