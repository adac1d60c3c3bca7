import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import type { Stream, StreamPosition } from '../../core/stream/stream.ts'
import type { StreamBatch } from '../../ports/stream-reader.ts'
import { createFileStreamReader } from './reader.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-stream-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const signal = new AbortController().signal
const stream = (more: Partial<Stream> = {}): Stream => ({
  name: 'orders',
  source: { kind: 'file', path: 'orders.jsonl' },
  maxRecords: 1_000,
  ...more,
})
const at = (name: string) => join(root, name)
const read = (from?: StreamPosition, more?: Partial<Stream>): Promise<StreamBatch> =>
  createFileStreamReader({ root }).read(stream(more), from, signal)
const hasMore = (from?: StreamPosition) => createFileStreamReader({ root }).hasMore(stream(), from, signal)
const write = (text: string | Buffer, name = 'orders.jsonl') => appendFileSync(at(name), text)
const lines = (...ids: number[]) =>
  ids.map(id => `${JSON.stringify({ id, text: 'ä'.repeat(id % 7) })}\n`).join('')
const idsOf = ({ records }: { records: JsonObject[] }) => records.map(({ id }) => id)

describe('a file that grows', () => {
  test('gives each record once, and the same ones again from the same position', async () => {
    write(lines(1, 2))
    const first = await read()
    write(lines(3))
    const second = await read(first.to)
    expect([idsOf(first), idsOf(second)]).toEqual([[1, 2], [3]])
    expect(await read(first.to)).toEqual(second)
    expect(await read(second.to)).toEqual({ records: [], dead: [], to: second.to, more: false })
    expect(idsOf(await read())).toEqual([1, 2, 3])
  })

  test('a batch has at most so many, and says that there is more', async () => {
    write(lines(1, 2, 3))
    const first = await read(undefined, { maxRecords: 2 })
    expect([idsOf(first), first.more]).toEqual([[1, 2], true])
    const second = await read(first.to, { maxRecords: 1 })
    expect([idsOf(second), second.more]).toEqual([[3], false])
  })

  test('a batch fits an output, whatever its records are', async () => {
    const text = 'x'.repeat(200 * 1024)
    for (let id = 0; id < 10; id++) write(`${JSON.stringify({ id, text })}\n`)
    let from: StreamPosition | undefined
    const ids: unknown[] = []
    for (let batches = 0; batches < 3; batches++) {
      const batch = await read(from)
      expect(JSON.stringify(batch.records).length).toBeLessThan(900 * 1024)
      expect(batch.more).toBe(batches < 2)
      ids.push(...idsOf(batch))
      from = batch.to
    }
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('a line without a line feed is not read yet', async () => {
    write('{"id":1}\n{"id":')
    const first = await read()
    expect(idsOf(first)).toEqual([1])
    expect(await hasMore(first.to)).toBe(false)
    write('2}\n')
    expect(await hasMore(first.to)).toBe(true)
    expect(idsOf(await read(first.to))).toEqual([2])
  })

  test('a byte order mark, CRLF and empty lines are no records', async () => {
    write('\uFEFF{"id":1}\r\n\r\n  \n{"id":2}\r\n')
    const batch = await read()
    expect([idsOf(batch), batch.dead]).toEqual([[1, 2], []])
    write('\n\n')
    expect(await hasMore(batch.to)).toBe(false)
  })

  test('a separator that JSON allows and line readers trip over', async () => {
    write(`{"id":1,"text":"a\u2028b\u2029c\u0085d"}\n`)
    expect((await read()).records).toEqual([{ id: 1, text: 'a\u2028b\u2029c\u0085d' }])
  })
})

describe('what is no record', () => {
  test('is handed over with its place and its error, and counts as read', async () => {
    write('{"id":1}\nnonsense\n[1]\n"x"\n')
    write(Buffer.from([0x22, 0xff, 0x22, 0x0a]))
    write(`{"text":"${'x'.repeat(300 * 1024)}"}\n`)
    write(`{"list":[${Array(50_000).fill('1e20').join(',')}]}\n{"id":2}\n`)
    const batch = await read()
    expect(idsOf(batch)).toEqual([1, 2])
    expect(batch.dead.map(({ place, error }) => [place, error])).toEqual([
      ['orders.jsonl:2', expect.stringContaining('not JSON')],
      ['orders.jsonl:3', 'expected a JSON object, got a list'],
      ['orders.jsonl:4', 'expected a JSON object, got a text'],
      ['orders.jsonl:5', 'the line is not UTF-8'],
      ['orders.jsonl:6', 'the line has more than 256 KiB'],
      ['orders.jsonl:7', 'the record has more than 512 KiB as JSON'],
    ])
    expect(batch.dead[0]!.text).toBe('nonsense')
    expect(batch.dead[4]!.text).toHaveLength(64 * 1024)
    expect(await hasMore(batch.to)).toBe(false)
  })

  test('a line of 30 MB takes no memory to speak of', async () => {
    for (let part = 0; part < 30; part++) write('x'.repeat(1024 * 1024))
    write('\n{"id":1}\n')
    const batch = await read()
    expect([idsOf(batch), batch.dead.length]).toEqual([[1], 1])
  })
})

describe('rotation', () => {
  test.each([
    'orders.jsonl.1',
    'orders-20260105.jsonl',
    'orders.jsonl-20260105',
    'orders.2026-01-05T06-00.jsonl',
    'orders.old',
  ])('a file that became %s is read to its end, then the new one', async name => {
    write(lines(1, 2, 3))
    const first = await read(undefined, { maxRecords: 2 })
    renameSync(at('orders.jsonl'), at(name))
    expect(await hasMore(first.to)).toBe(true)
    write(lines(4))
    const second = await read(first.to)
    expect([idsOf(second), second.dead, second.more]).toEqual([[3, 4], [], false])
    write(lines(5))
    expect(idsOf(await read(second.to))).toEqual([5])
  })

  test('several rotations between two runs', async () => {
    write(lines(1))
    const first = await read()
    for (const id of [2, 3, 4]) {
      for (let index = id; index > 0; index--)
        if (existsSync(at(`orders.jsonl.${index}`)))
          renameSync(at(`orders.jsonl.${index}`), at(`orders.jsonl.${index + 1}`))
      renameSync(at('orders.jsonl'), at('orders.jsonl.1'))
      write(lines(id))
    }
    expect(idsOf(await read(first.to))).toEqual([2, 3, 4])
  })

  test('the beginning is that of the oldest file there is', async () => {
    write(lines(1))
    renameSync(at('orders.jsonl'), at('orders.jsonl.1'))
    expect(idsOf(await read())).toEqual([1])
    write(lines(2))
    expect(idsOf(await read({}))).toEqual([1, 2])
  })

  test('a neighbour whose name begins alike is another stream', async () => {
    write(lines(1))
    const first = await read()
    renameSync(at('orders.jsonl'), at('orders.jsonl.1'))
    write(lines(100), 'orders_eu.jsonl')
    write(lines(101), 'orders-archive.jsonl')
    write(lines(2))
    const later = new Date(Date.now() + 1_000)
    utimesSync(at('orders.jsonl'), later, later)
    expect(idsOf(await read(first.to))).toEqual([2])
  })

  test('the new file is not there yet, or has nothing yet: the old one goes on', async () => {
    write(lines(1))
    const first = await read()
    renameSync(at('orders.jsonl'), at('orders.jsonl.1'))
    expect((await read(first.to)).records).toEqual([])
    writeFileSync(at('orders.jsonl'), '')
    write(lines(2), 'orders.jsonl.1')
    const second = await read(first.to)
    expect(idsOf(second)).toEqual([2])
    write(lines(3))
    expect(idsOf(await read(second.to))).toEqual([3])
  })

  test('what the old file ends with is read when the new one has a line', async () => {
    write('{"id":1}\n{"id":2}')
    const first = await read()
    renameSync(at('orders.jsonl'), at('orders.jsonl.1'))
    write('{"id":')
    expect((await read(first.to)).records).toEqual([])
    write('3}\n')
    const second = await read(first.to)
    expect([idsOf(second), second.dead]).toEqual([[2, 3], []])
  })

  test('half a record at the end of the old file is said', async () => {
    write('{"id":1}\n{"id":2')
    const first = await read()
    renameSync(at('orders.jsonl'), at('orders.jsonl.1'))
    write(lines(3))
    const second = await read(first.to)
    expect(idsOf(second)).toEqual([3])
    expect(second.dead).toMatchObject([
      {
        place: 'orders.jsonl.1:2',
        error: expect.stringContaining('ends in the middle of it'),
        text: '{"id":2',
      },
    ])
  })

  test('copytruncate: the copy is read to its end', async () => {
    write(lines(1, 2))
    const first = await read(undefined, { maxRecords: 1 })
    copyFileSync(at('orders.jsonl'), at('orders.jsonl.1'))
    truncateSync(at('orders.jsonl'))
    write(lines(3))
    const second = await read(first.to)
    expect([idsOf(second), second.dead]).toEqual([[2, 3], []])
  })

  test('copytruncate, and the file has come to its old length again', async () => {
    write(lines(1, 2))
    const first = await read()
    copyFileSync(at('orders.jsonl'), at('orders.jsonl.1'))
    truncateSync(at('orders.jsonl'))
    write(lines(8, 9))
    expect(await hasMore(first.to)).toBe(true)
    expect(idsOf(await read(first.to))).toEqual([8, 9])
  })

  test('a symbolic link that goes to the file of the day', async () => {
    write(lines(1), 'orders-2026-01-05.jsonl')
    symlinkSync('orders-2026-01-05.jsonl', at('orders.jsonl'))
    const first = await read()
    write(lines(2), 'orders-2026-01-05.jsonl')
    write(lines(3), 'orders-2026-01-06.jsonl')
    unlinkSync(at('orders.jsonl'))
    symlinkSync('orders-2026-01-06.jsonl', at('orders.jsonl'))
    expect(idsOf(await read(first.to))).toEqual([2, 3])
  })
})

describe('a file that was replaced', () => {
  const replacements: [string, () => void][] = [
    ['truncated and written anew', () => truncateSync(at('orders.jsonl'))],
    ['deleted and made anew', () => unlinkSync(at('orders.jsonl'))],
    ['compressed at once', () => renameSync(at('orders.jsonl'), at('orders.jsonl.1.gz'))],
    ['overwritten at the same length', () => writeFileSync(at('orders.jsonl'), '')],
  ]
  test.each(replacements)('%s: it is said once, and reading goes on at the beginning', async (_, replace) => {
    write(lines(1, 2))
    const first = await read()
    replace()
    write(lines(7, 8, 9))
    expect(await hasMore(first.to)).toBe(true)
    const second = await read(first.to)
    expect(idsOf(second)).toEqual([7, 8, 9])
    expect(second.dead).toMatchObject([
      { place: 'orders.jsonl:2', error: expect.stringContaining('was read up to line 2 is there no more') },
    ])
    expect(second.dead[0]!.error).toContain('delaycompress')
    write(lines(10))
    const third = await read(second.to)
    expect([idsOf(third), third.dead]).toEqual([[10], []])
  })

  test('gone and nothing in its place: nothing is read, nothing forgotten', async () => {
    write(lines(1))
    const first = await read()
    renameSync(at('orders.jsonl'), at('elsewhere'))
    expect(await read(first.to)).toEqual({ records: [], dead: [], to: first.to, more: false })
    renameSync(at('elsewhere'), at('orders.jsonl'))
    write(lines(2))
    expect(idsOf(await read(first.to))).toEqual([2])
  })

  test('said once also where the new file has no line yet', async () => {
    write(lines(1))
    const first = await read()
    truncateSync(at('orders.jsonl'))
    const second = await read(first.to)
    expect(second.dead).toHaveLength(1)
    const third = await read(second.to)
    expect([third.records, third.dead]).toEqual([[], []])
    write(lines(2))
    expect(idsOf(await read(second.to))).toEqual([2])
  })
})

describe('what cannot be read', () => {
  test('a file that is not there yet has no records', async () => {
    expect(await read()).toEqual({ records: [], dead: [], to: {}, more: false })
    expect(await hasMore()).toBe(false)
    write(lines(1))
    expect(idsOf(await read({}))).toEqual([1])
    expect(await hasMore({})).toBe(true)
  })

  test('a folder that is not there, a folder in its place, a position of another kind', async () => {
    const source = { kind: 'file', path: 'nowhere/orders.jsonl' } as const
    await expect(read(undefined, { source })).rejects.toThrow('there is no folder for nowhere/orders.jsonl')
    await expect(read({ key: 7 })).rejects.toThrow('the position is not one of a file')
    mkdirSync(at('orders.jsonl'))
    await expect(read()).rejects.toThrow('is not a file')
  })

  test('a read that is called off', async () => {
    write(lines(1))
    const stop = new AbortController()
    stop.abort(new Error('called off'))
    await expect(createFileStreamReader({ root }).read(stream(), undefined, stop.signal)).rejects.toThrow(
      'called off',
    )
  })

  test('what hangs is left behind, and holds up at most two', async () => {
    execFileSync('mkfifo', [at('pipe')])
    const reader = createFileStreamReader({ root })
    const source = { kind: 'file', path: 'pipe' } as const
    const position = { file: { inode: '1', head: 'x', tail: 'x' }, offset: 1, line: 1 }
    const asked = [1, 2, 3].map(() => {
      const stop = new AbortController()
      const answer = reader.hasMore(stream({ source }), position, stop.signal)
      return { stop, answer }
    })
    for (const { stop, answer } of asked) {
      stop.abort(new Error('called off'))
      await expect(answer).rejects.toThrow('called off')
    }
    // Whoever opens the other end lets them go.
    const end = openSync(at('pipe'), 'r+')
    write(lines(1))
    expect((await reader.read(stream(), undefined, signal)).records).toHaveLength(1)
    closeSync(end)
  })
})

/** One step of a writer, a rotation or a reader. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('write' as const), records: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('half' as const), cut: fc.integer({ min: 1, max: 8 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('rotate' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('read' as const), max: fc.integer({ min: 1, max: 5 }) }),
    },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
)

describe('any appends, rotations and reads', () => {
  test.each(['renamed by number', 'renamed by date', 'copied and truncated'] as const)(
    '%s: each record once, in order',
    async manner => {
      let rotations = 0
      let halves = 0
      await fc.assert(
        fc.asyncProperty(steps, async story => {
          const folder = mkdtempSync(join(root, 'story-'))
          const file = join(folder, 'orders.jsonl')
          const reader = createFileStreamReader({ root: folder })
          let id = 0
          let rotation = 0
          let half = ''
          const got: unknown[] = []
          let position: StreamPosition | undefined
          const append = (text: string) => appendFileSync(file, text)
          const readOn = async (maxRecords: number) => {
            const expected = await reader.hasMore(stream(), position, signal)
            const batch = await reader.read(stream({ maxRecords }), position, signal)
            expect(batch.records.length > 0).toBe(expected)
            expect(batch.dead).toEqual([])
            got.push(...idsOf(batch))
            position = batch.to
            return batch.more
          }
          for (const step of story) {
            if (step.do === 'read') await readOn(step.max)
            if (step.do === 'half' && half === '') {
              const line = lines(++id)
              append(line.slice(0, step.cut))
              half = line.slice(step.cut)
              halves++
            }
            if (step.do === 'write') {
              append(half)
              half = ''
              for (let n = 0; n < step.records; n++) append(lines(++id))
            }
            if (step.do === 'rotate' && existsSync(file)) {
              rotations++
              rotation++
              const index = (n: number) => `${file}.${n}`
              if (manner !== 'renamed by date')
                for (let n = rotation; n > 0; n--)
                  if (existsSync(index(n))) renameSync(index(n), index(n + 1))
              if (manner === 'copied and truncated') {
                append(half)
                half = ''
                copyFileSync(file, index(1))
                truncateSync(file)
              } else {
                const old =
                  manner === 'renamed by number'
                    ? index(1)
                    : join(folder, `orders-${String(20260000 + rotation)}.jsonl`)
                renameSync(file, old)
                // The writer ends its line before it goes on.
                if (half !== '') appendFileSync(old, half)
                half = ''
              }
            }
          }
          append(half)
          append(lines(++id))
          while (await readOn(3));
          expect(got).toEqual(Array.from({ length: id }, (_, n) => n + 1))
          rmSync(folder, { recursive: true })
        }),
        { numRuns: 80 },
      )
      expect(rotations).toBeGreaterThan(50)
      expect(halves).toBeGreaterThan(50)
    },
  )
})
