// Bugs that a scheduler could have inside of runs: in what it makes of trigger rules, clients, files and records. As those of
// planted-bugs.ts they are put around the real one from outside.

import type { Task } from '../../src/core/dag/task.ts'
import { type Event, isUserEvent } from '../../src/core/state-machine/event.ts'
import type { Commit } from '../../src/ports/journal.ts'
import type { Life } from './life.ts'
import { changeAppend, type PlantedBug, startAttempt } from './planted-bugs.ts'

/** Whatever becomes of the run. */
function consumeAnyway(event: Event): void {
  if (event.event === 'files_released' && !isUserEvent(event)) event.event = 'files_consumed' as never
}

function startClientsAgain(life: Life, commits: readonly Commit[]): void {
  for (const event of commits.flat()) {
    if (event.event !== 'task_ok' || isUserEvent(event)) continue
    if ((event as { client_id?: string }).client_id !== undefined) startAttempt(life, event)
  }
}

/** It says nothing of a rule and has one: what it is written down as stays what it was. */
function withRule(task: Task): Task {
  return Object.defineProperty({ ...task }, 'triggerRule', { value: 'all_done', enumerable: false })
}

export const PLANTED_RUN_BUGS: readonly PlantedBug[] = [
  {
    name: 'consumes the files of a run that failed',
    plant: () => ({
      wrapJournal: journal =>
        changeAppend(journal, commits => {
          for (const event of commits.flat()) consumeAnyway(event)
          return journal.append(commits)
        }),
    }),
    finding: /^I10 .* ends \w+, what it had was settled as for success/,
  },
  {
    name: 'forgets after a restart what was consumed',
    plant: () => ({
      afterFold: state => {
        for (const files of state.stages.values())
          for (const [key, tracked] of files) {
            if (tracked.held === undefined) files.delete(key)
            else tracked.consumed = undefined
          }
      },
    }),
    finding: /^I10 .* has consumed it|^I8 /,
  },
  {
    name: 'works twice for a client',
    plant: () => ({
      wrapJournal: (journal, life) =>
        changeAppend(journal, async commits => {
          await journal.append(commits)
          startClientsAgain(life, commits)
        }),
    }),
    finding: /^I7 .*\] #\d was executed twice/,
  },
  {
    name: 'lets all clients of a fan-out go at once after a restart',
    plant: () => ({
      afterFold: state => {
        for (const line of state.clientLines.values()) line.active = -10
      },
    }),
    finding: /^I15 .* clients are under way/,
  },
  {
    name: 'forgets after a restart that a task has to wait for the success of others',
    plant: () => ({
      afterFold: state => {
        for (const { tasks } of state.definitions.values())
          for (const [id, task] of tasks) if (task.triggerRule === undefined) tasks.set(id, withRule(task))
      },
    }),
    finding: /^I15 /,
  },
]
