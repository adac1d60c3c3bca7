import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildGraph, findCycle, findCycles, type GraphNode } from './graph.ts'

const node = (id: string, ...dependsOn: string[]): GraphNode => ({ id, dependsOn })

/** A graph without circles: each task depends on some that stand earlier in a hidden order. */
const acyclic = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 30 })
  .chain(rows =>
    fc.tuple(
      fc.constant(rows),
      fc.shuffledSubarray(
        rows.map((_, i) => i),
        { minLength: rows.length },
      ),
    ),
  )
  .map(([rows, written]) =>
    written.map(index => node(`t${index}`, ...(index === 0 ? [] : rows[index]!.map(n => `t${n % index}`)))),
  )

describe('buildGraph', () => {
  it("orders the seed's chain as its execution plan", () => {
    const graph = buildGraph([node('sweep'), node('report', 'sweep'), node('brief', 'report')])
    expect(graph.order).toEqual(['sweep', 'report', 'brief'])
    expect(graph.upstream.get('report')).toEqual(['sweep'])
    expect(graph.downstream.get('report')).toEqual(['brief'])
    expect(graph.downstream.get('brief')).toEqual([])
  })

  it('takes the task that was written first where several could come next', () => {
    expect(buildGraph([node('d', 'a'), node('c'), node('b', 'a'), node('a')]).order).toEqual([
      'c',
      'a',
      'd',
      'b',
    ])
  })

  it('keeps the written order of every list', () => {
    const graph = buildGraph([
      node('join', 'right', 'left'),
      node('left', 'top'),
      node('right', 'top'),
      node('top'),
    ])
    expect(graph.upstream.get('join')).toEqual(['right', 'left'])
    expect(graph.downstream.get('top')).toEqual(['left', 'right'])
  })

  it('puts every task after what it depends on, and is stable', () => {
    fc.assert(
      fc.property(acyclic, nodes => {
        const { order } = buildGraph(nodes)
        expect([...order].sort()).toEqual(nodes.map(each => each.id).sort())
        const at = new Map(order.map((id, index) => [id, index]))
        const written = new Map(nodes.map((each, index) => [each.id, index]))
        for (const each of nodes)
          for (const id of each.dependsOn) expect(at.get(id)!).toBeLessThan(at.get(each.id)!)
        // Stability: a later-written task comes right before an earlier one only if the earlier one waits for it.
        for (let i = 1; i < order.length; i++)
          if (written.get(order[i - 1]!)! > written.get(order[i]!)!)
            expect(nodes[written.get(order[i]!)!]!.dependsOn).toContain(order[i - 1])
        expect(findCycle(nodes)).toBeUndefined()
      }),
    )
  })

  it('orders 10,000 tasks in a chain, and 10,000 side by side, without recursion', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) =>
      i === 9_999 ? node(`t${i}`) : node(`t${i}`, `t${i + 1}`),
    )
    const before = performance.now()
    expect(buildGraph(chain).order[0]).toBe('t9999')
    expect(findCycle(chain)).toBeUndefined()
    const spentMs = performance.now() - before
    const wide = Array.from({ length: 10_000 }, (_, i) => node(`t${i}`))
    expect(buildGraph(wide).order[9_999]).toBe('t9999')
    // 50 ms is the goal on a quiet machine; a shared one gets more before this says "quadratic".
    expect(spentMs).toBeLessThan(500)
  })

  it('throws, naming the circle, where nobody validated', () => {
    expect(() => buildGraph([node('a', 'b'), node('b', 'a')])).toThrow('tasks form a cycle: a → b → a')
  })
})

describe('findCycle', () => {
  it.each([
    [[node('a', 'a')], ['a', 'a']],
    [
      [node('a', 'b'), node('b', 'a')],
      ['a', 'b', 'a'],
    ],
    [
      [node('x', 'c'), node('b', 'c'), node('c', 'b')],
      ['b', 'c', 'b'],
    ],
    [
      [node('c', 'a'), node('b', 'c'), node('a', 'b')],
      ['c', 'a', 'b', 'c'],
    ],
  ])('names the path, begun at its first-written task', (nodes, path) => {
    expect(findCycle(nodes)).toEqual(path)
  })

  it('finds each of several circles once', () => {
    const nodes = [
      node('a', 'b'),
      node('b', 'a'),
      node('c', 'c'),
      node('d', 'a'),
      node('e', 'f'),
      node('f', 'e'),
    ]
    expect(findCycles(nodes, 20)).toEqual([
      ['a', 'b', 'a'],
      ['c', 'c'],
      ['e', 'f', 'e'],
    ])
    expect(findCycles(nodes, 2)).toHaveLength(2)
  })

  it('finds one exactly where there is one, and its path is real', () => {
    const any = fc
      .array(fc.array(fc.nat(11), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
      .map(rows => rows.map((row, i) => node(`t${i}`, ...row.map(n => `t${n % rows.length}`))))
    fc.assert(
      fc.property(any, nodes => {
        const byId = new Map(nodes.map(each => [each.id, each]))
        // The plain way: strike out what depends on nothing that is left, until nothing changes.
        const left = new Set(nodes.map(each => each.id))
        for (let changed = true; changed; ) {
          changed = false
          for (const id of left)
            if (!byId.get(id)!.dependsOn.some(up => left.has(up))) changed = left.delete(id) || changed
        }
        const path = findCycle(nodes)
        expect(path !== undefined).toBe(left.size > 0)
        if (!path) return
        expect(path.at(-1)).toBe(path[0])
        for (let i = 1; i < path.length; i++) expect(byId.get(path[i - 1]!)!.dependsOn).toContain(path[i])
      }),
    )
  })
})
