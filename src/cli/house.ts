// What the command line asks of the composition: the one seam between floor 5 and floor 4. Commands take it from their
// context, so that a test can hand them a small one.

import type { Session } from '../api/session.ts'
import type { Settings } from '../config.ts'
import type { Dag } from '../core/dag/dag.ts'
import type { Stage } from '../core/stage/stage.ts'
import type { Event, SchedulerMode } from '../core/state-machine/event.ts'
import type { DefinitionProblem, LoadResult } from '../ports/definition-source.ts'
import type { LockHolder } from '../ports/lock.ts'
import type { LogStore } from '../ports/log-store.ts'
import type { Notifier } from '../ports/notifier.ts'
import type { RunIndex } from '../ports/run-index.ts'
import type { ServiceManager } from '../ports/service-manager.ts'

/** Reads beside a daemon, without the lock. */
export interface Reader {
  /** At the journal's end as it was when the reader was opened. */
  readonly index: RunIndex
  readonly logs: LogStore
  /** The journal's events after `afterSeq` (default: all that are kept), then ends. */
  events(afterSeq?: number): AsyncIterable<Event>
  /** The same, and then each new one, until the signal fires. Survives rolls. */
  follow(afterSeq: number, signal: AbortSignal): AsyncIterable<Event>
  close(): void | Promise<void>
}

export interface HolderReport {
  /** Who holds the state, or held it last, as far as anybody knows. */
  readonly holder: LockHolder | undefined
  readonly alive: boolean
}

export interface JournalReport {
  readonly segments: readonly {
    readonly file: string
    readonly lines: number
    readonly firstSeq: number
    readonly lastSeq: number
    readonly bytes: number
    readonly ok: boolean
  }[]
  readonly problems: readonly {
    readonly file: string
    readonly line: number
    readonly offset: number
    readonly reason: string
  }[]
}

export interface House {
  /** @throws LockHeldError (exit 5), DefinitionsInvalidError (exit 3), journal errors (exit 74, 78) */
  openSession(settings: Settings, mode: SchedulerMode): Promise<Session>
  /** Everything under the configured folders; never throws for what a file says. */
  loadDefinitions(settings: Settings): Promise<LoadResult>
  /** Where each schedule stands in the files, by its id. */
  locateSchedules(
    settings: Settings,
  ): Promise<ReadonlyMap<string, { readonly file: string; readonly line: number; readonly column: number }>>
  loadDagFile(
    settings: Settings,
    file: string,
  ): Promise<{ ok: true; dag: Dag } | { ok: false; problems: readonly DefinitionProblem[] }>
  /** @throws DagbokError JOURNAL_MISSING (exit 4) if nothing was ever written */
  openReader(settings: Settings): Promise<Reader>
  /** What is wrong with each of these stages, in words; undefined where nothing is. Changes nothing. */
  inspectStages(settings: Settings, stages: readonly Stage[]): Promise<readonly (string | undefined)[]>
  /** What carries messages to channels. */
  createNotifier(settings: Settings): Notifier
  readHolder(settings: Settings): HolderReport | Promise<HolderReport>
  verifyJournal(settings: Settings): Promise<JournalReport>
  rebuildIndex(settings: Settings): Promise<{ events: number; durationMs: number }>
  /** Tells systemd how the service does; does nothing where there is none. */
  openServiceManager(env: Readonly<Record<string, string | undefined>>): ServiceManager
}
