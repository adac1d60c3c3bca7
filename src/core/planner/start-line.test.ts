import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aRun } from '../../../test/support/builders.ts'
import type { RunState } from '../run/run.ts'
import type { Pools } from '../schedule/pool.ts'
import { compareRank, StartLine } from './start-line.ts'

function poolsOf(sizes: Record<string, number>): Pools {
  return new Map(Object.entries(sizes).map(([name, slots]) => [name, { slots }]))
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const POOLS = poolsOf({ db: 2, api: 1 })

function lineOf(...runs: RunState[]): StartLine {
  const line = new StartLine()
  for (const run of runs) line.add(run)
  return line
}

/** Starts whoever may, one after the other. */
function startAll(line: StartLine, pools: Pools): RunState[] {
  const started: RunState[] = []
  for (let run = line.first(pools); run !== undefined; run = line.first(pools)) {
    line.delete(run)
    line.hold(run)
    started.push(run)
  }
  return started
}

describe('order', () => {
  test('by priority, then by place, whenever they joined', () => {
    const runs = [aRun(4), aRun(2), aRun(9, undefined, 1, 3), aRun(1, undefined, 1, -3), aRun(3)]
    expect(startAll(lineOf(...runs), POOLS).map(({ place }) => place)).toEqual([9, 2, 3, 4, 1])
  })

  test('one who is in the line is not put there twice, nor at another place', () => {
    const late = aRun(1)
    const line = lineOf(aRun(2), late, late, aRun(3))
    line.add(late)
    expect(line.size).toBe(3)
    line.delete(late)
    line.delete(late)
    expect(line.size).toBe(2)
    expect(line.waiting(undefined).map(({ place }) => place)).toEqual([2, 3])
  })
})

describe('room', () => {
  test('the first of a pool that does not fit holds back its pool alone', () => {
    const line = lineOf(aRun(1, 'db'), aRun(2, 'db', 2), aRun(3, 'db'), aRun(4, 'api'), aRun(5))
    expect(startAll(line, POOLS).map(({ place }) => place)).toEqual([1, 4, 5])
    line.release(aRun(1, 'db'))
    expect(startAll(line, POOLS).map(({ place }) => place)).toEqual([2])
    expect(line.held).toEqual(
      new Map([
        ['db', 2],
        ['api', 1],
      ]),
    )
  })

  test('when the first one leaves, the next is asked', () => {
    const heavy = aRun(2, 'db', 2)
    const line = lineOf(aRun(1, 'db'), heavy, aRun(3, 'db'))
    startAll(line, POOLS)
    line.delete(heavy)
    expect(startAll(line, POOLS).map(({ place }) => place)).toEqual([3])
  })

  test('other pools in force: everyone is asked again', () => {
    const line = lineOf(aRun(1, 'api'), aRun(2, 'api'))
    expect(startAll(line, POOLS)).toHaveLength(1)
    expect(startAll(line, poolsOf({ api: 2 }))).toHaveLength(1)
  })

  test('a pool that is not defined limits nothing; one that is too small takes one run at a time', () => {
    expect(startAll(lineOf(aRun(1, 'gone', 7), aRun(2, 'gone', 7)), POOLS)).toHaveLength(2)
    const line = lineOf(aRun(1, 'api', 5), aRun(2, 'api', 5))
    expect(startAll(line, POOLS)).toHaveLength(1)
    line.release(aRun(1, 'api', 5))
    expect(startAll(line, POOLS)).toHaveLength(1)
  })

  test('nothing is left of a pool that nobody waits for or holds', () => {
    const run = aRun(1, 'db')
    const line = lineOf(run)
    startAll(line, POOLS)
    line.release(run)
    expect([...line.names()]).toEqual([])
  })
})

test('a thousand full pools cost nothing while nothing about them changes', () => {
  const pools = poolsOf(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`p${i}`, 1])))
  const line = new StartLine()
  let place = 0
  for (const name of pools.keys()) {
    line.hold(aRun(0, name))
    for (let i = 0; i < 5; i++) line.add(aRun(++place, name))
  }
  expect(line.first(pools)).toBeUndefined()
  let asked = 0
  const count = () => {
    asked += 1
    return { slots: 1 }
  }
  const counting = { get: count } as unknown as Pools
  expect(line.first(counting)).toBeUndefined()
  expect(asked).toBe(1_000)
  for (let i = 0; i < 1_000; i++) expect(line.first(counting)).toBeUndefined()
  expect(asked).toBe(1_000)
  line.release(aRun(0, 'p7'))
  expect(line.first(counting)?.pool).toBe('p7')
  expect(asked).toBe(1_001)
})

const NAMES = [undefined, 'db', 'api', 'gone'] as const

test('through any story it answers as a list that is searched from the front', () => {
  const move = fc.record({
    kind: fc.constantFrom('join', 'join', 'again', 'start', 'start', 'end', 'leave', 'resize'),
    pick: fc.nat(1_000),
    weight: fc.integer({ min: 1, max: 3 }),
    priority: fc.constantFrom(0, 0, 0, 5, -5),
  })
  fc.assert(
    fc.property(fc.array(move, { maxLength: 200 }), moves => {
      let pools = POOLS
      const line = new StartLine()
      const waiting: RunState[] = []
      const running: RunState[] = []
      const free = Array.from({ length: 200 }, (_, i) => i + 1)
      for (const { kind, pick, weight, priority } of moves) {
        if (kind === 'join') {
          // Any place that is left: some join late.
          const [place] = free.splice(pick % Math.min(4, free.length), 1)
          const run = aRun(place!, NAMES[pick % NAMES.length], weight, priority)
          waiting.push(run)
          line.add(run)
        } else if (kind === 'again' && waiting.length > 0) {
          line.add(waiting[pick % waiting.length]!)
        } else if (kind === 'leave' && waiting.length > 0) {
          const [run] = waiting.splice(pick % waiting.length, 1)
          line.delete(run!)
        } else if (kind === 'end' && running.length > 0) {
          const [run] = running.splice(pick % running.length, 1)
          line.release(run!)
        } else if (kind === 'resize') {
          pools = poolsOf({ db: 1 + (pick % 4), api: 1 + (pick % 2) })
        } else if (kind === 'start') {
          const run = searchFirst(waiting, running, pools)
          expect(line.first(pools)).toBe(run)
          if (run === undefined) continue
          waiting.splice(waiting.indexOf(run), 1)
          running.push(run)
          line.delete(run)
          line.hold(run)
        }
        expect(line.size).toBe(waiting.length)
      }
      const inLine = NAMES.flatMap(pool => line.waiting(pool)).sort(compareRank)
      expect(inLine).toEqual(waiting.sort(compareRank))
    }),
  )
})

function searchFirst(waiting: readonly RunState[], running: readonly RunState[], pools: Pools) {
  const seen = new Set<string>()
  return [...waiting].sort(compareRank).find(({ pool, weight }) => {
    if (pool === undefined) return true
    if (seen.has(pool)) return false
    seen.add(pool)
    const held = running.reduce((sum, run) => sum + (run.pool === pool ? run.weight : 0), 0)
    const slots = pools.get(pool)?.slots
    return slots === undefined || held === 0 || held + weight <= slots
  })
}

test('of those who have left few are kept, even where nobody asks who is first', async () => {
  const line = new StartLine()
  // Somebody who stays, so that the lines are not simply gone.
  line.add(aRun(0, 'db'))
  const left: WeakRef<RunState>[] = []
  for (let place = 1; place <= 1_000; place++) {
    const run = aRun(place, place % 2 === 0 ? 'api' : undefined, 1, place % 3)
    line.add(run)
    line.delete(run)
    left.push(new WeakRef(run))
  }
  // What a WeakRef was made for stays until the turn is over.
  await nextTurn()
  collectGarbage()
  expect(left.filter(ref => ref.deref() !== undefined).length).toBeLessThan(100)
  expect(line.first(POOLS)?.place).toBe(0)
})

test('a run that comes back is first again, however many came and went meanwhile', () => {
  const line = new StartLine()
  const run = aRun(1)
  line.add(run)
  line.delete(run)
  for (let place = 2; place <= 1_000; place++) {
    const other = aRun(place, 'api')
    line.add(other)
    line.delete(other)
  }
  line.add(run)
  expect(startAll(line, POOLS)).toEqual([run])
})
