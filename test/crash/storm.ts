// Lives of a scheduler under load, each ended by SIGKILL at a moment of its own kind: while it starts, while it recovers,
// soon after, under load, within one write of the journal, within a roll, within a stop, after an edit.
//
//   T1. What somebody was told (answers, streamed events) is kept here, outside: the judge holds it against the journal.
//   T2. A kill is aimed: by a line, a file that appears, a file that grows. Where nothing appears, the clock kills.

import { existsSync, readdirSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Event } from '../../src/core/state-machine/event.ts'
import { Chance } from '../simulation/chance.ts'
import { type Served, type Site, sleep, until } from './harness.ts'
import { DAGS, putEdition, writeLoad } from './storm-load.ts'

export const STORM_LIMITS = { maxParallel: 8, maxTasks: 12 }

const FLAGS = [
  ...['--max-parallel', String(STORM_LIMITS.maxParallel), '--max-tasks', String(STORM_LIMITS.maxTasks)],
  ...['--segment-size', '256KiB', '--tick-ms', '50', '--log-level', 'error'],
]

/** How often each kind of death is chosen. */
const DEATHS = { starting: 18, recovering: 12, soon: 12, load: 24, write: 16, roll: 10, stopping: 4, edit: 4 }
export type Death = keyof typeof DEATHS

const SERVING = 'scheduler is serving'
const READY_MS = 30_000
/** Enough that one batch of them takes longer to write than a signal to arrive. */
const BULK = 'x'.repeat(30_000)

/** What somebody who asks a scheduler that dies may hear. */
const REFUSALS = new Set(['DAEMON_LOST', 'DAEMON_UNREACHABLE', 'SCHEDULER_STOPPED', 'RUN_NOT_FOUND'])

/** What was seen from outside. */
export interface Told {
  /** Runs that were promised, with the line that was named. */
  readonly runs: { seq: number; runId: string }[]
  /** Cancellations that were promised. */
  readonly cancels: { seq: number; runId: string }[]
  /** Lines that were recorded, by `seq`: their number. */
  readonly records: Map<number, number>
  /** Events as they were streamed, by `seq`. */
  readonly events: Map<number, string>
  readonly contradictions: string[]
}

export interface StormResult {
  readonly told: Told
  readonly deaths: Record<Death, number>
  /** Starts that came to their first line. */
  readonly boots: number
  /** Deaths that left a half-made segment, and a half-made copy of the active one. */
  readonly cutRolls: number
  readonly cutRecoveries: number
  /** From the start of a process to its first line, milliseconds. */
  readonly readyMs: number[]
}

/**
 * Kills the scheduler of a site so many times. The site is left with nobody serving; `settleStorm` ends it.
 * @throws if the scheduler ends by itself, or does not serve within 30 s
 */
export async function runStorm(site: Site, kills: number, seed: number): Promise<StormResult> {
  await writeLoad(site)
  const storm = new Storm(site, new Chance(`storm ${seed}`))
  for (let done = 0; done < kills; done++) await storm.live(done === 0 ? 'load' : undefined)
  return storm
}

/** No slot is due any more, every run ends, the scheduler stops cleanly. @returns from start to first line */
export async function settleStorm(site: Site): Promise<number> {
  await putEdition(site, 'none')
  const begin = performance.now()
  const served = site.launch(FLAGS)
  await untilServing(served)
  const readyMs = performance.now() - begin
  await until('the last run to end', 90_000, async () => {
    const status = await served.control.status()
    return status.queued_runs + status.running_runs === 0
  })
  served.kill('SIGTERM')
  const code = await served.ended
  if (code !== 0) throw new Error(`the clean stop ended with ${code}:\n${served.said()}`)
  return readyMs
}

async function untilServing(served: Served): Promise<void> {
  let over: number | NodeJS.Signals | undefined
  void served.ended.then(code => {
    over = code
  })
  const end = performance.now() + READY_MS
  while (!served.said().includes(SERVING)) {
    if (over !== undefined) throw new Error(`the scheduler ended with ${over} by itself:\n${served.said()}`)
    if (performance.now() > end) throw new Error(`the scheduler does not serve:\n${served.said()}`)
    await sleep(4)
  }
}

class Storm implements StormResult {
  readonly told: Told = { runs: [], cancels: [], records: new Map(), events: new Map(), contradictions: [] }
  readonly deaths = Object.fromEntries(Object.keys(DEATHS).map(death => [death, 0])) as Record<Death, number>
  readonly readyMs: number[] = []
  boots = 0
  cutRolls = 0
  cutRecoveries = 0
  readonly #site: Site
  readonly #chance: Chance
  #records = 0
  #edition: 'first' | 'second' = 'first'

  constructor(site: Site, chance: Chance) {
    this.#site = site
    this.#chance = chance
  }

  get #stateDir(): string {
    return this.#site.journalPath.replace(/\.jsonl$/, '.d')
  }

  async live(first?: Death): Promise<void> {
    const death = first ?? this.#chance.weigh(DEATHS)
    this.deaths[death] += 1
    const begin = performance.now()
    const served = this.#site.launch(FLAGS)
    if (death === 'starting') await sleep(this.#chance.between(0, 220))
    else if (death === 'recovering') await this.#untilFile('', 'recovering.jsonl', 1_000)
    else {
      await untilServing(served)
      this.boots += 1
      this.readyMs.push(performance.now() - begin)
      await this.#serve(served, death)
    }
    served.kill('SIGKILL')
    const end = await served.ended
    this.cutRolls += Number(this.#hasFile('segments', '.jsonl.new'))
    this.cutRecoveries += Number(this.#hasFile('', 'recovering.jsonl'))
    if (end !== 'SIGKILL' && death !== 'stopping') {
      throw new Error(`the scheduler ended with ${end} by itself:\n${served.said()}`)
    }
  }

  async #serve(served: Served, death: Death): Promise<void> {
    const stream = this.#listen(served)
    const asked: Promise<unknown>[] = []
    try {
      switch (death) {
        case 'soon':
          asked.push(this.#trigger(served))
          return await sleep(this.#chance.between(0, 60))
        case 'write':
          // It stands still until all of them wait at its door: then a batch has many of them.
          served.kill('SIGSTOP')
          asked.push(...Array.from({ length: 80 }, () => this.#record(served, BULK)))
          await sleep(40)
          served.kill('SIGCONT')
          return this.#killWithinWrite(served)
        case 'roll': {
          const rolled = this.#untilFile('segments', '.jsonl.new', 1_500)
          asked.push(...Array.from({ length: 16 }, () => this.#record(served, BULK)))
          return await rolled
        }
        case 'stopping':
          asked.push(this.#trigger(served))
          served.kill('SIGTERM')
          return await sleep(this.#chance.between(0, 150))
        default:
          if (death === 'edit') await this.#edit()
          await this.#work(served, asked)
      }
    } finally {
      served.kill('SIGKILL')
      await served.ended
      stream()
      await Promise.all(asked)
    }
  }

  /** Requests of all kinds for up to 600 ms. */
  async #work(served: Served, asked: Promise<unknown>[]): Promise<void> {
    const { queued_runs: queued } = await served.control.status()
    const end = performance.now() + this.#chance.between(0, 600)
    while (performance.now() < end) {
      const verb = this.#chance.weigh({ trigger: queued > 30 ? 0.1 : 4, record: 6, cancel: 1 })
      if (verb === 'trigger') asked.push(this.#trigger(served))
      else if (verb === 'record') asked.push(this.#record(served, ''))
      else asked.push(this.#cancel(served))
      await sleep(this.#chance.between(1, 60))
    }
  }

  async #edit(): Promise<void> {
    if (this.#chance.happens(0.5)) await putEdition(this.#site, 'broken')
    this.#edition = this.#edition === 'first' ? 'second' : 'first'
    await sleep(this.#chance.between(0, 300))
    // A broken edition must not be there at the next start: that is exit 3, not a crash.
    await putEdition(this.#site, this.#edition)
  }

  async #trigger(served: Served): Promise<void> {
    const answer = await this.#ask(served.control.trigger({ dag: this.#chance.pick(DAGS), cause: 'storm' }))
    if (answer !== undefined) this.told.runs.push({ runId: answer.run_id, seq: answer.seq })
  }

  async #cancel(served: Served): Promise<void> {
    const run = this.told.runs.at(-1)
    if (run === undefined) return
    const answer = await this.#ask(served.control.cancel({ run_id: run.runId, reason: 'storm' }))
    if (answer !== undefined) this.told.cancels.push({ runId: run.runId, seq: answer.seq })
  }

  async #record(served: Served, text: string): Promise<void> {
    this.#records += 1
    const n = this.#records
    const answer = await this.#ask(served.control.record({ fields: { event: 'storm_noted', n, text } }))
    if (answer !== undefined) this.told.records.set(answer.seq, n)
  }

  /** Undefined when the scheduler went away, or was about to; any other refusal is one too many. */
  async #ask<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await answer
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (!REFUSALS.has(code ?? ''))
        this.told.contradictions.push(`refused without a reason: ${code} ${message}`)
      return undefined
    }
  }

  /** Keeps what is streamed. The same line told twice in two ways is a contradiction. */
  #listen(served: Served): () => void {
    const keep = (event: Event) => {
      // What fills the disk of a write is compared by its number.
      const text = JSON.stringify('text' in event ? { ...event, text: '' } : event)
      const known = this.told.events.get(event.seq)
      if (known !== undefined && known !== text) {
        this.told.contradictions.push(`I2 line ${event.seq} was told as ${known} and as ${text}`)
      }
      this.told.events.set(event.seq, text)
    }
    return served.control.subscribe({}, keep, () => undefined)
  }

  /** Kills while the journal grows: nothing else of this process runs meanwhile. */
  #killWithinWrite(served: Served): void {
    const path = this.#site.journalPath
    const size = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0
    const begin = size()
    const aim = begin + this.#chance.between(1, 2_500_000)
    const end = performance.now() + 300
    for (let now = begin; now < aim && performance.now() < end; now = size());
    served.kill('SIGKILL')
  }

  #hasFile(folder: string, ending: string): boolean {
    const path = join(this.#stateDir, folder)
    return existsSync(path) && readdirSync(path).some(name => name.endsWith(ending))
  }

  /** Resolves when a file whose name ends so comes into a folder of the state; or when it takes too long. */
  #untilFile(place: string, ending: string, withinMs: number): Promise<void> {
    const folder = join(this.#stateDir, place)
    if (!existsSync(folder)) return Promise.resolve()
    return new Promise(resolve => {
      const watcher = watch(folder, (_, name) => {
        if (name?.endsWith(ending)) done()
      })
      const patience = setTimeout(() => done(), withinMs)
      const done = () => {
        clearTimeout(patience)
        watcher.close()
        resolve()
      }
    })
  }
}
