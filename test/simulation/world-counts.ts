// What happened in a world, counted.

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
  }
}
