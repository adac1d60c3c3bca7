// Clients as they are now: who is provisioned is found, who is gone is not.

import type { ClientSource } from '../core/client/client.ts'

export interface ClientFinder {
  /**
   * Names, as they stand there, in order, each once; nothing is excluded yet. Nothing else is changed or kept.
   * @throws Error with words for people if nobody can say: no such folder, a database that does not answer
   */
  find(source: ClientSource, occasion: { readonly tenantId: string }, signal: AbortSignal): Promise<string[]>
}
