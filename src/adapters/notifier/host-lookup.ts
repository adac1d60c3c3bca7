// Names of hosts → their addresses, two at a time: lookups take threads of the pool that writes the journal, and a name
// server that hangs must not take them all.

import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import PQueue from 'p-queue'

export type HostLookup = (hostname: string, stop: AbortSignal) => Promise<LookupAddress[]>

/** Rejects with the reason of `stop` when that comes first; those who ask for the same name wait for the same answer. */
export function createHostLookup(): HostLookup {
  const queue = new PQueue({ concurrency: 2 })
  const underWay = new Map<string, Promise<LookupAddress[]>>()
  return async (hostname, stop) => {
    const host = hostname.replace(/^\[|\]$/g, '')
    const family = isIP(host)
    if (family !== 0) return [{ address: host, family }]
    const asked =
      underWay.get(host) ?? queue.add(() => lookup(host, { all: true })).finally(() => underWay.delete(host))
    underWay.set(host, asked)
    const stopped = Promise.withResolvers<never>()
    const end = () => stopped.reject(stop.reason)
    if (stop.aborted) end()
    stop.addEventListener('abort', end, { once: true })
    try {
      return await Promise.race([asked, stopped.promise])
    } finally {
      stop.removeEventListener('abort', end)
    }
  }
}
