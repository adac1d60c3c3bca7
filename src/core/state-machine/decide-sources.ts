// Decisions about what runs take from stages and streams: whether they may have it, and what becomes of it when they end.
//
//   S1. A file is handed to exactly one successful run, a stretch of a stream too. What two runs found at the same time only
//       the first one gets.
//   S2. What was taken is consumed in the same commit as the run's success (DESIGN §5.4). After any other end the next run
//       gets it again.

import { jsonBytes } from '../json.ts'
import type { RunState, TaskState } from '../run/run.ts'
import type { Taken, TakenFiles, TakenRecords } from '../run/taken.ts'
import { type FileRef, stageKey } from '../stage/stage.ts'
import { isCandidate } from '../stage/stage-files.ts'
import { type StreamPosition, streamKey } from '../stream/stream.ts'
import type { Decider } from './decision-context.ts'
import type { RunStatus } from './event.ts'

/** A line is at most 64 KiB; lists are spread over lines of about this size. */
const PART_BYTES = 40 * 1024

/** Why the run may not have it: `again`, looking anew will do; `skip`, there is nothing for it now. */
export type TakeRefusal = { kind: 'again' | 'skip'; reason: string }

/** @returns undefined if the run may have it */
export function refuseTaken(
  { state }: Decider,
  run: RunState,
  { handovers = 0 }: TaskState,
  taken: Taken,
): TakeRefusal | undefined {
  if (taken.kind === 'files') {
    const stage = stageKey(run.dagName, taken.stage)
    const files = state.stages.get(stage)
    // What was listed may have been consumed since in a version that was written over, or forgotten: nobody knows it now.
    const lost = taken.files.find(
      file => !isCandidate(files, file) || (files?.get(file.key)?.consumedIn ?? 0) > handovers,
    )
    if (lost !== undefined) return { kind: 'again', reason: `another run has taken ${lost.key} meanwhile` }
    if (taken.files.length > 0 && (state.forgotten.get(stage) ?? 0) > handovers)
      return { kind: 'again', reason: `files of ${taken.stage} were found gone meanwhile` }
    return undefined
  }
  const stream = state.streams.get(streamKey(run.dagName, taken.stream))
  if (stream?.held !== undefined)
    return { kind: 'skip', reason: `run ${stream.held.run} has the next records of ${taken.stream}` }
  if (!samePosition(stream?.position, taken.from))
    return { kind: 'again', reason: `another run has read on in ${taken.stream} meanwhile` }
  return undefined
}

function samePosition(a: StreamPosition | undefined, b: StreamPosition | undefined): boolean {
  return canonical(a) === canonical(b)
}

function canonical(position: StreamPosition | undefined): string {
  return JSON.stringify(Object.entries(position ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Same commit as the end of the task that took it. */
export function emitTaken(decider: Decider, run: RunState, taskId: string, taken: Taken): void {
  if (taken.kind === 'files') emitFiles(decider, run, taskId, taken)
  else emitRecords(decider, run, taskId, taken)
}

function emitFiles(
  decider: Decider,
  run: RunState,
  taskId: string,
  { stage, files, gone }: TakenFiles,
): void {
  const { runId, dagName } = run
  const { handovers = 0 } = run.tasks.get(taskId)!
  const tracked = decider.state.stages.get(stageKey(dagName, stage))
  // One that has come again and was consumed since, or is worked on, is not gone.
  const forgotten = gone.filter(key => {
    const file = tracked?.get(key)
    return file !== undefined && file.held === undefined && (file.consumedIn ?? 0) <= handovers
  })
  const parts = inParts(files)
  if (files.length > 0)
    parts.forEach((part, index) => {
      decider.emit({
        event: 'files_dispatched',
        run_id: runId,
        dag_name: dagName,
        task_id: taskId,
        stage,
        part: index + 1,
        parts: parts.length,
        files: part.map(({ key, version }): FileRef => ({ key, version })),
      })
    })
  for (const keys of inParts(forgotten))
    if (keys.length > 0) decider.emit({ event: 'files_forgotten', dag_name: dagName, stage, keys })
}

function emitRecords(
  decider: Decider,
  { runId, dagName }: RunState,
  taskId: string,
  { stream, from, to, records, more }: TakenRecords,
): void {
  if (records === 0) return
  decider.emit({
    event: 'stream_taken',
    run_id: runId,
    dag_name: dagName,
    task_id: taskId,
    stream,
    ...(from === undefined ? {} : { from }),
    to,
    records,
    more,
  })
}

/** Same commit as the run's end, before it. */
export function emitHoldsSettled(decider: Decider, run: RunState, status: RunStatus): void {
  const line = { run_id: run.runId, dag_name: run.dagName }
  for (const hold of run.holds ?? []) {
    if (hold.kind === 'files') {
      const { stage, keys } = hold
      if (status === 'success') decider.emit({ event: 'files_consumed', ...line, stage, files: keys.length })
      else decider.emit({ event: 'files_released', ...line, stage, files: keys.length, status })
      continue
    }
    const { stream } = hold
    const { held } = decider.state.streams.get(streamKey(run.dagName, stream))!
    if (status === 'success') decider.emit({ event: 'stream_committed', ...line, stream, position: held!.to })
    else decider.emit({ event: 'stream_released', ...line, stream, status })
  }
}

/** Lists of about PART_BYTES; one empty list of none. */
export function inParts<T>(items: readonly T[]): T[][] {
  const parts: T[][] = [[]]
  let bytes = 0
  for (const item of items) {
    const size = jsonBytes(item) + 1
    if (bytes > 0 && bytes + size > PART_BYTES) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(item)
    bytes += size
  }
  return parts
}
