// The definitions in force: one consistent set, replaced as a whole, never changed.

import type { Dag } from '../dag/dag.ts'
import type { Schedule } from './schedule.ts'

export interface Definitions {
  readonly schedules: ReadonlyMap<string, Schedule>
  /** By name. Every `dagName` of `schedules` is here. */
  readonly dags: ReadonlyMap<string, Dag>
}

export const NO_DEFINITIONS: Definitions = { schedules: new Map(), dags: new Map() }
