// What whoever asks a Control may count on, be it in this process or behind a socket.

import { expect, test, vi } from 'vitest'
import type { Control } from '../../src/api/control.ts'
import { DagbokError } from '../../src/core/error.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { refusal, type ScriptedControl, STATUS } from '../support/scripted-control.ts'

export interface ControlUnderTest {
  readonly control: Control
  /** What really answers. */
  readonly keeper: ScriptedControl
  close(): Promise<void>
}

const event = (seq: number, extra: object = {}) =>
  ({ timestamp: '2026-01-05T06:00:00.000Z', event: 'run_started', seq, run_id: 'r', ...extra }) as Event

export function describeControl(name: string, open: () => Promise<ControlUnderTest>): void {
  const check = (what: string, body: (under: ControlUnderTest) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const under = await open()
      try {
        await body(under)
      } finally {
        await under.close()
      }
    })

  check('each verb carries its request and its answer unchanged', async ({ control, keeper }) => {
    const trigger = { dag: 'weekly', params: { n: 1, text: 'ä\n\u2028€', deep: [{ x: null }] }, cause: 'cli' }
    expect(await control.trigger(trigger)).toEqual({
      run_id: 'weekly@manual-01',
      dag_name: 'weekly',
      seq: 42,
    })
    expect(await control.trigger({ file: '/srv/a.yaml', cause: 'cli' })).toMatchObject({
      dag_name: 'from_file',
    })
    expect(await control.cancel({ run_id: 'r@1', reason: '' })).toEqual({
      run_id: 'r@1',
      state: 'requested',
      seq: 43,
    })
    expect(await control.record({ fields: { event: 'deployed', version: '1' } })).toEqual({ seq: 44 })
    const slot = { schedule_id: 'nightly', slot: '2026-01-05 06:00', cause: 'cli' }
    expect(await control.runSlot(slot)).toMatchObject({ run_id: 'nightly@2026-01-05 06:00', seq: 45 })
    const pause = { schedule_id: 'nightly', reason: 'disk', until: '2026-01-06' }
    expect(await control.pause(pause)).toEqual({ schedule_id: 'nightly', until: '2026-01-06', seq: 46 })
    expect(await control.pause({ reason: 'audit', for_ms: 60_000 })).toEqual({ seq: 46 })
    expect(await control.resume({ reason: 'done' })).toEqual({ seq: 47 })
    expect(await control.skip({ schedule_id: 'nightly', reason: '' })).toMatchObject({ seq: 48 })
    expect(await control.unskip({ schedule_id: 'nightly', reason: '' })).toMatchObject({ seq: 49 })
    expect(await control.status()).toEqual(STATUS)
    expect(await control.reload()).toEqual({ ok: true, schedules: 2, dags: 3, errors: [] })
    expect(keeper.calls).toEqual([
      { verb: 'trigger', request: trigger },
      { verb: 'trigger', request: { file: '/srv/a.yaml', cause: 'cli' } },
      { verb: 'cancel', request: { run_id: 'r@1', reason: '' } },
      { verb: 'record', request: { fields: { event: 'deployed', version: '1' } } },
      { verb: 'runSlot', request: slot },
      { verb: 'pause', request: pause },
      { verb: 'pause', request: { reason: 'audit', for_ms: 60_000 } },
      { verb: 'resume', request: { reason: 'done' } },
      { verb: 'skip', request: { schedule_id: 'nightly', reason: '' } },
      { verb: 'unskip', request: { schedule_id: 'nightly', reason: '' } },
      { verb: 'status', request: {} },
      { verb: 'reload', request: {} },
    ])
  })

  check('a refusal arrives with its code, words, remedy and exit code', async ({ control, keeper }) => {
    keeper.failure = refusal()
    const error = await control.cancel({ run_id: 'ghost', reason: 'x' }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(DagbokError)
    const { code, message, hint, exitCode } = refusal()
    expect(error).toMatchObject({ code, message, hint, exitCode })
  })

  check('a bug behind it is an error, and the next call works', async ({ control, keeper }) => {
    keeper.failure = new TypeError('undefined is not a function')
    await expect(control.status()).rejects.toThrow('undefined is not a function')
    expect(await control.status()).toEqual(STATUS)
  })

  check('a subscription hears each event in order until it is called off', async ({ control, keeper }) => {
    const heard: number[] = []
    const ended = vi.fn()
    const off = control.subscribe(
      { after_seq: 40, run_id: 'r', event: 'run_started' },
      e => heard.push(e.seq),
      ended,
    )
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
    expect(keeper.listeners[0]?.filter).toEqual({ after_seq: 40, run_id: 'r', event: 'run_started' })
    for (let seq = 41; seq <= 140; seq++) keeper.emit(event(seq, { text: 'ä\u2028'.repeat(seq) }))
    await vi.waitFor(() => expect(heard).toHaveLength(100))
    expect(heard).toEqual(Array.from({ length: 100 }, (_, index) => 41 + index))
    off()
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(0))
    expect(ended).not.toHaveBeenCalled()
  })

  check('a subscription that the keeper ends says so once, without an error', async ({ control, keeper }) => {
    const ended = vi.fn()
    control.subscribe({}, () => {}, ended)
    await vi.waitFor(() => expect(keeper.listeners).toHaveLength(1))
    keeper.listeners[0]?.onEnd()
    await vi.waitFor(() => expect(ended).toHaveBeenCalledTimes(1))
    expect(ended.mock.calls[0]?.[0]).toBeUndefined()
  })
}
