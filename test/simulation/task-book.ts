// What the judge keeps of tasks, and what it demands of their order: trigger rules, clients of fan-outs, how a run ends.

import type { JournalLine } from './journal-text.ts'
import { type End, mayStart, neverStarts, reasonToSkip } from './rule-oracle.ts'

export type TaskStatus =
  | 'waiting'
  | 'running'
  | 'retrying'
  | 'fanned_out'
  | 'ok'
  | 'failed'
  | 'skipped'
  | 'cancelled'

export interface TaskBook {
  readonly id: string
  status: TaskStatus
  attempt: number
  failures: number
  losses: number
  retryAt: number
  /** How far its DAG's files and records were when the attempt began. */
  stepsBefore: number
  readonly retries: number
  readonly dependsOn: readonly string[]
  readonly rule: string
  /** Of a fan-out: how many clients at once. */
  readonly parallel: number | undefined
  /** Of the task of a client: the fan-out. */
  readonly fanOut: string | undefined
  /** How it counts for what follows. */
  end: End
  saidSkip: boolean
  isPartial: boolean
}

export type Tasks = Map<string, TaskBook>

const ENDED = new Set<TaskStatus>(['ok', 'failed', 'skipped', 'cancelled'])

export function hasEnded({ status }: TaskBook): boolean {
  return ENDED.has(status)
}

interface TaskLine {
  readonly id: string
  readonly retries: number
  readonly dependsOn: readonly string[]
  readonly triggerRule?: string
  readonly fanOut?: { readonly parallel: number }
}

export function newTask(
  { id, retries, dependsOn, triggerRule = 'ALL', fanOut }: TaskLine,
  ofFanOut?: string,
): TaskBook {
  const fresh = { status: 'waiting', attempt: 0, failures: 0, losses: 0, retryAt: 0, stepsBefore: 0 } as const
  return {
    id,
    ...fresh,
    retries,
    dependsOn,
    rule: triggerRule,
    parallel: fanOut?.parallel,
    fanOut: ofFanOut,
    end: undefined,
    saidSkip: false,
    isPartial: false,
  }
}

function endsAbove(tasks: Tasks, { dependsOn }: TaskBook): End[] {
  return dependsOn.map(id => tasks.get(id)!.end)
}

/** @returns why the task may not start now, undefined if it may */
export function whyNotStart(tasks: Tasks, task: TaskBook): string | undefined {
  if (task.fanOut === undefined) {
    if (mayStart(task.rule, endsAbove(tasks, task))) return undefined
    return `${task.rule} does not allow it: ${endsAbove(tasks, task).join()}`
  }
  const fanOut = tasks.get(task.fanOut)!
  if (fanOut.status !== 'fanned_out') return `its fan-out is ${fanOut.status}`
  const clients = clientsOf(tasks, task.fanOut)
  const underWay = clients.filter(each => each.status === 'running' || each.status === 'retrying').length
  if (task.status === 'waiting' && underWay >= fanOut.parallel!) return `${underWay} clients are under way`
  const first = clients.find(({ status }) => status === 'waiting')
  if (task.status === 'waiting' && first !== task) return `it is the turn of ${first?.id}`
  return undefined
}

export function clientsOf(tasks: Tasks, fanOut: string): TaskBook[] {
  return [...tasks.values()].filter(task => task.fanOut === fanOut)
}

/** @returns what is wrong with the line that skips a task which is not under way */
export function whyNotSkip(tasks: Tasks, task: TaskBook, reason: unknown): string | undefined {
  const ends = endsAbove(tasks, task)
  if (!neverStarts(task.rule, ends)) return `${task.rule} may come true: ${ends.join()}`
  const expected = reasonToSkip(task.rule, ends)
  return reason === expected ? undefined : `the reason is ${expected}, not ${String(reason)}`
}

/** Tasks that can never start and were not skipped: nobody leaves a run waiting for nothing. */
export function forgotten(tasks: Tasks): TaskBook[] {
  return [...tasks.values()].filter(
    task =>
      task.status === 'waiting' &&
      task.fanOut === undefined &&
      neverStarts(task.rule, endsAbove(tasks, task)),
  )
}

/** @returns what is wrong with the line that ends a fan-out whose clients were found */
export function whyNotEndFanOut(tasks: Tasks, task: TaskBook, line: JournalLine): string | undefined {
  const clients = clientsOf(tasks, task.id)
  const count = (...of: TaskStatus[]) => clients.filter(({ status }) => of.includes(status)).length
  const [ok, failed, skipped] = [count('ok'), count('failed'), count('skipped', 'cancelled')]
  if (ok + failed + skipped < clients.length) return 'clients of it are not done'
  if (line.event === 'task_cancelled') return undefined
  if (line.event === 'task_fail') return failed > 0 && ok === 0 ? undefined : `${ok} clients succeeded`
  if (line.event !== 'task_ok') return `${line.event} is no end of it`
  if (failed > 0 && ok === 0) return 'no client succeeded'
  if ((line['partial'] === true) !== failed > 0) return `${failed} clients failed`
  const stated = line['output'] as Record<string, number>
  const counts = [stated['clients'], stated['succeeded'], stated['failed'], stated['skipped']].join()
  const expected = [clients.length, ok, failed, skipped].join()
  return counts === expected ? undefined : `it counts ${counts}, it was ${expected}`
}

/** As what a run ends whose tasks have these ends (plan-run.ts says it in words). */
export function statusOf(tasks: Tasks, isCancelled: boolean): string {
  if (isCancelled) return 'cancelled'
  const own = [...tasks.values()].filter(({ fanOut }) => fanOut === undefined)
  if (own.some(({ status }) => status === 'failed')) return 'failed'
  if (own.some(({ isPartial }) => isPartial)) return 'partial'
  const above = new Set(own.flatMap(({ dependsOn }) => dependsOn))
  const isDone = own.some(({ id, status }) => status === 'ok' && !above.has(id))
  return own.some(({ saidSkip }) => saidSkip) && !isDone ? 'skipped' : 'success'
}

/** What `run_finished` has to say of its tasks and clients, undefined where it says nothing. */
export function countsOf(tasks: Tasks): (number | undefined)[] {
  const own = [...tasks.values()].filter(({ fanOut }) => fanOut === undefined)
  const clients = [...tasks.values()].filter(({ fanOut }) => fanOut !== undefined)
  const count = (of: TaskBook[], ...wanted: TaskStatus[]) =>
    of.filter(({ status }) => wanted.includes(status)).length
  const ofAll = (of: TaskBook[]) => [count(of, 'ok'), count(of, 'failed'), count(of, 'skipped', 'cancelled')]
  return [...ofAll(own), ...ofAll(clients)]
}
