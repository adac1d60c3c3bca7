// What runs take from stages and streams, and what becomes of it. The rules of event.ts hold here too.
//
//   - What was taken is written in the commit of the task that took it, what became of it in the commit of the run's end.
//   - Between the two no other run gets it.

import type { FileRef } from '../stage/stage.ts'
import type { StreamPosition } from '../stream/stream.ts'
import type { Line } from './event-line.ts'

interface RunLine extends Line {
  run_id: string
  dag_name: string
}
/** Files of a stage are this run's; in several parts where a line would be too long. */
export interface FilesDispatched extends RunLine {
  event: 'files_dispatched'
  task_id: string
  stage: string
  part: number
  parts: number
  files: FileRef[]
}
/** The run has succeeded: all files that it had of the stage are consumed, in the version that it had. */
export interface FilesConsumed extends RunLine {
  event: 'files_consumed'
  stage: string
  files: number
}
/** The run has not succeeded: the next one gets them. */
export interface FilesReleased extends RunLine {
  event: 'files_released'
  stage: string
  files: number
  status: string
}
/** Consumed files that the stage has no more: if one of that name comes again, it is new. */
export interface FilesForgotten extends Line {
  event: 'files_forgotten'
  dag_name: string
  stage: string
  keys: string[]
}
/** The records of a stream after `from` up to `to` are this run's. */
export interface StreamTaken extends RunLine {
  event: 'stream_taken'
  task_id: string
  stream: string
  /** Left out: the beginning. */
  from?: StreamPosition
  to: StreamPosition
  records: number
  /** There was more behind `to`. */
  more: boolean
}
/** The run has succeeded: the next one reads on from here. */
export interface StreamCommitted extends RunLine {
  event: 'stream_committed'
  stream: string
  position: StreamPosition
}
/** The run has not succeeded: the next one reads the same again. */
export interface StreamReleased extends RunLine {
  event: 'stream_released'
  stream: string
  status: string
}

export type SourceEvent =
  | FilesDispatched
  | FilesConsumed
  | FilesReleased
  | FilesForgotten
  | StreamTaken
  | StreamCommitted
  | StreamReleased
