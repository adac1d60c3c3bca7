// What a world is made with, and one process of the scheduler in it.

import type { Disk } from '../../src/adapters/jsonl/disk.ts'
import type { openJournal } from '../../src/adapters/jsonl/journal.ts'
import type { Definitions } from '../../src/core/schedule/definitions.ts'
import type { SchedulerMode } from '../../src/core/state-machine/event.ts'
import { emptyState, type State } from '../../src/core/state-machine/state.ts'
import type { Daemon } from '../../src/daemon/daemon.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Worker, WorkerReports } from '../../src/ports/worker.ts'
import type { Chance } from './chance.ts'
import type { World } from './world.ts'

/** Where a planted bug gets in. Production has none of these: they wrap what the world passes to the scheduler. */
export interface Hooks {
  wrapDisk?(disk: Disk, world: World): Disk
  openJournal?(
    open: typeof openJournal,
    options: Parameters<typeof openJournal>[0],
    world: World,
  ): ReturnType<typeof openJournal>
  wrapJournal?(journal: Journal, life: Life, world: World): Journal
  afterFold?(state: State, world: World): void
  wrapDefinitions?(definitions: Definitions, world: World): Definitions
  wrapReports?(reports: WorkerReports, life: Life): WorkerReports
}

export interface WorldOptions {
  readonly seed: number
  readonly chance: Chance
  readonly limits: { maxParallel: number; maxTasks: number }
  readonly segmentBytes: number
  readonly tickMs: number
  readonly definitions: Definitions
  readonly hooks?: Hooks
  /** Gets a line for everything that happens. */
  log?(line: string): void
}

/** One process of the scheduler. */
export class Life {
  readonly number: number
  readonly mode: SchedulerMode
  state: State = emptyState()
  daemon: Daemon | undefined
  journal: Journal | undefined
  worker: Worker | undefined
  isReady = false
  /** It is over: nothing that it still does counts. */
  isOver = false
  exit: { code: number; name: string } | undefined
  stopped = false
  /** Set when `once` or `run` has done its work. */
  isDone = false

  constructor(number: number, mode: SchedulerMode) {
    this.number = number
    this.mode = mode
  }
}
