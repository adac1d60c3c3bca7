// Which of the types of a DAG the end of a run answers to.
//
//   P1. One occasion is told once to each channel, under the type that says most of it.
//   P2. A streak is counted over runs that succeeded or failed; skipped and cancelled ones neither break nor extend it.

import type { NotificationType, Notification as Policy } from '../dag/notification.ts'
import type { RunStatus } from '../state-machine/event.ts'

export function isFailure(status: RunStatus): boolean {
  return status === 'failed' || status === 'partial'
}

/**
 * The type under which the end of a run is told; undefined: nobody is told.
 * @param failures  runs of this DAG that had failed one after the other: this one included if it failed, before it if not
 */
export function typeOfEnd(
  { types, failuresInRow }: Policy,
  status: RunStatus,
  failures: number,
): NotificationType | undefined {
  const wanted: NotificationType[] = []
  if (status === 'success') {
    // What was never told as an error needs no word of its recovery.
    if (failures >= failuresInRow) wanted.push('ON_RECOVERY')
    wanted.push('ON_SUCCESS')
  } else if (isFailure(status)) {
    if (failures >= failuresInRow) wanted.push('ON_ERROR')
  } else if (status === 'skipped') wanted.push('ON_SKIP')
  wanted.push('ALWAYS')
  return wanted.find(type => types.includes(type))
}
