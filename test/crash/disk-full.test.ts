// The disk runs full under the running scheduler (R8), a real file system of a few megabytes: nothing new is taken, what
// runs goes on, and when there is room again it goes on by itself. Needs the right to mount; without it the test is
// reported as skipped, never as passed.

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Site, until } from './harness.ts'

let mounted: string | undefined
let site: Site | undefined

afterEach(async () => {
  await site?.remove()
  if (mounted !== undefined) execFileSync('umount', ['-l', mounted])
  mounted = undefined
})

/** @returns why not, if it cannot be */
function mountSmallDisk(place: string): string | undefined {
  mkdirSync(place, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', place], { stdio: 'pipe' })
    mounted = place
    return undefined
  } catch (error) {
    return `cannot mount: ${(error as Error).message.split('\n')[0]}`
  }
}

/** Takes every block that is left. */
function fill(file: string): void {
  const chunk = Buffer.alloc(64 * 1024)
  for (const size of [chunk.length, 4096, 512]) {
    for (;;) {
      try {
        writeFileSync(file, chunk.subarray(0, size), { flag: 'a' })
      } catch {
        break
      }
    }
  }
}

test('a full disk refuses, keeps, and goes on', { timeout: 120_000 }, async context => {
  const parent = await mkdtemp(join(tmpdir(), 'dagbok-full-'))
  const problem = mountSmallDisk(join(parent, 'disk'))
  if (problem !== undefined) return context.skip(problem)
  // Only the state is on the small disk: tasks and their side log have room.
  const here = await Site.create(parent)
  site = here
  const task = `  - id: job\n    workflow_ref: shell\n    params:\n      command: '${here.note}; while [ ! -e ${here.path('go')} ]; do sleep 0.05; done'\n`
  await here.write('configs/dags/job.yaml', `name: job\ntasks:\n${task}`)
  here.keepStateIn(mounted!)
  const served = await here.serve()
  for (let cycle = 0; cycle < 3; cycle++) {
    rmSync(here.path('go'), { force: true })
    const runId = (await here.trigger(served, 'job'))!
    const before = (await here.executions()).length
    await until('the job', 10_000, async () => (await here.executions()).length > 0 && before >= 0)
    await until('its start', 10_000, async () => (await here.linesOf(runId, 'task_start')).length === 1)

    const filler = join(mounted!, 'filler')
    fill(filler)
    expect(statfsSync(mounted!).bavail).toBe(0)
    // Lines until the blocks that the files still have are used up; then it is degraded.
    await until('the disk to be full for the journal too', 20_000, async () => {
      void here.record(served, 'x'.repeat(4_000))
      return (await served.control.status()).state === 'degraded'
    })
    await expect(served.control.trigger({ dag: 'job', cause: 'test' })).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
    await here.write('go', '')

    rmSync(filler)
    const begin = performance.now()
    await until('it to go on', 10_000, async () => (await served.control.status()).state === 'running')
    expect(performance.now() - begin).toBeLessThan(5_000)
    await until('the end of the job', 15_000, async () => {
      return (await here.linesOf(runId, 'run_finished')).some(line => line['status'] === 'success')
    })
    const resumed = (await here.lines()).filter(({ event }) => event === 'journal_resumed')
    expect(resumed.length).toBe(cycle + 1)
  }
  await here.settle(served)
  expect(await here.judge(true)).toEqual([])
})
