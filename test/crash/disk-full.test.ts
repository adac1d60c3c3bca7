// The disk runs full under the running scheduler (R8), a real file system of a few megabytes: nothing new is taken, what
// runs goes on, and when there is room again it goes on by itself. CYCLES=50 for more of it.
//
// The state lies on tmpfs and on ext4: neither is taken for a network file system.
//
// Needs the right to mount; without it the tests are reported as skipped, with the reason, never as passed.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Chance } from '../simulation/chance.ts'
import { checkFeed, checkIndex } from './check.ts'
import { BINARY, isRunning, type Served, Site, until } from './harness.ts'

const CYCLES = Number(process.env['CYCLES'] ?? 5)
const RESUME_MS = 5_000
const BULK_BYTES = 20_000

type FileSystem = 'tmpfs' | 'ext4'

const parent = mkdtempSync(join(tmpdir(), 'dagbok-full-'))
const mounted = new Set<string>()

/** @throws if it cannot be */
function mountSmallDisk(kind: FileSystem, place: string): void {
  mkdirSync(place, { recursive: true })
  if (kind === 'tmpfs')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', place], { stdio: 'pipe' })
  else {
    const image = `${place}.img`
    writeFileSync(image, '')
    truncateSync(image, 24 * 1024 * 1024)
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image], { stdio: 'pipe' })
    execFileSync('mount', ['-o', 'loop', image, place], { stdio: 'pipe' })
  }
  mounted.add(place)
}

function unmount(place: string): void {
  execFileSync('umount', ['-l', place])
  mounted.delete(place)
}

/** Tried once, before any test: a test that cannot have its disk has to say so. */
function whyNot(kind: FileSystem): string | undefined {
  const place = join(parent, `try-${kind}`)
  try {
    mountSmallDisk(kind, place)
    unmount(place)
    return undefined
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 2).join(' ')
  }
}

/** Takes every block that is left but `keepBytes`. */
function fill(file: string, keepBytes: number): void {
  const chunk = Buffer.alloc(256 * 1024)
  for (const size of [chunk.length, 4096, 512]) {
    for (;;) {
      try {
        writeFileSync(file, chunk.subarray(0, size), { flag: 'a' })
      } catch {
        break
      }
    }
  }
  truncateSync(file, Math.max(0, statSync(file).size - keepBytes))
}

/** One disk, one scheduler, filled and emptied again and again. */
class FullDisk {
  readonly site: Site
  readonly place: string
  readonly chance: Chance
  /** Lines that were acknowledged: `seq` and number. */
  readonly records = new Map<number, number>()
  /** The codes of all that was refused. */
  readonly refusals = new Set<string>()
  #records = 0

  constructor(site: Site, place: string, seed: number) {
    this.site = site
    this.place = place
    this.chance = new Chance(seed)
    site.keepStateIn(place)
  }

  get feed(): string {
    return join(this.place, 'events.jsonl')
  }

  get flags(): string[] {
    return ['--events', this.feed, '--segment-size', '64KiB', '--log-level', 'error']
  }

  async record(served: Served, bytes: number): Promise<void> {
    this.#records += 1
    const n = this.#records
    try {
      const fields = { event: 'full_noted', n, text: 'x'.repeat(bytes) }
      this.records.set((await served.control.record({ fields })).seq, n)
    } catch (error) {
      this.refusals.add((error as { code?: string }).code ?? String(error))
    }
  }

  state(served: Served): Promise<string> {
    return served.control.status().then(({ state }) => state)
  }

  /** Fills it to within so many bytes of the brim, and lets lines do the rest. */
  async brim(served: Served, keepBytes = this.chance.between(0, 60_000)): Promise<void> {
    fill(join(this.place, 'ballast'), keepBytes)
    const asked: Promise<void>[] = []
    await until('the disk to be full for the journal too', 30_000, async () => {
      asked.push(this.record(served, this.chance.between(0, BULK_BYTES)))
      return (await this.state(served)) === 'degraded'
    })
    this.#waiting = asked
  }

  #waiting: Promise<void>[] = []

  /** Makes room. @returns milliseconds until it went on, with every waiting request answered */
  async relieve(served: Served): Promise<number> {
    rmSync(join(this.place, 'ballast'))
    const begin = performance.now()
    await until('it to go on', 20_000, async () => (await this.state(served)) === 'running')
    const tookMs = performance.now() - begin
    await Promise.all(this.#waiting)
    return tookMs
  }
}

const kinds = ['tmpfs', 'ext4'] as const
const reasons = Object.fromEntries(kinds.map(kind => [kind, whyNot(kind)]))
for (const [kind, reason] of Object.entries(reasons)) {
  if (reason !== undefined)
    console.log(`no disk of ${kind} can be had, so the full disk is not tested on it: ${reason}`)
}

afterAll(() => {
  for (const place of [...mounted]) unmount(place)
  rmSync(parent, { recursive: true, force: true, maxRetries: 5 })
})

for (const kind of kinds) {
  describe.runIf(reasons[kind] === undefined)(`a full ${kind}`, () => {
    let site: Site
    let disk: FullDisk

    beforeEach(async () => {
      const place = join(parent, kind)
      mountSmallDisk(kind, place)
      // Only state and feed are on the small disk: tasks and their side log have room.
      site = await Site.create(parent)
      disk = new FullDisk(site, place, 7)
      const command = `'${site.note}; ${site.waitFor('go.$DAGBOK_PARAM_CYCLE')}; exit $DAGBOK_PARAM_CODE'`
      const params = `{ command: ${command}, cycle: 0, code: 0 }`
      await site.write(
        'configs/dags/job.yaml',
        `name: job\ntasks:\n  - { id: job, workflow_ref: shell, params: ${params} }\n`,
      )
      await site.write(
        'configs/dags/tick.yaml',
        `name: tick\ntasks:\n  - { id: tick, workflow_ref: shell, params: { command: '${site.note}' } }\n`,
      )
      await site.write(
        'configs/schedules/tick.yaml',
        '- { id: tick, cron: "*/2 * * * * *", dag: tick, enabled: true }\n',
      )
    })

    afterEach(async () => {
      await site.remove()
      for (const place of [...mounted]) unmount(place)
    })

    test(`${CYCLES} times: it refuses, keeps, and goes on`, {
      timeout: 60_000 + CYCLES * 20_000,
    }, async () => {
      const served = await site.serve(disk.flags)
      const tookMs: number[] = []
      for (let cycle = 1; cycle <= CYCLES; cycle++) {
        const code = cycle % 3
        const { run_id: runId, seq } = await served.control.trigger({
          dag: 'job',
          params: { cycle, code },
          cause: 'test',
        })
        site.acknowledged.push({ runId, seq })
        await until('the job', 15_000, async () => (await site.executions()).some(run => run.runId === runId))
        const pid = await pidOf(site, runId)

        await disk.brim(served)
        const refusal = { code: 'DISK_FULL' }
        await expect(served.control.trigger({ dag: 'job', cause: 'test' })).rejects.toMatchObject(refusal)
        await expect(served.control.cancel({ run_id: runId, reason: '' })).rejects.toMatchObject(refusal)
        // The job ends while there is no room to say so.
        await site.write(`go.${cycle}`, '')
        await until('the end of the command', 15_000, async () => !(await isRunning(pid)))
        expect(await disk.state(served)).toBe('degraded')
        expect(await site.linesOf(runId, 'run_finished')).toEqual([])

        tookMs.push(await disk.relieve(served))
        expect(tookMs.at(-1)).toBeLessThan(RESUME_MS)
        await until(
          'the end of the run',
          15_000,
          async () => (await site.linesOf(runId, 'run_finished')).length === 1,
        )
        const [finished] = await site.linesOf(runId, 'run_finished')
        expect(finished?.['status']).toBe(code === 0 ? 'success' : 'failed')
        const [failed] = await site.linesOf(runId, 'task_fail')
        if (code !== 0) expect(failed?.['error']).toMatchObject({ kind: 'exit_code', exit_code: code })
      }
      await site.settle(served)
      await checkWhole(disk)
      expect([...disk.refusals].filter(code => code !== 'DISK_FULL')).toEqual([])
      const resumed = (await site.lines()).filter(({ event }) => event === 'journal_resumed')
      expect(resumed).toHaveLength(CYCLES)
      expect(resumed.every(line => line['reason'] === 'disk_full' && Number(line['refused']) >= 2)).toBe(true)
      console.log(
        `${kind}: ${CYCLES} times full, on again after at most ${Math.round(Math.max(...tookMs))} ms`,
      )
    })

    test('killed while it is full, it goes on where it was', { timeout: 90_000 }, async () => {
      const first = await site.serve(disk.flags)
      const { run_id: runId, seq } = await first.control.trigger({
        dag: 'job',
        params: { cycle: 1, code: 2 },
        cause: 'test',
      })
      site.acknowledged.push({ runId, seq })
      await until('the job', 15_000, async () => (await site.executions()).some(run => run.runId === runId))
      await disk.record(first, BULK_BYTES)
      await disk.brim(first)
      first.kill('SIGKILL')
      expect(await first.ended).toBe('SIGKILL')
      await site.write('go.1', '')
      // A start needs room for a copy of its segment: it says so, and changes nothing.
      const stuck = site.launch(disk.flags)
      expect(await stuck.ended, stuck.said()).toBe(74)
      expect(stuck.said()).toMatch(/ENOSPC|SQLITE_FULL/)
      fill(join(disk.place, 'ballast'), 0)
      const stillborn = site.launch(disk.flags)
      expect(await stillborn.ended, stillborn.said()).toBe(74)
      expect(stillborn.said()).toContain('free some space')
      rmSync(join(disk.place, 'ballast'))
      const next = await site.serve(disk.flags)
      await until(
        'the end of the run',
        15_000,
        async () => (await site.linesOf(runId, 'run_finished')).length === 1,
      )
      const [failed] = await site.linesOf(runId, 'task_fail')
      expect(failed?.['error']).toMatchObject({ kind: 'exit_code', exit_code: 2 })
      await site.settle(next)
      await checkWhole(disk)
    })

    // A page of SQLite's shared memory that the disk has no block for is no error but a SIGBUS.
    test('whoever opens the run index is told, or served, at any brim', { timeout: 90_000 }, async () => {
      const index = join(disk.place, 'orchestrator_state.d', 'index.sqlite')
      const older = site.path('older.sqlite')
      for (const round of ['older', 'newer']) {
        const served = await site.serve(disk.flags)
        for (let n = 0; n < 50; n++) await disk.record(served, 200)
        served.kill('SIGTERM')
        expect(await served.ended, served.said()).toBe(0)
        if (round === 'older') copyFileSync(index, older)
      }
      const words = [BINARY, 'runs', '--root', site.root, '--state', site.journalPath]
      const ask = () => spawnSync(process.execPath, words, { encoding: 'utf8' })
      let refused = 0
      for (const keepBytes of [0, 4_000, 8_000, 12_000, 20_000, 30_000, 40_000, 60_000]) {
        // It has half of the journal, and is to be written to.
        copyFileSync(older, index)
        fill(join(disk.place, 'ballast'), keepBytes)
        const { status, signal, stderr } = ask()
        expect(signal, `${keepBytes} bytes are left`).toBeNull()
        if (status !== 0) {
          refused += 1
          expect(stderr).toContain('[INDEX_UNAVAILABLE]')
        }
        rmSync(join(disk.place, 'ballast'))
      }
      expect(refused).toBeGreaterThan(0)
      expect(ask()).toMatchObject({ status: 0, signal: null })
      expect(await checkIndex(site)).toEqual([])
    })

    // The same page, of an index into which nothing has been written since it was opened.
    test('full before the first line reaches a new run index', { timeout: 90_000 }, async () => {
      await site.write('configs/schedules/tick.yaml', '[]\n')
      const index = join(disk.place, 'orchestrator_state.d', 'index.sqlite')
      for (const keepBytes of [20_000, 30_000, 40_000, 50_000, 60_000, 80_000]) {
        for (const suffix of ['', '-wal', '-shm']) rmSync(index + suffix, { force: true })
        const served = await site.serve(disk.flags)
        await until('the index to be open', 10_000, async () => existsSync(`${index}-shm`))
        await disk.brim(served, keepBytes)
        await disk.relieve(served)
        await site.settle(served)
        expect(await checkIndex(site)).toEqual([])
      }
      await checkWhole(disk)
    })
  })
}

async function pidOf(site: Site, runId: string): Promise<number> {
  await until('its line', 10_000, async () => (await site.linesOf(runId, 'task_spawned')).length === 1)
  const [line] = await site.linesOf(runId, 'task_spawned')
  return line!['pid'] as number
}

/** After a clean stop: nothing acknowledged is lost, chain, feed and index are whole; and the disk was full. */
async function checkWhole({ site, feed, records }: FullDisk): Promise<void> {
  expect(await site.judge(true)).toEqual([])
  const text = await site.journal()
  expect(text.problems).toEqual([])
  for (const [seq, n] of records) expect(text.lines[seq - 1]).toMatchObject({ event: 'full_noted', n })
  expect(records.size).toBeGreaterThan(0)
  expect(await checkFeed(text, feed)).toEqual([])
  expect(await checkIndex(site)).toEqual([])
  expect(text.lines.filter(({ event }) => event === 'segment_opened').length).toBeGreaterThan(0)
  expect(statfsSync(site.root).bavail).toBeGreaterThan(0)
}
