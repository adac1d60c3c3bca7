import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { openProbe } from '../../../test/support/probes.ts'
import type { Question } from '../../core/condition/question.ts'
import { boundAnswer } from './asker.ts'

const bench = openProbe({
  lastRun: () => new Promise(() => {}),
  lastSignal: async () => {
    throw new Error('the journal is away')
  },
})
afterAll(() => bench.close())

describe('the probe', () => {
  test('one that hangs delays no other, of any kind', async () => {
    const hung = Array.from({ length: 32 }, () =>
      bench.ask({ kind: 'command', command: 'sleep 30', timeoutMs: 2_000 }),
    )
    const asleep = Array.from({ length: 15 }, () =>
      bench.ask({ kind: 'cel', expression: 'last_run("a").status == ""', timeoutMs: 2_000 }),
    )
    const begin = Date.now()
    const others: Question[] = [
      { kind: 'file', path: 'a', timeoutMs: 1_500 },
      { kind: 'cel', expression: 'hour == 0', timeoutMs: 1_500 },
      { kind: 'signal', name: 'a', withinMs: 1, timeoutMs: 1_500 },
    ]
    const answers = await Promise.all(others.map(question => bench.ask(question)))
    expect(answers).toMatchObject([{ holds: false }, { holds: true }, { error: 'the journal is away' }])
    expect(Date.now() - begin).toBeLessThan(1_500)
    // There is no room for it until their limit is over; its own counts from then on.
    const late = bench.ask({ kind: 'command', command: 'true', timeoutMs: 1_000 })
    const ends = await Promise.all([...hung, ...asleep])
    expect(new Set(ends.map(end => JSON.stringify(end)))).toEqual(
      new Set(['{"error":"no answer within 2s"}']),
    )
    expect(await late).toMatchObject({ holds: true })
    expect(Date.now() - begin).toBeGreaterThan(1_900)
  }, 10_000)

  test('a stopped scheduler asks nothing', async () => {
    const answer = bench.ask(
      { kind: 'command', command: 'touch asked', timeoutMs: 2_000 },
      AbortSignal.abort(),
    )
    expect(await answer).toEqual({ error: 'the scheduler stops' })
    await expect(access(join(bench.root, 'asked'), constants.F_OK)).rejects.toThrow()
  })

  test('never rejects, whatever it is asked', async () => {
    await mkdir(join(bench.root, 'd'), { recursive: true })
    const words = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom('', '/', '..', '\0', 'd', '{{ds}}', '{{', 'http://', 'true', '"'),
    )
    const timeoutMs = fc.constantFrom(1, 50, 400)
    const question: fc.Arbitrary<Question> = fc.oneof(
      fc.record({ kind: fc.constant('file' as const), path: words, timeoutMs }),
      fc.record({ kind: fc.constant('command' as const), command: fc.array(words), timeoutMs }),
      fc.record({
        kind: fc.constant('http' as const),
        url: fc.oneof(words, fc.constant('http://127.0.0.1:1/{{ds}}')),
        method: fc.constant('GET' as const),
        headers: fc.dictionary(words, words, { maxKeys: 2 }),
        status: fc.constant([200]),
        timeoutMs,
      }),
      fc.record({
        kind: fc.constant('signal' as const),
        name: words,
        withinMs: fc.double(),
        timeoutMs,
      }),
      fc.record({
        kind: fc.constant('cel' as const),
        expression: fc.oneof(words, fc.constant('last_run(dag).status == tenant')),
        timeoutMs,
      }),
    )
    await fc.assert(
      fc.asyncProperty(question, async asked => {
        const begin = Date.now()
        const answer = await bench.ask(asked)
        expect(Date.now() - begin).toBeLessThan(asked.timeoutMs + 1_000)
        if ('error' in answer) expect(answer.error).not.toBe('')
        else expect(typeof answer.holds).toBe('boolean')
      }),
      { numRuns: 150 },
    )
    await bench.idle()
  }, 60_000)
})

test('what was seen fits into a line of the journal, whatever it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), saw => {
      const big = { ...saw, more: Array.from({ length: 40 }, () => 'x'.repeat(3_000)) }
      const answer = boundAnswer({ holds: true, saw: big as never })
      expect(JSON.stringify(answer).length).toBeLessThan(2_200)
    }),
  )
  expect(boundAnswer({ holds: true, saw: { a: 1 } })).toEqual({ holds: true, saw: { a: 1 } })
  expect(boundAnswer({ error: 'x'.repeat(3_000) })).toMatchObject({ error: expect.stringContaining('…') })
})
