// What runs take from stages and streams, and what becomes of it → what is so: the part of `evolve` that is about them.

import type { Hold, RunState } from '../run/run.ts'
import { stageKey } from '../stage/stage.ts'
import { consumeFiles, forgetFiles, holdFiles, releaseFiles, type StageFiles } from '../stage/stage-files.ts'
import { streamKey } from '../stream/stream.ts'
import type { SourceEvent } from './event.ts'
import { runOf } from './run-progress.ts'
import type { State, StreamState } from './state.ts'

export function foldSource(state: State, event: SourceEvent): void {
  switch (event.event) {
    case 'files_dispatched': {
      const run = runOf(state, event.run_id)
      holdFiles(filesOf(state, stageKey(event.dag_name, event.stage)), event.run_id, event.files)
      const keys = heldKeys(run, event.stage)
      for (const { key } of event.files) keys.push(key)
      return
    }
    case 'files_consumed':
    case 'files_released': {
      const stage = stageKey(event.dag_name, event.stage)
      const files = filesOf(state, stage)
      const hold = takeHold(runOf(state, event.run_id), 'files', event.stage)
      if (event.event === 'files_consumed') consumeFiles(files, hold.keys, ++state.handovers)
      else releaseFiles(files, hold.keys)
      if (files.size === 0) state.stages.delete(stage)
      return
    }
    case 'files_forgotten': {
      const stage = stageKey(event.dag_name, event.stage)
      const files = filesOf(state, stage)
      forgetFiles(files, event.keys)
      state.handovers += 1
      state.forgotten.set(stage, state.handovers)
      if (files.size === 0) state.stages.delete(stage)
      return
    }
    case 'stream_taken': {
      const stream = streamOf(state, streamKey(event.dag_name, event.stream))
      stream.held = { run: event.run_id, to: event.to }
      holdStream(runOf(state, event.run_id), event.stream)
      return
    }
    case 'stream_committed':
    case 'stream_released': {
      const key = streamKey(event.dag_name, event.stream)
      const stream = streamOf(state, key)
      takeHold(runOf(state, event.run_id), 'records', event.stream)
      if (event.event === 'stream_committed') stream.position = event.position
      stream.held = undefined
      if (stream.position === undefined) state.streams.delete(key)
      return
    }
  }
}

function filesOf(state: State, stage: string): StageFiles {
  const known = state.stages.get(stage)
  if (known !== undefined) return known
  const files: StageFiles = new Map()
  state.stages.set(stage, files)
  return files
}

function streamOf(state: State, key: string): StreamState {
  const known = state.streams.get(key)
  if (known !== undefined) return known
  const stream: StreamState = { position: undefined, held: undefined }
  state.streams.set(key, stream)
  return stream
}

function nameOf(hold: Hold): string {
  return hold.kind === 'files' ? hold.stage : hold.stream
}

/** Keys that the run holds of a stage: a list to add to. */
export function heldKeys(run: RunState, stage: string): string[] {
  const known = findHold(run, 'files', stage)
  if (known !== undefined) return known.keys
  const keys: string[] = []
  addHold(run, { kind: 'files', stage, keys })
  return keys
}

/** The run holds the next records of a stream. */
export function holdStream(run: RunState, stream: string): void {
  if (findHold(run, 'records', stream) === undefined) addHold(run, { kind: 'records', stream })
}

function addHold(run: RunState, hold: Hold): void {
  if (run.holds === undefined) run.holds = [hold]
  else run.holds.push(hold)
}

function findHold<K extends Hold['kind']>(
  { holds }: RunState,
  kind: K,
  name: string,
): Extract<Hold, { kind: K }> | undefined {
  return holds?.find(each => each.kind === kind && nameOf(each) === name) as
    | Extract<Hold, { kind: K }>
    | undefined
}

function takeHold<K extends Hold['kind']>(run: RunState, kind: K, name: string): Extract<Hold, { kind: K }> {
  const hold = findHold(run, kind, name)
  if (hold === undefined) throw new Error(`run ${run.runId} holds nothing of ${name}`)
  run.holds = run.holds!.filter(each => each !== hold)
  return hold
}
