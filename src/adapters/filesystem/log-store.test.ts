// Logs on disk: paths that stay inside, a limit that holds while a stranger writes, and an end that is still known.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LimitedLog } from './log-limit.ts'
import { createLogStore } from './log-store.ts'
import { findLastLine, findOutput, STDOUT_TAIL_BYTES } from './log-tail.ts'

const LIMIT_BYTES = 1_000

describe('log store', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'dagbok-logs-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  test('whatever the ids are, the folder is three levels below runs/, and its own', () => {
    const store = createLogStore({ root })
    const folders = new Map<string, string>()
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.string({ maxLength: 30 }),
        fc.nat(),
        (runId, taskId, attempt) => {
          const { directory } = store.locate({ runId, taskId, attempt })
          const inside = directory.slice(join(root, 'runs').length)
          expect(directory.startsWith(join(root, 'runs') + sep)).toBe(true)
          expect(inside.split(sep)).toHaveLength(4)
          const key = JSON.stringify([runId, taskId, attempt])
          expect(folders.get(directory) ?? key).toBe(key)
          folders.set(directory, key)
        },
      ),
    )
  })

  test('a run id can be read in its path', () => {
    const { stdout } = createLogStore({ root }).locate({
      runId: 'weekly@2026-01-05T06:00Z',
      taskId: 'sweep',
      attempt: 2,
    })
    expect(stdout).toBe(join(root, 'runs', 'weekly@2026-01-05T06%3A00Z', 'sweep', '2', 'stdout.log'))
  })

  test('lists the attempts of a run, in order', () => {
    const store = createLogStore({ root })
    const keys = [
      { runId: 'r', taskId: 'a', attempt: 2 },
      { runId: 'r', taskId: 'a', attempt: 10 },
      { runId: 'r', taskId: 'b', attempt: 1 },
    ]
    for (const key of [...keys].reverse()) store.prepare(key)
    store.prepare({ runId: 'other', taskId: 'a', attempt: 1 })
    expect(store.list('r')).toEqual(keys)
    expect(store.list('unknown')).toEqual([])
    expect(statSync(store.locate(keys[0]!).directory).mode & 0o777).toBe(0o700)
  })

  test('a guard reads the end of both streams', () => {
    const store = createLogStore({ root })
    const logs = store.prepare({ runId: 'r', taskId: 'a', attempt: 1 })
    const guard = store.guard(logs)
    appendFileSync(logs.stdout, 'text\n{"a":1}\n')
    appendFileSync(logs.stderr, 'first\n\u001b[31mlast\u001b[0m\n\n')
    expect(guard.finish()).toEqual({
      output: { a: 1 },
      lastLine: '{"a":1}',
      lastErrorLine: 'last',
      droppedBytes: 0,
    })
  })

  test('without files there is an empty end', () => {
    const store = createLogStore({ root })
    const guard = store.guard(store.locate({ runId: 'r', taskId: 'a', attempt: 1 }))
    expect(guard.finish()).toEqual({
      output: undefined,
      lastLine: '',
      lastErrorLine: '',
      droppedBytes: 0,
    })
  })
})

describe('the limit', () => {
  let root: string
  let path: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'dagbok-limit-'))
    path = join(root, 'log')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  test('however the writing is cut, the beginning stands on disk and the end is known', () => {
    const part = fc.tuple(
      fc.string({ minLength: 1, maxLength: 900 }).map(text => `${text}\n`),
      fc.boolean(),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), parts => {
        rmSync(path, { force: true })
        const log = new LimitedLog({ path, limitBytes: LIMIT_BYTES, tailBytes: 300 })
        let written = Buffer.alloc(0)
        for (const [text, look] of parts) {
          appendFileSync(path, text)
          written = Buffer.concat([written, Buffer.from(text)])
          if (look) log.check()
        }
        const { tail, droppedBytes } = log.finish()
        expect(tail.bytes).toEqual(written.subarray(Math.max(0, written.length - 300)))
        expect(droppedBytes).toBe(Math.max(0, written.length - LIMIT_BYTES))
        if (written.length === 0) return
        const kept = readFileSync(path)
        expect(kept.subarray(0, LIMIT_BYTES)).toEqual(written.subarray(0, LIMIT_BYTES))
        if (droppedBytes === 0) expect(kept).toEqual(written)
        else expect(kept.subarray(LIMIT_BYTES).toString()).toContain(`${droppedBytes} were dropped`)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the end', () => {
  const tail = (text: string, partial = false) => ({ bytes: Buffer.from(text), partial })

  test.each([
    ['{"a":1}', { a: 1 }],
    ['{"a":1}\r\n  \n', { a: 1 }],
    ['x {"a":1}\n', undefined],
    ['[1]\n"s"\n1\n', undefined],
    ['{"a":1}\n{"b":2}\n{broken}\n', { b: 2 }],
    ['', undefined],
  ])('output of %j', (text, output) => {
    expect(findOutput(tail(text))).toEqual(output)
  })

  test('the rest of a line that began before is no line', () => {
    expect(findOutput(tail('{"a":1}\n', true))).toBeUndefined()
    expect(findOutput(tail('rest\n{"a":1}\n', true))).toEqual({ a: 1 })
  })

  test('more than 1 MiB is too large, whether its beginning is in sight or not', () => {
    const json = `{"s":"${'x'.repeat(2 * 1024 * 1024)}"}\n`
    expect(findOutput(tail(json))).toBe('too_large')
    expect(findOutput(tail(json.slice(-STDOUT_TAIL_BYTES), true))).toBe('too_large')
  })

  test('the last line is plain and short', () => {
    expect(findLastLine(tail(`a\n\u001b[1m${'x'.repeat(600)}\u0007\n`))).toBe('x'.repeat(500))
  })
})
