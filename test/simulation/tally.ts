// Adds up what many seeds did, and refuses to call a run good in which a fault that it is about never happened.

import type { SeedResult } from './plan.ts'

export type Totals = Record<string, number>

export class Tally {
  readonly totals: Totals = {}
  readonly failed: SeedResult[] = []
  seeds = 0

  add(result: SeedResult): void {
    this.seeds += 1
    for (const part of [result.counts, result.disk, result.machine]) {
      for (const [name, count] of Object.entries(part)) this.totals[name] = (this.totals[name] ?? 0) + count
    }
    if (result.findings.length > 0) this.failed.push(result)
  }

  get crashPoints(): number {
    return this.totals['crashPoints'] ?? 0
  }

  /** Faults that never happened; a proof in which they did not happen proves nothing. */
  missing(faults: readonly string[] = FAULTS): string[] {
    return faults.filter(name => (this.totals[name] ?? 0) === 0)
  }
}

/** Every fault and every rare path that a run of some thousand crash points has to have seen. */
export const FAULTS = [
  'crashesInOperation',
  'powerCuts',
  'tornWrites',
  'tornTails',
  'shortWrites',
  'fullWrites',
  'failedSyncs',
  'failedWrites',
  'failedReads',
  'lostPages',
  'lostNames',
  'nulTails',
  'exits74',
  'clockSteps',
  'sleeps',
  'rollsFinished',
  'cleanStops',
  'reloads',
  'notificationsSent',
  'notificationsNotSent',
  'brokenReloads',
  'adopted',
  'foundEnded',
  'lost',
  'cancelled',
  'strayReports',
  'blobOutputs',
  'acknowledged',
  'stateChecks',
  'indexChecks',
  'polls',
  'streamsRead',
  'fanOuts',
  'suspendedClients',
  'skipped',
  'stopped',
  'filesConsumed',
  'filesReleased',
  'filesForgotten',
  'recordsCommitted',
  'recordsReleased',
  'takenAgain',
  'clientsFound',
  'runsPartial',
  'runsSkipped',
  'rulesSkipped',
  'notContinued',
]

/** `name count`, in columns. */
export function formatTotals(totals: Totals): string {
  return Object.entries(totals)
    .map(([name, count]) => `${name} ${count}`.padEnd(28))
    .reduce((text, cell, index) => text + (index % 4 === 0 ? `\n  ${cell}` : cell), '')
}
