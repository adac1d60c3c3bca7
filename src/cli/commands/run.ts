// `scheduler run <dag>`: one run, from start to summary. A running scheduler does it if there is one; else this process
// holds the state, drives the run and nothing else.
//
//   Q1. The first Ctrl-C asks to cancel the run and waits for its end; the second leaves at once. Behind a scheduler that
//       leaves the run to it.
//   Q2. stdout holds the plan or the summary, stderr the progress.

import { type Control, type RunSummary, summarise, type TriggerRequest } from '../../api/control.ts'
import type { Session } from '../../api/session.ts'
import type { Dag } from '../../core/dag/dag.ts'
import { buildGraph } from '../../core/dag/graph.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { type Event, isUserEvent } from '../../core/state-machine/event.ts'
import { DefinitionsInvalidError } from '../../definition/problem.ts'
import type { CommandContext } from '../context.ts'
import { findDag } from '../dag-name.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import type { RunFlags } from '../flags.ts'
import { exitCodeOf, type InterruptSignal } from '../interrupts.ts'
import { writeJson } from '../output.ts'
import { readParams } from '../params.ts'
import { isAbsent } from '../reach.ts'
import { openRunView } from '../render/live-run.ts'
import { renderPlan } from '../render/plan.ts'
import { endedWell, renderFailures, renderSummary, type TaskFailure } from '../render/run-summary.ts'
import { nameTarget, type Target } from '../target.ts'

interface Request {
  dag?: string
  file?: string
  params?: JsonObject
}

/** Raised by the second signal: whoever waits stops waiting. */
class Interrupted {
  readonly signal: InterruptSignal

  constructor(signal: InterruptSignal) {
    this.signal = signal
  }
}

export async function run(context: CommandContext, name: string, flags: RunFlags): Promise<number> {
  const target = nameTarget(context.cwd, name)
  const params = await readParams(context.cwd, flags)
  if (flags.dryRun) return showPlan(context, target)

  const request: Request = { ...target, ...(params === undefined ? {} : { params }) }
  const failures = new Map<string, TaskFailure>()
  const view = openRunView(context.out.note, context.now)
  const watch = (event: Event) => {
    if (!isUserEvent(event) && event.event === 'task_fail') {
      const { task_id, attempt, error, message } = event
      failures.set(task_id, { taskId: task_id, attempt, error: error ?? { kind: 'unknown', message } })
    }
    view.take(event)
  }
  try {
    const summary = (await runThere(context, request, watch)) ?? (await runHere(context, request, watch))
    view.finish()
    await report(context, summary, [...failures.values()])
    return endedWell(summary.status) ? EXIT.ok : EXIT.runFailed
  } catch (error) {
    if (error instanceof Interrupted) return exitCodeOf(error.signal)
    throw error
  } finally {
    view.finish()
  }
}

async function showPlan(context: CommandContext, target: Target): Promise<number> {
  const dag = await loadDag(context, target)
  const order = buildGraph(dag.tasks).order
  if (context.json) {
    const tasks = order.map(id => dag.tasks.find(task => task.id === id)!)
    writeJson(context.out.data, 'Plan', {
      dag_name: dag.name,
      tenant_id: dag.tenantId,
      tasks: tasks.map(({ id, workflowRef, dependsOn, retries }) => ({
        id,
        workflow_ref: workflowRef,
        depends_on: dependsOn,
        retries,
      })),
    })
  } else for (const line of renderPlan(dag, order)) context.out.data.line(line)
  return EXIT.ok
}

async function loadDag(context: CommandContext, target: Target): Promise<Dag> {
  if ('dag' in target) return findDag((await loadGoodDefinitions(context)).dags, target.dag)
  const result = await (await context.house()).loadDagFile(context.settings, target.file)
  if (!result.ok) throw new DefinitionsInvalidError(result.problems)
  return result.dag
}

/** By way of the scheduler that runs; undefined if none does. */
async function runThere(
  context: CommandContext,
  request: Request,
  watch: (event: Event) => void,
): Promise<RunSummary | undefined> {
  const control = await context.connect()
  const asked: TriggerRequest = { ...request, cause: 'cli' }
  let answer: Awaited<ReturnType<Control['trigger']>>
  /** The answer's own `seq` is the last of its commit, in which the run has mostly begun. */
  let seqBefore: number
  try {
    const { mode, seq } = await control.status()
    // A foreground run listens too, but drives nothing but itself: what it was given would wait for another start.
    if (mode === 'run') return undefined
    seqBefore = seq
    answer = await control.trigger(asked)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  const { run_id } = answer
  context.out.note.line(`run ${run_id} asked for at the running scheduler`)
  return new Promise<RunSummary>((resolve, reject) => {
    const settle = (action: () => void) => {
      unlisten()
      unsubscribe()
      action()
    }
    const unlisten = context.interrupts.listen((signal, count) => {
      if (count === 1) {
        context.out.note.line('cancelling the run; once more to leave it to the scheduler')
        // Its end comes as an event, its refusal means that it is over: both are on their way already.
        control.cancel({ run_id, reason: signal }).catch(() => undefined)
      } else settle(() => reject(new Interrupted(signal)))
    })
    const unsubscribe = control.subscribe(
      { after_seq: seqBefore, run_id },
      event => {
        watch(event)
        const summary = endOf(event, run_id)
        if (summary) settle(() => resolve(summary))
      },
      error =>
        settle(() =>
          reject(
            new DagbokError('DAEMON_LOST', `the scheduler went away while it ran ${run_id}`, {
              exitCode: EXIT.daemonUnreachable,
              hint: 'the run goes on when the scheduler is started again; `scheduler runs` shows how it stands',
              cause: error,
            }),
          ),
        ),
    )
  })
}

function endOf(event: Event, runId: string): RunSummary | undefined {
  if (isUserEvent(event) || event.event !== 'run_finished' || event.run_id !== runId) return undefined
  return summarise(event)
}

/** In this process, holding the state. */
async function runHere(
  context: CommandContext,
  request: Request,
  watch: (event: Event) => void,
): Promise<RunSummary> {
  const { interrupts, out } = context
  const session: Session = await (await context.house()).openSession(context.settings, 'run')
  let runId: string | undefined
  const unwatch = session.onEvent(event => {
    if (!isUserEvent(event) && event.event === 'run_requested') runId ??= event.run_id
    // A run that an earlier process left behind is not what was asked for.
    if ((event as { run_id?: unknown }).run_id === runId && runId !== undefined) watch(event)
  })
  let insisted: InterruptSignal | undefined
  let stopping: Promise<unknown> | undefined
  const unlisten = interrupts.listen((signal, count) => {
    if (count === 1 && runId !== undefined) {
      out.note.line('cancelling the run; once more to leave now')
      session.control.cancel({ run_id: runId, reason: signal }).catch(() => undefined)
      return
    }
    insisted ??= signal
    stopping ??= session.stop({ now: true, reason: signal })
    // Awaited below, whichever way the run ends.
    stopping.catch(() => undefined)
  })
  try {
    const summary = await session.run(request)
    await (stopping ?? session.stop({ now: false, reason: 'the run has ended' }))
    return summary
  } catch (error) {
    await (stopping ?? session.stop({ now: true, reason: 'the run could not be driven to its end' })).catch(
      () => undefined,
    )
    if (insisted === undefined) throw error
    out.note.line(
      runId === undefined ? 'nothing was started' : `left: the next start goes on with run ${runId}`,
    )
    throw new Interrupted(insisted)
  } finally {
    unlisten()
    unwatch()
  }
}

async function report(
  context: CommandContext,
  summary: RunSummary,
  failures: readonly TaskFailure[],
): Promise<void> {
  const { out, json } = context
  const located = endedWell(summary.status) ? [] : await locateLogs(context, summary.run_id, failures)
  if (json) {
    const failed = located.map(({ taskId, attempt, error, logFile }) => ({
      task_id: taskId,
      attempt,
      error,
      ...(logFile === undefined ? {} : { log: logFile }),
    }))
    writeJson(out.data, 'RunSummary', { ...summary, ...(failed.length > 0 ? { failures: failed } : {}) })
    return
  }
  for (const line of [...renderSummary(summary), ...renderFailures(summary, located)]) out.data.line(line)
}

/** Adds where each failed task's words lie. A report without that is better than none. */
async function locateLogs(
  context: CommandContext,
  runId: string,
  failures: readonly TaskFailure[],
): Promise<readonly TaskFailure[]> {
  try {
    const reader = await (await context.house()).openReader(context.settings)
    try {
      return failures.map(failure => {
        const { taskId, attempt } = failure
        return { ...failure, logFile: reader.logs.locate({ runId, taskId, attempt }).stderr }
      })
    } finally {
      await reader.close()
    }
  } catch {
    return failures
  }
}
