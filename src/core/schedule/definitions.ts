// The definitions in force: one consistent set, replaced as a whole, never changed.

import type { Calendar } from '../calendar/calendar.ts'
import type { Dag } from '../dag/dag.ts'
import type { Channels } from '../notification/channel.ts'
import type { Pools } from './pool.ts'
import type { Schedule } from './schedule.ts'

export interface Definitions {
  readonly schedules: ReadonlyMap<string, Schedule>
  /** By name. Every `dagName` of `schedules` is here. */
  readonly dags: ReadonlyMap<string, Dag>
  /** By name. Every calendar that another one includes is here. */
  readonly calendars: ReadonlyMap<string, Calendar>
  /** Every `pool` of `schedules` is here. */
  readonly pools: Pools
  /** Every channel that `dags` name is here. */
  readonly channels: Channels
}

export const NO_DEFINITIONS: Definitions = {
  schedules: new Map(),
  dags: new Map(),
  calendars: new Map(),
  pools: new Map(),
  channels: new Map(),
}
