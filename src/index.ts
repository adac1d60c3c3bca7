// The library: what `import … from 'dagbok'` gives. A face of the house, like the command line, and as thin.
//
//   - Settings are the command line's: environment, `dagbok.yaml` of the root, defaults (docs/guides/cli.md).
//   - What changes the state goes to the running scheduler, or holds the state for a moment itself.

import { createClient } from './api/client.ts'
import { createHistory, INDEX_BY_LIMIT, LAST_RUNS_LIMIT } from './api/history.ts'
import { reach } from './api/reach.ts'
import { openReader, openSession } from './compose.ts'
import { loadSettings, type Settings } from './config.ts'
import type { JsonObject } from './core/json.ts'
import type { Event } from './core/state-machine/event.ts'

export { CronError } from './core/cron/cron-error.ts'
export { cron, type Upcoming, type UpcomingOptions } from './core/cron/upcoming.ts'
export { DagbokError, EXIT, type ExitCode } from './core/error.ts'
export type { Json, JsonObject } from './core/json.ts'
export type { Event, EventName, UserEvent } from './core/state-machine/event.ts'
export { defineWorkflow, type Workflow, type WorkflowContext } from './workflows/define-workflow.ts'

export interface LibraryOptions {
  /** What relative paths count from. Default: the working directory. */
  readonly root?: string
  /** Default: `process.env`. STATE_STORE_PATH says which journal. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Records a fact of the user's own in the journal: `event` and any JSON beside it. Durable when it resolves.
 * @returns the line's place in the journal
 * @throws DagbokError RECORD_INVALID, DISK_FULL, LOCK_HELD, or the journal's own
 */
export async function recordEvent(
  fields: { event: string } & JsonObject,
  options: LibraryOptions = {},
): Promise<{ seq: number }> {
  const settings = await settle(options)
  const ways = {
    connect: () => createClient({ socketPath: settings.socketPath }),
    open: () => openSession(settings, 'command'),
  }
  return (await reach(ways, control => control.record({ fields }))).answer
}

/** The last `limit` events of the journal, oldest first. */
export async function lastRuns(
  limit: number = LAST_RUNS_LIMIT,
  options: LibraryOptions = {},
): Promise<Event[]> {
  return (await readHistory(limit, options)).list()
}

/** Among the last `limit` events: for each value of the field `key` the last event that has it. */
export async function indexBy(
  key: string,
  limit: number = INDEX_BY_LIMIT,
  options: LibraryOptions = {},
): Promise<Map<string, Event>> {
  return (await readHistory(limit, options)).indexBy(key)
}

async function readHistory(limit: number, options: LibraryOptions) {
  const reader = await openReader(await settle(options))
  try {
    // What the journal writes about itself does not count, and a checkpoint may be many lines: look back until there
    // are enough.
    for (let asked = limit; ; asked *= 2) {
      const events = reader.index.events({ limit: asked })
      const history = createHistory(limit)
      for (const event of events.toReversed()) history.push(event)
      if (history.list().length === limit || events.length < asked) return history
    }
  } finally {
    reader.close()
  }
}

async function settle({ root, env = process.env }: LibraryOptions): Promise<Settings> {
  const flags = root === undefined ? {} : { root }
  return (await loadSettings({ flags, env, cwd: process.cwd() })).settings
}
