// The composition: the only file that names adapters. Wiring, one page, no policy.
//
//   - `openSession` holds the state: lock, journal, worker, control socket; in that order, let go in the reverse.
//   - `openReader` holds nothing: it reads beside a running scheduler.

import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readIdentity } from './adapters/child-process/process-identity.ts'
import { createProcesses } from './adapters/child-process/processes.ts'
import { createShellExecutor } from './adapters/child-process/shell-executor.ts'
import { createFileWatch } from './adapters/chokidar/file-watcher.ts'
import { createClientFinder } from './adapters/clients/finder.ts'
import { createConditionProbe } from './adapters/condition-probe/probe.ts'
import { createPostgresReader } from './adapters/database/postgres.ts'
import { createSqliteReader } from './adapters/database/sqlite.ts'
import { createLogStore } from './adapters/filesystem/log-store.ts'
import { openBlobStore } from './adapters/jsonl/blob-store.ts'
import { openJournal } from './adapters/jsonl/journal.ts'
import { readEvents } from './adapters/jsonl/reader.ts'
import { UnwrittenJournal } from './adapters/jsonl/unwritten-journal.ts'
import { createQueue } from './adapters/p-queue/queue.ts'
import { createIndexFollower } from './adapters/sqlite/follower.ts'
import { acquireLock, readHolder as readLockHolder } from './adapters/sqlite/lock.ts'
import { inspectStages } from './adapters/stages/inspection.ts'
import { openStages } from './adapters/stages/stages.ts'
import { createFileStreamReader } from './adapters/stream-file/reader.ts'
import { createTableStreamReader } from './adapters/stream-table/reader.ts'
import { systemClock } from './adapters/system/clock.ts'
import { createHeapTidier } from './adapters/system/heap-tidier.ts'
import { systemRandom } from './adapters/system/random.ts'
import { openSystemd } from './adapters/system/systemd-notify.ts'
import { createTaskFeed } from './adapters/task-feed/feed.ts'
import { createFunctionExecutor } from './adapters/worker-pool/function-executor.ts'
import type { Session } from './api/session.ts'
import { createNotifier, openHttp, openSocket } from './composition/doors.ts'
import { indexFile, type Note, openSource, retain } from './composition/files.ts'
import type { Settings } from './config.ts'
import { WRAPPER_WORKFLOWS } from './core/dag/manifest.ts'
import { DagbokError, EXIT } from './core/error.ts'
import { Agenda } from './core/planner/agenda.ts'
import { NO_DEFINITIONS } from './core/schedule/definitions.ts'
import { replay } from './core/state-machine/checkpoint.ts'
import { isUserEvent, type SchedulerMode } from './core/state-machine/event.ts'
import { emptyState } from './core/state-machine/state.ts'
import type { Stream } from './core/stream/stream.ts'
import { parseInstant } from './core/time/instant.ts'
import { Daemon } from './daemon/daemon.ts'
import { startHousekeeping } from './daemon/housekeeping.ts'
import { DefinitionsInvalidError } from './definition/problem.ts'
import { JournalFullError } from './ports/journal.ts'
import type { StreamReader } from './ports/stream-reader.ts'
import { VERSION } from './version.ts'
import { createWorker } from './worker/worker.ts'
import { withClientConditions } from './workflows/client-conditions.ts'
import { createStreamConsumer } from './workflows/consume-stream.ts'
import { createClientsExecutor } from './workflows/find-clients.ts'
import { createHttpExecutor } from './workflows/http.ts'
import { createPollExecutor } from './workflows/poll-and-dispatch.ts'
import { createRootTaskWrapper } from './workflows/root-task-wrapper.ts'

/** How long `--serve` waits for a command or a foreground run that holds the state for a moment. */
const WAIT_FOR_HOLDER_MS = 30_000

/** How often it is looked whether old segments may go. */
const RETAIN_EVERY_MS = 3_600_000

/** Runs that are over. */
const ENDED = ['success', 'failed', 'partial', 'skipped', 'cancelled'] as const

/** Events of one name that are looked at for the last that a user recorded: the scheduler's own may have that name too. */
const SIGNALS_SEEN_MAX = 100

/** What a condition has started is given this long to end at a stop. */
const PROBE_GRACE_MS = 3_000

export interface SessionOptions {
  /** Default: stderr. */
  readonly note?: Note
}

/**
 * Takes the state and opens a scheduler on it.
 * @throws LockHeldError (5), DefinitionsInvalidError (3), journal errors (74, 78)
 */
export async function openSession(
  settings: Settings,
  mode: SchedulerMode,
  options: SessionOptions = {},
): Promise<Session> {
  const note = options.note ?? ((_level, message) => process.stderr.write(`${message}\n`))
  const source = openSource(settings, note)
  const loaded = await source.load()
  const plans = mode === 'serve' || mode === 'once'
  if (!loaded.ok && plans) throw new DefinitionsInvalidError(loaded.problems)
  const definitions = loaded.ok ? loaded.definitions : NO_DEFINITIONS

  const self = readIdentity(process.pid)
  const lock = await acquireLock({
    directory: settings.stateDir,
    waitMs: waitFor(settings, mode),
    holder: {
      pid: process.pid,
      host: hostname(),
      boot_id: self?.bootId ?? '',
      start_ticks: self?.startTicks ?? 0,
      started_at: new Date().toISOString(),
      version: VERSION,
      mode,
    },
  })
  try {
    return await openLocked()
  } catch (error) {
    lock.release()
    throw error
  }

  async function openLocked(): Promise<Session> {
    const state = emptyState()
    const { journal } = await openJournal({
      path: settings.statePath,
      now: systemClock.now,
      onEvent: event => replay(state, event),
      isLockHeld: () => lock.isHeld(),
      segmentBytes: settings.segmentBytes,
      unsafeNetworkFs: settings.unsafeNetworkFs,
    })
    const logs = createLogStore({ root: settings.stateDir, limitBytes: settings.logLimitBytes })
    const read = (afterSeq: number) => readEvents(settings.statePath, { afterSeq })
    const queue = createQueue({ concurrency: settings.maxTasks })
    const world = {
      clock: systemClock,
      logs,
      processes: createProcesses({ journalId: journal.journalId }),
      environment: process.env,
      killGraceMs: settings.killGraceMs,
    }
    const functions = createFunctionExecutor({
      ...world,
      workflowsDir: settings.workflowsDir,
      memoryLimitMb: settings.memoryLimitMb,
      maxWorkers: settings.maxTasks,
    })
    const index = createIndexFollower({
      file: indexFile(settings),
      journalId: journal.journalId,
      readEvents: ({ afterSeq }) => read(afterSeq),
      onRebuild: (reason, detail) => {
        if (reason !== 'missing') note('warn', `the run index is built again: ${detail}`)
      },
    })
    const probe = createConditionProbe({
      root: settings.root,
      now: systemClock.now,
      lastRun: async scheduleId => {
        const { runs } = await index.upTo(journal.lastSeq)
        return runs({ scheduleId, status: ENDED, limit: 1 })[0]
      },
      lastSignal: async (event, since) => {
        const { events } = await index.upTo(journal.lastSeq)
        return events({ event, limit: SIGNALS_SEEN_MAX }).find(
          found => isUserEvent(found) && parseInstant(found.timestamp) >= parseInstant(since),
        )
      },
    })
    const stages = openStages({
      root: settings.root,
      clock: systemClock,
      note: message => note('warn', message),
    })
    const readSqlite = createSqliteReader({ root: settings.root })
    const readPostgres = createPostgresReader()
    const streams = joinStreams({
      file: createFileStreamReader({ root: settings.root }),
      table: createTableStreamReader({ readSqlite, readPostgres }),
    })
    const clients = createClientFinder({ root: settings.root, readSqlite, readPostgres })
    const asked = { clock: systemClock, probe }
    if (mode !== 'command') await stages.provision(definitions.dags.values())
    const daemon = new Daemon(
      {
        clock: systemClock,
        random: systemRandom,
        journal,
        state,
        agenda: new Agenda(),
        source: {
          ...stages.provisioned(source),
          // A worker keeps what its functions have imported: after a change they start from the files again.
          watch: changed =>
            source.watch(() => {
              functions.refresh()
              changed()
            }),
        },
        blobs: openBlobStore(settings.statePath),
        probe,
        notifier: createNotifier(settings),
        sources: {
          stages,
          streams,
          resolve: path => resolve(settings.root, path),
          watch: createFileWatch({
            failed: error => note('warn', `watching for arrivals: ${error.message}`),
          }),
        },
        createWorker: reports =>
          createWorker({
            clock: systemClock,
            queue,
            reports,
            executors: {
              builtIn: new Map([
                ['shell', withClientConditions(createShellExecutor(world), asked)],
                ['http', withClientConditions(createHttpExecutor(world), asked)],
                [WRAPPER_WORKFLOWS.root, createRootTaskWrapper({ host: hostname() })],
                [WRAPPER_WORKFLOWS.poll, createPollExecutor({ clock: systemClock, stages })],
                [WRAPPER_WORKFLOWS.stream, createStreamConsumer({ ...asked, streams, root: settings.root })],
              ]),
              function: withClientConditions(functions, asked),
              findClients: createClientsExecutor({ clock: systemClock, clients }),
            },
          }),
        rehearsalJournal: new UnwrittenJournal(),
        followers: [index, createTaskFeed({ path: settings.eventsPath, headSeq: () => journal.lastSeq })],
        readEvents: read,
        release: async () => {
          await source.close()
          stages.close()
          await server?.close()
          await door?.close()
          await housekeeping?.stop()
          await Promise.race([probe.idle(), sleep(PROBE_GRACE_MS, undefined, { ref: false })])
          await journal.close()
          lock.release()
        },
      },
      {
        mode,
        pid: process.pid,
        host: hostname(),
        version: VERSION,
        statePath: settings.statePath,
        drainTimeoutMs: settings.drainTimeoutMs,
        killGraceMs: settings.killGraceMs,
        limits: { maxParallel: settings.maxParallel, maxTasks: settings.maxTasks },
        tickMs: settings.tickMs,
        isDiskFull: error => error instanceof JournalFullError,
        tidy: createHeapTidier(),
        fatal: endProcess,
        note,
      },
      definitions,
    )
    await daemon.open()
    const server = mode === 'command' ? undefined : await openSocket(daemon, settings, mode, note)
    const door = mode === 'serve' ? await openHttp(daemon, settings, note) : undefined
    const housekeeping = plans
      ? startHousekeeping({
          clock: systemClock,
          everyMs: RETAIN_EVERY_MS,
          work: () => retain(settings),
          failed: error =>
            note('warn', `retention: ${error instanceof Error ? error.message : String(error)}`),
        })
      : undefined
    return daemon
  }
}

/** Each kind of stream has a reader of its own. */
function joinStreams({ file, table }: { file: StreamReader; table: StreamReader }): StreamReader {
  const readerOf = ({ source }: Stream) => (source.kind === 'file' ? file : table)
  return {
    read: (stream, from, signal) => readerOf(stream).read(stream, from, signal),
    hasMore: (stream, from, signal) => readerOf(stream).hasMore(stream, from, signal),
  }
}

/** Only a holder that will soon be gone is worth waiting for. */
function waitFor(settings: Settings, mode: SchedulerMode): number {
  if (mode !== 'serve') return 0
  const { alive, holder } = readLockHolder(settings.stateDir)
  return alive && (holder?.mode === 'serve' || holder?.mode === 'once') ? 0 : WAIT_FOR_HOLDER_MS
}

/** The journal cannot be trusted any more: say so and go, without another write. */
function endProcess(error: unknown): never {
  const known = error instanceof DagbokError
  const text = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`scheduler: ${text}\n${known && error.hint ? `  hint: ${error.hint}\n` : ''}`)
  process.exit(known ? error.exitCode : EXIT.journalIo)
}

export * from './composition/readers.ts'
export { createNotifier, inspectStages, openSystemd as openServiceManager }
