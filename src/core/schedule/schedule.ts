// A schedule: when its DAG is due, and what happens to the slots that could not run in time.

import type { CronSchedule } from '../cron/cron.ts'

/** What happens to slots that passed while nothing could decide them (DESIGN §5.1). */
export type Catchup = 'none' | 'latest' | 'all'

/** What happens to a slot that comes while a run of the same schedule is enqueued or running. */
export type Overlap = 'skip' | 'allow' | 'queue'

/** The texts that fix a schedule's slots. They stand in the journal, so that old slots can be counted after an edit. */
export interface Timing {
  readonly cron: string
  readonly timezone: string
}

export interface Schedule {
  readonly id: string
  readonly timing: Timing
  /** `timing`, compiled. Schedules with the same texts share one. */
  readonly slots: CronSchedule
  readonly dagName: string
  readonly tenantId: string
  readonly enabled: boolean
  readonly catchup: Catchup
  readonly catchupWindowMs: number
  readonly maxCatchup: number
  readonly overlap: Overlap
}
