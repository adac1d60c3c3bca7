// Who holds the state (R18): of four schedulers that start at the same moment one gets it, the others say who has it and
// end with 5; when it is killed the next one gets in without waiting for anything to expire. ROUNDS=50 for more of it.

import { type ChildProcess, spawn } from 'node:child_process'
import { hostname } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BINARY, isRunning, type Served, Site, until } from './harness.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 3)
const RIVALS = 4
/** A start of its own takes some 200 ms on an idle machine; a lock that had to expire would take far longer. */
const HANDOVER_MS = 8_000

let site: Site
const started = new Set<ChildProcess>()

beforeEach(async () => {
  site = await Site.create()
})

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
  await site.remove()
})

/** Runs one command on the site's state to its end. */
function call(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [BINARY, ...words, '--root', site.root], { stdio: 'pipe' })
  started.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  return new Promise(resolve =>
    child.once('close', code => {
      started.delete(child)
      resolve({ code, stdout, stderr })
    }),
  )
}

async function race(): Promise<{ holder: Served; refused: number[]; words: string[] }> {
  const rivals = Array.from({ length: RIVALS }, () => site.launch())
  const refused: number[] = []
  const words: string[] = []
  const alive = new Set(rivals)
  for (const rival of rivals) {
    void rival.ended.then(code => {
      alive.delete(rival)
      refused.push(Number(code))
      words.push(rival.said())
    })
  }
  await until('one holder', 40_000, async () => {
    if (alive.size !== 1) return false
    const [holder] = alive
    return holder!.control.status().then(
      ({ pid }) => pid === holder!.pid,
      () => false,
    )
  })
  return { holder: [...alive][0]!, refused, words }
}

async function starts(): Promise<unknown[]> {
  return (await site.lines()).filter(({ event }) => event === 'scheduler_started').map(line => line['epoch'])
}

const job = (command: string) =>
  `name: job\ntasks:\n  - { id: job, workflow_ref: shell, params: { command: '${site.note}; ${command}' } }\n`

test(`${ROUNDS} rounds: there is one holder, ever`, { timeout: 60_000 + ROUNDS * 30_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { holder, refused, words } = await race()
    expect(refused).toEqual(Array.from({ length: RIVALS - 1 }, () => 5))
    for (const said of words) {
      expect(said).toContain(`pid ${holder.pid}`)
      expect(said).toContain(hostname())
    }
    holder.kill('SIGKILL')
    await holder.ended
  }
  const begin = performance.now()
  const last = await site.serve()
  expect(performance.now() - begin).toBeLessThan(HANDOVER_MS)
  await site.settle(last)
  expect(await site.judge(true)).toEqual([])
  expect(await starts()).toEqual(Array.from({ length: ROUNDS + 1 }, (_, index) => index + 1))
})

test('a holder that stands still is still the holder', { timeout: 60_000 }, async () => {
  const holder = await site.serve()
  holder.kill('SIGSTOP')
  // A lock by heartbeat would be given away while its holder stands still.
  const end = performance.now() + 3_000
  for (let turn = 0; turn < 2 || performance.now() < end; turn++) {
    const rival = site.launch()
    expect(await rival.ended).toBe(5)
    expect(rival.said()).toContain(`pid ${holder.pid}`)
  }
  holder.kill('SIGCONT')
  await site.settle(holder)
  expect(await starts()).toEqual([1])
  expect(await site.judge(true)).toEqual([])
})

test('--once beside a scheduler ends with 5, and changes nothing', { timeout: 60_000 }, async () => {
  const holder = await site.serve()
  const { code, stderr } = await call('--once')
  expect(code).toBe(5)
  expect(stderr).toContain(`pid ${holder.pid}`)
  await site.settle(holder)
  expect(await starts()).toEqual([1])
})

test('--once twice within a minute runs the minute once', { timeout: 60_000 }, async () => {
  await site.write('configs/dags/job.yaml', job('true'))
  await site.write('configs/schedules/job.yaml', `- { id: job, cron: "* * * * *", dag: job }\n`)
  const [first, second] = [await call('--once', '--json'), await call('--once', '--json')]
  expect([first.code, second.code]).toEqual([0, 0])
  const slots = (await site.lines())
    .filter(({ event }) => event === 'schedule_enqueued')
    .map(line => line['slot'])
  expect(new Set(slots).size).toBe(slots.length)
  expect((await site.executions()).length).toBe(slots.length)
  // A minute that ended between the two calls is due in the second one.
  const reports = [first, second].map(({ stdout }) => (JSON.parse(stdout) as { enqueued: number }).enqueued)
  expect(reports).toEqual([1, slots.length - 1])
  expect(await site.judge(true)).toEqual([])
})

test('--once twice at the same moment: one gets 5, the minute runs once', { timeout: 60_000 }, async () => {
  await site.write('configs/dags/job.yaml', job(site.waitFor('go')))
  await site.write('configs/schedules/job.yaml', `- { id: job, cron: "* * * * *", dag: job }\n`)
  const calls = [call('--once'), call('--once')]
  // The holder cannot end before the job may: who comes first out of the two is the one that was refused.
  expect((await Promise.race(calls)).code).toBe(5)
  await site.write('go', '')
  expect((await Promise.all(calls)).map(({ code }) => code).sort()).toEqual([0, 5])
  expect((await site.lines()).filter(({ event }) => event === 'schedule_enqueued')).toHaveLength(1)
  expect(await site.executions()).toHaveLength(1)
})

test('--serve waits for a run that will soon be gone', { timeout: 90_000 }, async () => {
  await site.write('configs/dags/job.yaml', job(site.waitFor('go')))
  const run = call('run', 'job')
  await until('the run', 20_000, async () => (await site.executions()).length === 1)
  const served = site.launch()
  let over: number | NodeJS.Signals | undefined
  void served.ended.then(code => {
    over = code
  })
  // It has been refused by now if it would not wait: a refusal comes 150 ms after its first look.
  const refused = await call('--once')
  expect(refused.code).toBe(5)
  expect(over).toBeUndefined()
  expect(await isRunning(served.pid)).toBe(true)
  await site.write('go', '')
  expect((await run).code).toBe(0)
  await until('the scheduler', 20_000, () =>
    served.control.status().then(
      ({ pid }) => pid === served.pid,
      () => false,
    ),
  )
  await site.settle(served)
  expect(await starts()).toEqual([1, 2])
  expect(await site.judge(true)).toEqual([])
})
