// What happened in a world, counted.

import type { JournalLine } from './journal-text.ts'

export interface WorldCounts {
  boots: number
  /** Deaths of a process: in the middle of a disk operation, or between two turns. */
  crashPoints: number
  crashesInOperation: number
  powerCuts: number
  cleanStops: number
  tornTails: number
  recoveries: number
  rollsFinished: number
  exits74: number
  refusedBoots: number
  clockSteps: number
  sleeps: number
  diskFull: number
  reloads: number
  brokenReloads: number
  triggers: number
  cancels: number
  records: number
  statuses: number
  refusals: number
  acknowledged: number
  notificationsSent: number
  notificationsNotSent: number
  events: number
  segments: number
  stateChecks: number
  indexChecks: number
  filesConsumed: number
  filesReleased: number
  filesForgotten: number
  recordsCommitted: number
  recordsReleased: number
  takenAgain: number
  clientsFound: number
  runsPartial: number
  runsSkipped: number
  rulesSkipped: number
  notContinued: number
}

export function noCounts(): WorldCounts {
  return {
    boots: 0,
    crashPoints: 0,
    crashesInOperation: 0,
    powerCuts: 0,
    cleanStops: 0,
    tornTails: 0,
    recoveries: 0,
    rollsFinished: 0,
    exits74: 0,
    refusedBoots: 0,
    clockSteps: 0,
    sleeps: 0,
    diskFull: 0,
    reloads: 0,
    brokenReloads: 0,
    triggers: 0,
    cancels: 0,
    records: 0,
    statuses: 0,
    refusals: 0,
    acknowledged: 0,
    notificationsSent: 0,
    notificationsNotSent: 0,
    events: 0,
    segments: 0,
    stateChecks: 0,
    indexChecks: 0,
    filesConsumed: 0,
    filesReleased: 0,
    filesForgotten: 0,
    recordsCommitted: 0,
    recordsReleased: 0,
    takenAgain: 0,
    clientsFound: 0,
    runsPartial: 0,
    runsSkipped: 0,
    rulesSkipped: 0,
    notContinued: 0,
  }
}

/** What only the journal tells. */
export function countEvents(counts: WorldCounts, lines: readonly JournalLine[]): void {
  for (const { event, ...line } of lines) {
    const { reason, status } = line as { reason?: unknown; status?: unknown }
    if (line['source'] === 'user') continue
    if (event === 'files_consumed') counts.filesConsumed += line['files'] as number
    else if (event === 'files_released') counts.filesReleased += line['files'] as number
    else if (event === 'files_forgotten') counts.filesForgotten += (line['keys'] as string[]).length
    else if (event === 'stream_committed') counts.recordsCommitted += 1
    else if (event === 'stream_released') counts.recordsReleased += 1
    else if (event === 'clients_found') counts.clientsFound += (line['clients'] as string[]).length
    else if (event === 'run_finished' && status === 'partial') counts.runsPartial += 1
    else if (event === 'run_finished' && status === 'skipped') counts.runsSkipped += 1
    else if (event === 'task_skip' && reason === 'trigger_rule') counts.rulesSkipped += 1
    else if (event === 'task_skip' && reason === 'not_continued') counts.notContinued += 1
    else if (event === 'task_lost' && line['overtaken'] === true) counts.takenAgain += 1
  }
}
