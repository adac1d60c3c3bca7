// The order between tasks: who waits for whom, in which order they are listed, and where a circle is.
//
//   G1. Linear in tasks + edges (the order adds a log factor for its heap); no recursion, so depth costs no stack.
//   G2. The order is stable: of the tasks that could come next, the one that was written first does.
//   G3. Unknown and repeated dependencies are not looked at here: core/dag/validate.ts names them.

/** The part of a task that the graph needs; a `Task` is one. */
export interface GraphNode {
  readonly id: string
  readonly dependsOn: readonly string[]
}

export interface DagGraph {
  /** Every task id, each after everything it depends on: the execution plan. */
  readonly order: readonly string[]
  /** Task id → the ids it depends on, in the order they were written. */
  readonly upstream: ReadonlyMap<string, readonly string[]>
  /** Task id → the ids that depend on it, in the order they were written. */
  readonly downstream: ReadonlyMap<string, readonly string[]>
}

/**
 * Orders the tasks of a DAG that was validated.
 * @throws Error  the tasks form a cycle: whoever built them did not validate them
 */
export function buildGraph(nodes: readonly GraphNode[]): DagGraph {
  const edges = indexEdges(nodes)
  const waiting = new Int32Array(nodes.length)
  const after: number[][] = nodes.map(() => [])
  edges.forEach((targets, index) => {
    waiting[index] = targets.length
    for (const target of targets) after[target]!.push(index)
  })
  const ready = new IndexHeap()
  for (let index = 0; index < nodes.length; index++) if (waiting[index] === 0) ready.push(index)
  const order: string[] = []
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    order.push(nodes[index]!.id)
    for (const next of after[index]!) if (--waiting[next]! === 0) ready.push(next)
  }
  if (order.length < nodes.length)
    throw new Error(`tasks form a cycle: ${findCycle(nodes)?.join(' → ') ?? 'two tasks share an id'}`)
  return {
    order,
    upstream: new Map(nodes.map((node, index) => [node.id, edges[index]!.map(target => nodes[target]!.id)])),
    downstream: new Map(nodes.map((node, index) => [node.id, after[index]!.map(next => nodes[next]!.id)])),
  }
}

/** The first circle, by path along `dependsOn`, begun at its first-written task: `['a', 'b', 'a']`. */
export function findCycle(nodes: readonly GraphNode[]): string[] | undefined {
  return findCycles(nodes, 1)[0]
}

/** Up to `limit` circles that share no edge back; at least one if there is any. Same form as `findCycle`. */
export function findCycles(nodes: readonly GraphNode[], limit: number): string[][] {
  const edges = indexEdges(nodes)
  // 0: not seen; 1: on the path; 2: done.
  const colour = new Uint8Array(nodes.length)
  const told = new Uint8Array(nodes.length)
  const cycles: string[][] = []
  for (let root = 0; root < nodes.length && cycles.length < limit; root++) {
    if (colour[root] !== 0) continue
    const path = [root]
    const cursor = [0]
    colour[root] = 1
    while (path.length > 0 && cycles.length < limit) {
      const node = path.at(-1)!
      const target = edges[node]![cursor[cursor.length - 1]!++]
      if (target === undefined) {
        colour[node] = 2
        path.pop()
        cursor.pop()
      } else if (colour[target] === 0) {
        colour[target] = 1
        path.push(target)
        cursor.push(0)
      } else if (colour[target] === 1 && !told[node] && !told[target]) {
        const circle = path.slice(path.lastIndexOf(target))
        for (const member of circle) told[member] = 1
        cycles.push(beginAtFirstWritten(circle).map(index => nodes[index]!.id))
      }
    }
  }
  return cycles
}

function beginAtFirstWritten(circle: readonly number[]): number[] {
  let start = 0
  for (let at = 1; at < circle.length; at++) if (circle[at]! < circle[start]!) start = at
  return [...circle.slice(start), ...circle.slice(0, start), circle[start]!]
}

/** Edges by index, without unknown targets and repeats. Of tasks that share an id the first one counts. */
function indexEdges(nodes: readonly GraphNode[]): number[][] {
  const indexById = new Map<string, number>()
  nodes.forEach((node, index) => {
    if (!indexById.has(node.id)) indexById.set(node.id, index)
  })
  return nodes.map(node => {
    const targets = new Set<number>()
    for (const id of node.dependsOn) {
      const target = indexById.get(id)
      if (target !== undefined) targets.add(target)
    }
    return [...targets]
  })
}

/** A binary heap of small integers: the least one comes out first. */
class IndexHeap {
  readonly #items: number[] = []

  push(item: number): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! <= item) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop(): number | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (least === undefined || last === undefined || items.length === 0) return least
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++
      if (items[child]! >= last) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return least
  }
}
