import { describe, expect, test } from 'vitest'
import type { InputFile } from './load-definitions.ts'
import { loadDefinitions } from './load-definitions.ts'

const DAG = 'name: d\ntenant_id: t\ntasks:\n  - id: a\n    workflow_ref: work\n'

function input(file: string, text: string): InputFile {
  return { file, key: file, content: { bytes: Buffer.from(text) } }
}

/** Loads one file of pools and one schedule with these further lines. */
function load(pools: string | undefined, ...lines: string[]) {
  const schedule = ['- id: s', '  cron: "0 6 * * *"', '  dag: d', ...lines.map(line => `  ${line}`), ''].join(
    '\n',
  )
  return loadDefinitions({
    scheduleFiles: [input('s.yaml', schedule)],
    dagFiles: [input('d.yaml', DAG)],
    calendarFiles: [],
    icsFiles: [],
    poolFiles: pools === undefined ? [] : [input('pools.yaml', pools)],
    workflows: ['work'],
    problems: [],
    findDag: async () => ({ refused: 'no such file', help: '' }),
  })
}

async function good(pools: string | undefined, ...lines: string[]) {
  const result = await load(pools, ...lines)
  if (!result.ok) throw new Error(result.problems.map(({ frame }) => frame).join('\n'))
  return result.definitions
}

async function problems(pools: string | undefined, ...lines: string[]): Promise<string[]> {
  const result = await load(pools, ...lines)
  if (result.ok) return []
  return result.problems.map(
    ({ file, line, column, message, help }) => `${file}:${line}:${column} ${message} (${help})`,
  )
}

describe('the file', () => {
  test('a number, or a mapping, under each name', async () => {
    const { pools } = await good('warehouse: 4\na.b:\n  slots: 10000\n  description: why\n')
    expect([...pools]).toEqual([
      ['warehouse', { slots: 4 }],
      ['a.b', { slots: 10_000, description: 'why' }],
    ])
    expect((await good(undefined)).pools.size).toBe(0)
    expect((await good('{}\n')).pools.size).toBe(0)
  })

  test('tells everything that is wrong at once, with place and remedy', async () => {
    expect(
      await problems(
        'none: 0\nmuch: 10001\nhalf: 1.5\ntext: "4"\nlist: [4]\nmore: { slot: 4 }\nempty: {}\n-x: 1\n',
      ),
    ).toEqual([
      'pools.yaml:1:7 expected a number of slots (1 to 10000), or a mapping with slots, got 0 (for example none: 4)',
      'pools.yaml:2:7 expected a number of slots (1 to 10000), or a mapping with slots, got 10001 (for example much: 4)',
      'pools.yaml:3:7 expected a number of slots (1 to 10000), or a mapping with slots, got 1.5 (for example half: 4)',
      'pools.yaml:4:7 expected a number of slots (1 to 10000), or a mapping with slots, got "4" (for example text: 4)',
      'pools.yaml:5:7 expected a number of slots (1 to 10000), or a mapping with slots, got a list (for example list: 4)',
      'pools.yaml:6:9 unknown key "slot" (did you mean "slots"?)',
      'pools.yaml:7:8 missing key "slots" (add slots: 4)',
      expect.stringMatching(/^pools\.yaml:8:1 expected an id .*, got "-x" \(it begins with "-"/),
    ])
  })

  test('that is empty, or no mapping, is an error: one that is being saved can look empty', async () => {
    expect(await problems('')).toEqual([expect.stringContaining('the file is empty')])
    expect(await problems('- warehouse\n')).toEqual([
      'pools.yaml:1:1 expected pools (a mapping of names to slots), got a list (for example warehouse: 4)',
    ])
  })
})

describe('a schedule', () => {
  test('names a pool, its weight and a priority', async () => {
    const terms = async (...lines: string[]) => {
      const { pool, weight, priority } = (await good('db: 3\n', ...lines)).schedules.get('s')!
      return { pool, weight, priority }
    }
    expect(await terms()).toEqual({ pool: undefined, weight: 1, priority: 0 })
    expect(await terms('pool: db', 'priority: -100')).toEqual({ pool: 'db', weight: 1, priority: -100 })
    expect(await terms('pool: { name: db, weight: 3 }')).toEqual({ pool: 'db', weight: 3, priority: 0 })
  })

  test('that names a pool that is not there is told which one it may mean', async () => {
    expect(await problems('warehouse: 3\n', 'pool: warehose')).toEqual([
      's.yaml:4:9 unknown pool "warehose" (did you mean "warehouse"?)',
    ])
    expect(await problems('warehouse: 3\n', 'pool: { weight: 2, name: x }')).toEqual([
      's.yaml:4:28 unknown pool "x" (known pools: warehouse)',
    ])
    expect(await problems(undefined, 'pool: db')).toEqual([
      's.yaml:4:9 unknown pool "db" (there are no pools: add "db: 4" to configs/pools.yaml)',
    ])
  })

  test('that is heavier than its pool is refused, or it could never start beside others', async () => {
    expect(await problems('db: 3\n', 'pool: { name: db, weight: 4 }')).toEqual([
      's.yaml:4:29 expected a weight of at most 3, the slots of "db", got 4 (give the pool more slots, or the schedule a smaller weight)',
    ])
  })

  test('does not call a pool unknown whose file has problems of its own', async () => {
    expect(await problems('db: many\n', 'pool: db')).toEqual([expect.stringContaining('pools.yaml:1:5')])
  })

  test('hears of every field that is wrong', async () => {
    expect(await problems('db: 3\n', 'pool: { nam: db, weight: 0 }', 'priority: 101')).toEqual([
      's.yaml:4:11 unknown key "nam" (did you mean "name"?)',
      's.yaml:4:28 expected a number of slots (1 to 10000), got 0 (for example weight: 2)',
      's.yaml:5:13 expected a whole number (-100 to 100), got 101 (for example priority: 10)',
    ])
    expect(await problems('db: 3\n', 'pools: db')).toEqual([
      's.yaml:4:3 unknown key "pools" (did you mean "pool"?)',
    ])
  })
})
