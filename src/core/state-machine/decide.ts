// What is asked → what happens. The one place where commands become events.
//
//   D1. A function of (state, command, context): the same code live, in `simulate` and in tests on a virtual clock.
//   D2. A refusal is thrown before the first event: a refused command leaves no trace.
//   D3. After every command it is asked what may start now, so nothing waits for a tick that need not.

import { assertNever } from '../error.ts'
import { isDriven } from '../planner/admit.ts'
import type { Command } from './command.ts'
import { takeAnswers } from './decide-conditions.ts'
import { pause, resume, runSlot, skipSlot, unskipSlot } from './decide-holds.ts'
import { takeNotified, tellLate } from './decide-notifications.ts'
import { cancelRun, requestRun, startWhatMay } from './decide-runs.ts'
import { disposeAndRegister, planDue } from './decide-schedules.ts'
import { endAttempt, noteReadopted, noteSpawned } from './decide-tasks.ts'
import { Decider, type DecisionContext } from './decision-context.ts'
import type { Event } from './event.ts'
import type { State } from './state.ts'

/**
 * Decides one command and evolves `state` with what follows.
 * @returns the commits, in order; possibly none
 * @throws DagbokError if the command is refused
 */
export function decide(state: State, command: Command, context: DecisionContext): Event[][] {
  if (command.type === 'use_definitions') return [...useDefinitions(state, command, context)].flat()
  const decider = new Decider(state, context)
  dispatch(decider, command)
  return conclude(decider)
}

/**
 * Decides a new set of definitions, which may lead to a hundred thousand commits, in slices that can be written one
 * after the other. No other command may be decided before the last slice.
 * @returns the commits, in order; `state` is evolved as far as they have been asked for
 */
export function* useDefinitions(
  state: State,
  { definitions, cause }: Command & { type: 'use_definitions' },
  context: DecisionContext,
): Generator<Event[][], void> {
  const decider = new Decider(state, context)
  for (const _ of disposeAndRegister(decider, definitions, cause)) yield decider.takeCommits()
  yield conclude(decider)
}

function conclude(decider: Decider): Event[][] {
  decider.commit()
  startWhatMay(decider)
  return decider.takeCommits()
}

function dispatch(decider: Decider, command: Exclude<Command, { type: 'use_definitions' }>): void {
  switch (command.type) {
    case 'boot':
      return boot(decider, command)
    case 'reject_definitions':
      return decider.emit({ event: 'definitions_rejected', cause: command.cause, errors: command.errors })
    case 'tick':
      tellLate(decider)
      return planDue(decider)
    case 'wake':
      return
    case 'trigger':
      return requestRun(decider, command)
    case 'pause':
      return pause(decider, command)
    case 'resume':
      return resume(decider, command)
    case 'skip_slot':
      return skipSlot(decider, command)
    case 'unskip_slot':
      return unskipSlot(decider, command)
    case 'run_slot':
      return runSlot(decider, command)
    case 'answered':
      return takeAnswers(decider, command)
    case 'notified':
      return takeNotified(decider, command)
    case 'cancel':
      return cancelRun(decider, command.runId, command.reason)
    case 'record':
      return decider.emitUser(command.fields)
    case 'spawned':
      return noteSpawned(decider, command)
    case 'readopted':
      return noteReadopted(decider, command)
    case 'ended':
      return endAttempt(decider, command)
    case 'note_clock_jump': {
      const { direction, wallMs, monotonicMs } = command
      return decider.emit({ event: 'clock_jumped', direction, wall_ms: wallMs, monotonic_ms: monotonicMs })
    }
    case 'note_disk_full': {
      const since = new Date(command.since).toISOString()
      return decider.emit({ event: 'journal_resumed', reason: 'disk_full', since, refused: command.refused })
    }
    case 'stop':
      return decider.emit({ event: 'scheduler_stopping', reason: command.reason })
    case 'stopped':
      return decider.emit({ event: 'scheduler_stopped', epoch: decider.state.epoch })
    default:
      return assertNever(command)
  }
}

function boot(decider: Decider, { mode, pid, host, version }: Command & { type: 'boot' }): void {
  const { state, context } = decider
  decider.emit({ event: 'scheduler_started', epoch: state.epoch + 1, mode, pid, host, version })
  for (const run of state.runs.values()) {
    if (run.status !== 'running' || !isDriven(context.driven, run.runId)) continue
    decider.commit()
    decider.emit({
      event: 'run_resumed',
      run_id: run.runId,
      dag_name: run.dagName,
      tasks_finished: run.tasks.size - run.remaining,
      tasks_interrupted: run.live,
    })
  }
}
