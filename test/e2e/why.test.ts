// Looking back with the real program: a scheduler that serves, is killed, and serves again; asked while it runs and while
// it does not.

import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/scheduler.js', import.meta.url))

let root: string
let serving: ReturnType<typeof spawn> | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-why-'))
  write({
    'configs/dags/quick.yaml':
      'name: quick\ntasks:\n  - { id: only, workflow_ref: shell, params: { command: "true" } }\n',
    'configs/dags/slow.yaml':
      'name: slow\ntasks:\n  - { id: sleeper, workflow_ref: shell, params: { command: "exec sleep 60" } }\n',
    'configs/schedules/s.yaml':
      '- { id: ticking, cron: "*/2 * * * * *", dag: quick, overlap: allow }\n- { id: busy, cron: "*/3 * * * * *", dag: slow }\n',
  })
})
afterEach(async () => {
  await end('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const environment = () => ({ PATH: process.env['PATH'], XDG_CACHE_HOME: join(root, 'cache') })

function serve(): void {
  serving = spawn(process.execPath, [BIN, '--serve', '--drain-timeout', '1s', '--kill-grace', '100ms'], {
    cwd: root,
    env: environment(),
    stdio: 'ignore',
  })
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const child = serving
  serving = undefined
  if (child === undefined) return
  const gone = new Promise(resolve => child.once('close', resolve))
  child.kill(signal)
  await gone
}

function scheduler(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      [BIN, ...words],
      { cwd: root, env: environment(), maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

/** Asks until the answer holds what is looked for. */
async function until(words: readonly string[], seen: RegExp): Promise<string> {
  for (let tries = 0; ; tries++) {
    const { stdout, stderr } = await scheduler(...words)
    if (seen.test(stdout)) return stdout
    if (tries > 60) throw new Error(`never said ${seen}: ${stdout}${stderr}`)
    await delay(250)
  }
}

test('why and audit, beside a scheduler, without one, and after a crash', { timeout: 120_000 }, async () => {
  const nothing = await scheduler('why', 'ticking')
  expect([nothing.code, nothing.stdout]).toEqual([4, ''])
  expect(nothing.stderr).toContain('[JOURNAL_MISSING]')

  serve()
  await until(['why', 'ticking', 'last'], /decision {2}enqueued: due\n/)
  const blocked = await until(['why', 'busy', 'last'], /decision {2}skipped: overlap\n/)
  expect(blocked).toMatch(/inputs {4}blocked_by = busy@\S+Z\n/)
  const [, blocker = ''] = /blocked_by = (\S+)/.exec(blocked) ?? []
  const standing = await scheduler('why', blocker)
  expect(standing.stdout).toMatch(/^run {7}busy@\S+Z {2}running for .*\ntask {6}sleeper is running/)
  expect((await scheduler('why', 'busy', '2020-01-01 00:00')).stdout).toContain(
    'decision  before first seen\n',
  )

  await end('SIGKILL')
  const crashedAt = Date.now()
  await delay(5_000)
  const open = await scheduler('why', 'ticking')
  expect(open.stdout).toContain('decision  open\n')
  expect(open.stdout).toContain('no scheduler is running: the next start decides it')
  expect(open.stdout).toMatch(/because {3}no scheduler was running from \S+Z \(it ended without a word/)

  serve()
  const missed = new Date(Math.ceil((crashedAt + 500) / 2000) * 2000).toISOString().replace('.000Z', 'Z')
  const said = await until(['why', 'ticking', missed], /decision {2}missed: catchup_latest\n/)
  expect(said).toMatch(/because {3}no scheduler was running from \S+Z \(it ended .*\) to \S+Z\n/)
  await end('SIGTERM')

  const audit = await scheduler('audit')
  expect(audit.code).toBe(1)
  expect(audit.stdout).toMatch(
    /^missed +ticking \S+Z to \S+Z, \d+ slots: recorded as missed \(catchup_latest\), line \d+$/m,
  )
  const allowed = await scheduler('audit', '--allow-missed', '--json')
  expect(allowed.code).toBe(0)
  const { total, findings } = JSON.parse(allowed.stdout)
  expect(total).toMatchObject({ undecided: 0, doubled: 0, never_due: 0 })
  expect(total.expected).toBe(total.enqueued + total.skipped + total.missed + total.open)
  expect(findings.every(({ kind }: { kind: string }) => kind === 'missed')).toBe(true)

  // A line that the index has taken already, and that is another one since.
  const journal = join(root, 'logs/orchestrator_state.jsonl')
  const text = readFileSync(journal, 'utf8')
  writeFileSync(journal, text.replace('"schedule_enqueued"', '"schedule_enqueuee"'))
  const damaged = await scheduler('audit')
  expect(damaged.code).toBe(78)
  expect(damaged.stderr).toMatch(
    /The journal is damaged: \S+orchestrator_state\.jsonl, line \d+ \(byte \d+\)/,
  )
})
