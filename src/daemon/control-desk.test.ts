import { expect, test } from 'vitest'
import { aDag, definitionsOf } from '../../test/support/builders.ts'
import type { Command } from '../core/state-machine/command.ts'
import type { Event } from '../core/state-machine/event.ts'
import { emptyState } from '../core/state-machine/state.ts'
import { ControlDesk, type ControlDeskOptions } from './control-desk.ts'

/** A desk whose loop decides the command's own event, and starts something of another run in the same breath. */
function openDesk() {
  const dag = aDag('job', { work: [] })
  const loop = {
    definitions: definitionsOf([dag]),
    async ask(command: Command) {
      const own = {
        trigger: 'run_requested',
        cancel: 'run_cancel_requested',
        record: 'noted',
      }[command.type as 'trigger' | 'cancel' | 'record']
      const runId = 'runId' in command ? command.runId : undefined
      return [
        { event: own, seq: 7, ...(runId === undefined ? { source: 'user' } : { run_id: runId }) },
        { event: 'task_start', seq: 8, run_id: 'other@1', task_id: 'work', attempt: 1 },
      ] as unknown as Event[]
    },
  }
  const clock = { now: () => 0, monotonicMs: () => 0 }
  const options = { loop, clock, state: emptyState(), random: { next: () => 0.5 } }
  return new ControlDesk(options as unknown as ControlDeskOptions)
}

test('an answer names the last line of what was asked for, not of what started in the same breath', async () => {
  const desk = openDesk()
  expect(await desk.record({ fields: { event: 'noted' } })).toEqual({ seq: 7 })
  expect(await desk.trigger({ dag: 'job', cause: 'test' })).toMatchObject({ seq: 7 })
  expect(await desk.cancel({ run_id: 'job@1', reason: '' })).toMatchObject({ seq: 7 })
})
