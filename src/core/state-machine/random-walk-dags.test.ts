// Random stories inside of runs: trigger rules of every kind, tasks that say SKIP or stop what follows, fan-outs over clients,
// and sources whose files and records several runs want at once. Whatever happens in whatever order, the facts and the lines
// are the same live, replayed and restored, and every version of a file and every record goes to at most one successful run.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aTask, definitionsOf } from '../../../test/support/builders.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import { clientTaskId } from '../client/client.ts'
import type { Dag } from '../dag/dag.ts'
import { WRAPPER_WORKFLOWS } from '../dag/manifest.ts'
import type { Task } from '../dag/task.ts'
import { judgeTrigger, TRIGGER_RULES, type UpstreamCounts } from '../dag/trigger-rule.ts'
import { isFinal, type RunState } from '../run/run.ts'
import type { Taken } from '../run/taken.ts'
import { consumedKeys, isCandidate } from '../stage/stage-files.ts'
import { describeState, replay } from './checkpoint.ts'
import type { AttemptResult } from './command.ts'
import type { Event } from './event.ts'
import { saysStop } from './fold-tasks.ts'
import { definitionOf, emptyState, type State, type TaskKey, taskDefinitionOf, taskOf } from './state.ts'

const STAGE = 'external_input_files'
const STREAM = 'orders'
const LIMITS = { maxParallel: 3, maxTasks: 5 }

const drawnTask = fc.record({
  dependsOn: fc.array(fc.nat(5), { maxLength: 3 }),
  triggerRule: fc.option(fc.constantFrom(...TRIGGER_RULES), { nil: undefined }),
  parallel: fc.constantFrom(0, 0, 0, 1, 2, 3),
  retries: fc.nat(1),
})

const drawnDag = fc.record({
  source: fc.constantFrom('poll', 'poll', 'stream', 'none'),
  tasks: fc.array(drawnTask, { minLength: 1, maxLength: 6 }),
})

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(), how: fc.nat(39) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('trigger' as const), pick: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'write' as const,
        'write' as const,
        'remove' as const,
        'append' as const,
        'look' as const,
      ),
      pick: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), from: fc.boolean() }) },
)

type DrawnDag = typeof drawnDag extends fc.Arbitrary<infer T> ? T : never

function dagOf({ source, tasks }: DrawnDag, index: number): Dag {
  const written: Task[] = tasks.map(({ dependsOn, triggerRule, parallel, retries }, at) => {
    const above = [...new Set(dependsOn.filter(other => other < at).map(other => `t${other}`))]
    const isRoot = above.length === 0
    return aTask(`t${at}`, {
      dependsOn: isRoot && source !== 'none' ? ['source'] : above,
      retries,
      ...(triggerRule === undefined ? {} : { triggerRule }),
      ...(parallel === 0
        ? {}
        : { fanOut: { source: { kind: 'directory', path: 'clients' }, exclude: [], parallel } }),
    })
  })
  if (source !== 'none') written.unshift(aTask('source', { workflowRef: WRAPPER_WORKFLOWS[source] }))
  return { name: `d${index}`, tenantId: 'test', tasks: written, hash: `${index} ${JSON.stringify(written)}` }
}

/** The place where files come, are written anew and go, and a stream that grows; and what attempts saw of it when they looked. */
class Outside {
  readonly files = new Map<string, string>()
  records = 0
  #versions = 0
  readonly #seen = new Map<string, Taken>()

  write(pick: number): void {
    this.files.set(`f${pick % 4}`, `v${++this.#versions}`)
  }

  /** Sources that have begun since look at once: what they take may be old when they end. */
  lookAgain(state: State, again?: TaskKey): void {
    for (const key of state.live.values()) {
      const { run, task } = taskOf(state, key.runId, key.taskId)!
      const text = `${key.runId} ${key.taskId} ${task.attempt}`
      if (this.#seen.has(text) && key !== again) continue
      const taken = this.#take(state, run, key.taskId)
      if (taken !== undefined) this.#seen.set(text, taken)
    }
  }

  seen({ runId, taskId }: TaskKey, state: State): Taken | undefined {
    return this.#seen.get(`${runId} ${taskId} ${taskOf(state, runId, taskId)!.task.attempt}`)
  }

  #take(state: State, run: RunState, taskId: string): Taken | undefined {
    const { workflowRef } = taskDefinitionOf(definitionOf(state, run), taskId)
    if (workflowRef === WRAPPER_WORKFLOWS.poll) {
      const tracked = state.stages.get(`${run.dagName}/${STAGE}`)
      const files = [...this.files]
        .map(([key, version]) => ({ key, version }))
        .filter(file => isCandidate(tracked, file))
        .slice(0, 3)
      const gone = [...consumedKeys(tracked)].filter(key => !this.files.has(key))
      return { kind: 'files', stage: STAGE, files, gone }
    }
    if (workflowRef !== WRAPPER_WORKFLOWS.stream) return undefined
    const from = state.streams.get(`${run.dagName}/${STREAM}`)?.position
    const offset = (from?.['offset'] as number | undefined) ?? 0
    const to = Math.min(this.records, offset + 3)
    const more = to < this.records
    return { kind: 'records', stream: STREAM, from, to: { offset: to }, records: to - offset, more }
  }
}

/** Of a line, what is looked at here. */
interface Line {
  readonly run_id: string
  readonly dag_name: string
  readonly task_id: string
  readonly status: string
  readonly reason: string
  readonly files: number | { key: string; version: string }[]
  readonly from?: { offset: number }
  readonly to: { offset: number }
}

/** What the lines say of files and records, kept apart from the state. */
class Ledger {
  /** `<dag> <key>` → the version that a run holds. */
  readonly held = new Map<string, { version: string; run: string }>()
  readonly consumed = new Map<string, string>()
  readonly positions = new Map<string, number>()
  readonly streams = new Map<string, { run: string; to: number }>()
  readonly #settled = new Map<string, string>()
  readonly failedAbove = new Set<string>()
  refused = 0

  take(event: Event): void {
    const line = event as unknown as Line
    const { run_id: run, dag_name: dag, status, reason } = line
    switch (event.event) {
      case 'files_dispatched':
        for (const { key, version } of line.files as { key: string; version: string }[]) {
          expect(this.held.get(`${dag} ${key}`)).toBeUndefined()
          expect(this.consumed.get(`${dag} ${key} ${version}`)).toBeUndefined()
          this.held.set(`${dag} ${key}`, { version, run })
        }
        return
      case 'files_consumed':
      case 'files_released': {
        let files = 0
        for (const [key, { version, run: holder }] of this.held) {
          if (holder !== run) continue
          files += 1
          this.held.delete(key)
          if (event.event === 'files_consumed') this.consumed.set(`${key} ${version}`, run)
        }
        expect(files).toBe(line.files)
        this.#settled.set(run, event.event === 'files_consumed' ? 'success' : status)
        return
      }
      case 'stream_taken': {
        expect(this.streams.get(dag)).toBeUndefined()
        expect(line.from?.offset ?? 0).toBe(this.positions.get(dag) ?? 0)
        this.streams.set(dag, { run, to: line.to.offset })
        return
      }
      case 'stream_committed':
      case 'stream_released': {
        const { run: holder, to } = this.streams.get(dag)!
        expect(holder).toBe(run)
        this.streams.delete(dag)
        if (event.event === 'stream_committed') this.positions.set(dag, to)
        this.#settled.set(run, event.event === 'stream_committed' ? 'success' : status)
        return
      }
      case 'run_finished':
        for (const { run: holder } of [...this.held.values(), ...this.streams.values()])
          expect(holder).not.toBe(run)
        if (this.#settled.has(run)) expect(status).toBe(this.#settled.get(run))
        return
      case 'task_skip':
        if (reason === 'upstream_failed') this.failedAbove.add(`${run} ${line.task_id}`)
        return
      case 'task_lost':
        if (/^another run has/.test(reason)) this.refused += 1
        return
    }
  }
}

const CLIENTS = ['a', 'b', 'a[b]', 'é', 'e]', 'f']

/** How an attempt ends. */
function resultOf({ state }: DeciderWorld, key: TaskKey, how: number, outside: Outside): AttemptResult {
  const { run } = taskOf(state, key.runId, key.taskId)!
  const { fanOut } = taskDefinitionOf(definitionOf(state, run), key.taskId)
  if (how < 2) return { kind: 'failed', error: { kind: 'exit_code', message: 'exit 1', exit_code: 1 } }
  if (how === 2) return { kind: 'lost', reason: 'interrupted' }
  if (how === 3) return { kind: 'skip', reason: 'returned_skip', detail: 'nothing to do' }
  if (fanOut !== undefined) return { kind: 'clients', clients: CLIENTS.slice(0, how % 7) }
  if (how === 4 && key.taskId.includes('['))
    return { kind: 'skip', reason: 'condition', detail: 'suspended', inputs: { conditions: [] } }
  const taken = outside.seen(key, state)
  const took = taken === undefined ? {} : { taken }
  if (how === 5)
    return { kind: 'ok_blob', blob: { sha256: 'f'.repeat(64), bytes: 70_000 }, stops: true, ...took }
  return { kind: 'ok', output: how === 6 ? { continue: 0 } : { n: how }, ...took }
}

const WALKS = Number(process.env['WALKS'] ?? 80)

test('facts, lines, clients, files and records hold through any story', {
  timeout: 60_000 + WALKS * 500,
}, () => {
  const seen = { refused: 0, consumed: 0, committed: 0, fanned: 0 }
  fc.assert(
    fc.property(
      fc.array(drawnDag, { minLength: 1, maxLength: 2 }),
      fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }),
      (drawn, steps) => {
        const dags = drawn.map(dagOf)
        let world = worldOf(dags)
        world.boot()
        const outside = new Outside()
        const ledger = new Ledger()
        const follower = emptyState()
        let followed = 0
        let runs = 0
        const trigger = (dag: Dag) =>
          world.when({ type: 'trigger', runId: `${dag.name}@manual-${runs++}`, dag, cause: 'test' })
        const end = (key: TaskKey, how: number) =>
          world.end(key.runId, key.taskId, resultOf(world, key, how, outside))
        const settle = () => {
          outside.lookAgain(world.state)
          for (const event of world.events.slice(followed)) {
            replay(follower, JSON.parse(JSON.stringify(event)) as Event)
            ledger.take(event)
          }
          followed = world.events.length
          follower.seq = world.state.seq
          checkStates(world, follower)
          checkClients(world)
          checkRules(world, ledger)
          for (const { run } of [...ledger.held.values(), ...ledger.streams.values()])
            expect(world.state.runs.has(run)).toBe(true)
        }
        for (const move of steps) {
          const live = [...world.state.live.values()]
          const known = [...world.state.runs.keys()]
          if (move.kind === 'end' && live.length > 0) end(live[move.pick % live.length]!, move.how)
          else if (move.kind === 'trigger') trigger(dags[move.pick % dags.length]!)
          else if (move.kind === 'write') outside.write(move.pick)
          else if (move.kind === 'remove') outside.files.delete(`f${move.pick % 4}`)
          else if (move.kind === 'append') outside.records += move.pick % 4
          else if (move.kind === 'look') outside.lookAgain(world.state, live[move.pick % (live.length || 1)])
          else if (move.kind === 'wait') {
            world.now += move.seconds * 1_000
            world.when({ type: 'wake' })
          } else if (move.kind === 'cancel' && known.length > 0)
            world.when({ type: 'cancel', runId: known[move.pick % known.length]!, reason: 'test' })
          else if (move.kind === 'restart') world = restart(world, dags, move.from)
          settle()
        }
        // Everything goes well from here on: whatever is unfinished ends, and one run more of each takes what is left.
        const drain = () => {
          settle()
          for (let round = 0; world.state.runs.size > 0; round++) {
            expect(round).toBeLessThan(2_000)
            for (const key of [...world.state.live.values()])
              if (taskOf(world.state, key.runId, key.taskId)?.task.status === 'running') end(key, 13)
            world.now += 3_600_000
            world.when({ type: 'wake' })
            settle()
          }
        }
        drain()
        for (const dag of dags.filter(({ tasks }) => tasks[0]!.id === 'source')) {
          const rounds = Math.ceil(outside.records / 3) + 2
          for (let round = 0; round < rounds; round++) {
            trigger(dag)
            drain()
          }
          if (tookFiles(dag))
            for (const [key, version] of outside.files)
              expect(ledger.consumed.has(`${dag.name} ${key} ${version}`)).toBe(true)
          else expect(ledger.positions.get(dag.name) ?? 0).toBe(outside.records)
        }
        expect([ledger.held.size, ledger.streams.size, world.state.clientLines.size]).toEqual([0, 0, 0])
        seen.refused += ledger.refused
        seen.consumed += ledger.consumed.size
        seen.committed += ledger.positions.size
        seen.fanned += world.events.filter(({ event }) => event === 'clients_found').length
      },
    ),
    { numRuns: WALKS },
  )
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
})

function tookFiles({ tasks }: Dag): boolean {
  return tasks[0]!.workflowRef === WRAPPER_WORKFLOWS.poll
}

function worldOf(dags: readonly Dag[]): DeciderWorld {
  const world = new DeciderWorld(definitionsOf(dags), '2026-01-05T06:00:00.000Z')
  world.limits = LIMITS
  return world
}

function restart(old: DeciderWorld, dags: readonly Dag[], fromCheckpoint: boolean): DeciderWorld {
  const world = worldOf(dags)
  world.now = old.now
  world.events.push(...old.events)
  Object.assign(world.state, emptyState(), fromCheckpoint ? old.restored() : old.replayed())
  return world.boot()
}

/** The facts, what runs hold, and who of a fan-out is next: the same for who lived through it and for who read of it. */
function checkStates(world: DeciderWorld, follower: State): void {
  expect(world.state.slotsHeld).toBeLessThanOrEqual(LIMITS.maxParallel)
  expect(world.state.live.size).toBeLessThanOrEqual(LIMITS.maxTasks)
  const facts = world.facts()
  for (const other of [follower, world.restored()]) {
    expect(describeState(other)).toBe(facts)
    expect(other.slotsHeld).toBe(world.state.slotsHeld)
    expect(linesOf(other)).toEqual(linesOf(world.state))
    for (const run of world.state.runs.values()) {
      const again = other.runs.get(run.runId)!
      expect(holdsOf(again)).toEqual(holdsOf(run))
      expect([again.remaining, again.live, again.ready]).toEqual([run.remaining, run.live, run.ready])
    }
  }
}

function holdsOf({ holds = [] }: RunState): unknown[] {
  return holds
    .map(hold => ('keys' in hold ? { ...hold, keys: [...hold.keys].sort() } : hold))
    .sort((a, b) => (a.kind < b.kind ? -1 : 1))
}

/** By fan-out: who waits, in order, and how many are under way. Once a run is called off nobody of it comes on any more. */
function linesOf({ clientLines, runs }: State): [string, string[], number][] {
  return [...clientLines]
    .filter(([key]) => runs.get(key.split('\n')[0]!)?.cancelReason === undefined)
    .map(([key, { waiting, next, active }]): [string, string[], number] => [key, waiting.slice(next), active])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Of each fan-out as many clients are under way as it allows, never more, and its counts are those of its clients. */
function checkClients({ state }: DeciderWorld): void {
  for (const run of state.runs.values()) {
    const { tasks } = definitionOf(state, run)
    for (const [id, { fan, status }] of run.tasks) {
      if (fan === undefined) continue
      const { parallel } = tasks.get(id)!.fanOut!
      const clients = [...run.tasks].filter(
        ([of, { client }]) => client !== undefined && of === clientTaskId(id, client),
      )
      const count = (...of: string[]) => clients.filter(([, task]) => of.includes(task.status)).length
      const ended = [count('ok'), count('failed'), count('skipped', 'cancelled')]
      expect([fan.clients, fan.ok, fan.failed, fan.skipped]).toEqual([clients.length, ...ended])
      const waiting = count('waiting')
      const active = fan.open - waiting
      expect(fan.open).toBe(clients.filter(([, task]) => !isFinal(task.status)).length)
      expect(active).toBeLessThanOrEqual(parallel)
      if (run.cancelReason === undefined) expect(active).toBe(Math.min(parallel, fan.open))
      expect(isFinal(status)).toBe(fan.open === 0)
    }
  }
}

/** Whoever still waits has to: nobody who could run, and nobody who never will. */
function checkRules({ state }: DeciderWorld, { failedAbove }: Ledger): void {
  for (const run of state.runs.values()) {
    if (run.cancelReason !== undefined) continue
    const { tasks } = definitionOf(state, run)
    for (const { id, dependsOn, triggerRule = 'ALL' } of tasks.values()) {
      if (run.tasks.get(id)?.status !== 'waiting') continue
      const counts = { ok: 0, stopped: 0, failed: 0, skipped: 0 }
      for (const upstream of dependsOn) {
        const how = endOf(run, upstream, failedAbove)
        if (how !== undefined) counts[how] += 1
      }
      expect(judgeTrigger(triggerRule, dependsOn.length, counts)).toBe('wait')
    }
  }
}

function endOf(run: RunState, id: string, failedAbove: Set<string>): keyof UpstreamCounts | undefined {
  const { status, output, blob } = run.tasks.get(id)!
  if (status === 'ok') return saysStop(output?.['continue']) || blob !== undefined ? 'stopped' : 'ok'
  if (status === 'failed') return 'failed'
  if (status === 'cancelled') return 'skipped'
  if (status === 'skipped') return failedAbove.has(`${run.runId} ${id}`) ? 'failed' : 'skipped'
  return undefined
}
