import { describe, expect, test } from 'vitest'
import { aDag, aSchedule, askedBy, definitionsOf } from '../../test/support/builders.ts'
import { DeciderWorld } from '../../test/support/decider-world.ts'
import type { Answer } from '../core/condition/question.ts'
import type { Command } from '../core/state-machine/command.ts'
import type { ConditionProbe } from '../ports/condition-probe.ts'
import { Asker } from './asker.ts'

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Two schedules that are due, an asker over their state, and a probe that answers when the test says so. */
function openAsker() {
  const schedules = ['a', 'b'].map(id => aSchedule(id, '0 6 * * *', 'd', askedBy()))
  const world = new DeciderWorld(
    definitionsOf([aDag('d', { t: [] })], schedules),
    '2026-01-05T06:00:10Z',
  ).boot()
  const asked: { scheduleId: string; slot: string; signal: AbortSignal; answer(answer: Answer): void }[] = []
  const probe: ConditionProbe = {
    ask: (_question, { scheduleId, slot }, signal) =>
      new Promise(answer => {
        asked.push({ scheduleId, slot, signal, answer })
      }),
  }
  const submitted: Command[] = []
  const asker = new Asker({
    state: world.state,
    probe,
    definitions: () => world.definitions,
    submit: async command => {
      submitted.push(command)
      world.when(command)
    },
  })
  return { world, asked, asker, submitted }
}

describe('the asker', () => {
  test('asks each open slot once, and hands its answer in', async () => {
    const { world, asked, asker, submitted } = openAsker()
    asker.sync()
    expect(asked).toEqual([])
    world.when({ type: 'tick' })
    asker.sync()
    asker.sync()
    expect(asked.map(({ scheduleId, slot }) => `${scheduleId} ${slot}`)).toEqual([
      'a 2026-01-05T06:00Z',
      'b 2026-01-05T06:00Z',
    ])
    asked[1]!.answer({ holds: true, saw: {} })
    await settle()
    // One that hangs holds up no other.
    expect(submitted).toMatchObject([{ type: 'answered', scheduleId: 'b', ask: 0 }])
    expect(world.state.asking.size).toBe(1)
  })

  test('calls off what was decided meanwhile', async () => {
    const { world, asked, asker, submitted } = openAsker()
    world.when({ type: 'tick' })
    asker.sync()
    const slot = Date.parse('2026-01-05T06:00Z')
    world.when({ type: 'skip_slot', scheduleId: 'a', slot, reason: 'test' })
    asker.sync()
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false])
    asked[0]!.answer({ holds: true, saw: {} })
    await settle()
    expect(submitted).toEqual([])
  })

  test('says nothing more once it is closed; the next one asks anew', async () => {
    const { world, asked, asker, submitted } = openAsker()
    world.when({ type: 'tick' })
    asker.sync()
    asker.close()
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true)
    for (const { answer } of asked) answer({ holds: true, saw: {} })
    await settle()
    asker.sync()
    expect(submitted).toEqual([])
    expect(world.replayed().asking.size).toBe(2)
  })
})
