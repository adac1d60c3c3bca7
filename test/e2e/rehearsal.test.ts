// A whole scheduler that rehearses, on real files: what it plays is nowhere but in memory, and whatever the definitions ask
// for, it comes to its end.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { UnwrittenJournal } from '../../src/adapters/jsonl/unwritten-journal.ts'
import { openSession } from '../../src/compose.ts'
import { openSource } from '../../src/composition/files.ts'
import { loadSettings } from '../../src/config.ts'
import { Agenda } from '../../src/core/planner/agenda.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { Rehearsal } from '../../src/daemon/rehearsal.ts'
import { VirtualTime } from '../simulation/virtual-clock.ts'

const root = mkdtempSync(join(tmpdir(), 'dagbok-rehearsal-'))

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(root, { recursive: true, force: true })
})

/** What was played, until `enough` of it was; then told. */
function listen(enough: number): { played: Set<string>; heard: Promise<void> } {
  const played = new Set<string>()
  const heard = Promise.withResolvers<void>()
  const { append } = UnwrittenJournal.prototype
  vi.spyOn(UnwrittenJournal.prototype, 'append').mockImplementation(function (
    this: UnwrittenJournal,
    commits,
  ) {
    for (const { run_id: runId } of commits.flat() as (Event & { run_id?: string })[])
      if (runId !== undefined) played.add(runId)
    if (played.size >= enough) heard.resolve()
    return append.call(this, commits)
  })
  return { played, heard: heard.promise }
}

test('hundreds of runs are played beside a real one, and only that is told of', async () => {
  mkdirSync(join(root, 'configs/schedules'), { recursive: true })
  mkdirSync(join(root, 'configs/dags'), { recursive: true })
  writeFileSync(
    join(root, 'configs/dags/touch.yaml'),
    `name: touch\ntasks:\n  - id: one\n    workflow_ref: shell\n    params: { command: "echo ran >> ${root}/ran.log" }\n`,
  )
  const schedules = Array.from(
    { length: 120 },
    (_, n) => `- id: yearly_${n}\n  cron: "0 0 1 1 *"\n  dag: touch\n`,
  )
  writeFileSync(join(root, 'configs/schedules/yearly.yaml'), schedules.join(''))
  const { played, heard } = listen(500)
  const notes: string[] = []
  const { settings } = await loadSettings({ flags: { root }, env: {}, cwd: root })
  const session = await openSession(settings, 'serve', { note: (_level, text) => notes.push(text) })
  const served = session.serve()

  const finished = Promise.withResolvers<Event>()
  session.onEvent(event => {
    if (event.event === 'run_finished') finished.resolve(event)
  })
  const real = await session.control.trigger({ dag: 'touch', cause: 'cli' })
  await heard
  expect(await finished.promise).toMatchObject({ run_id: real.run_id, status: 'success' })
  await session.stop({ now: false, reason: 'the test is done' })
  await served

  const lines = readFileSync(settings.statePath, 'utf8').trim().split('\n')
  const events = lines.map(line => JSON.parse(line) as Event & { run_id?: string })
  expect(new Set(events.flatMap(event => event.run_id ?? []))).toEqual(new Set([real.run_id]))
  expect(events.filter(({ event }) => event === 'schedule_registered').length).toBe(120)
  expect(events.at(-1)!.event).toBe('scheduler_stopped')
  expect(played.size).toBeGreaterThanOrEqual(500)
  expect(played.has(real.run_id)).toBe(false)
  expect(readFileSync(join(root, 'ran.log'), 'utf8')).toBe('ran\n')
  expect(readFileSync(settings.eventsPath, 'utf8').trim().split('\n').length).toBeLessThan(10)
  expect(notes.filter(text => text.includes('rehearsal'))).toEqual([])
})

test('every schedule and every DAG of the examples can be rehearsed', async () => {
  const project = fileURLToPath(new URL('../../', import.meta.url))
  const { settings } = await loadSettings({ flags: { root: project }, env: {}, cwd: project })
  const source = openSource(settings, () => {})
  const loaded = await source.load()
  await source.close()
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { definitions } = loaded
  // The examples that are switched off are so for their time, not for what they do.
  const all = [...definitions.schedules.values()].map(schedule => ({ ...schedule, enabled: true }))
  const daily = all.find(({ id }) => id === 'heartbeat')!
  const scenes = [...all, ...[...definitions.dags.keys()].map(dagName => ({ ...daily, dagName }))]
  const now = Date.parse('2026-01-05T06:30:00Z')
  for (const scene of scenes) {
    const crowd = Array.from({ length: 100 }, (_, n) => ({ ...scene, id: `${scene.id}_${n}` }))
    const schedules = new Map(crowd.map(schedule => [schedule.id, schedule]))
    const agenda = new Agenda()
    for (const schedule of crowd) agenda.put(schedule.slots.next(now), schedule)
    const time = new VirtualTime(now)
    const journal = new UnwrittenJournal()
    const rehearsal = new Rehearsal({
      clock: time.clockFor({}),
      agenda,
      definitions: { ...definitions, schedules },
      limits: { maxParallel: 3, maxTasks: 16 },
      journal,
    })
    const over = { is: false }
    const end = () => {
      over.is = true
    }
    const ended = rehearsal.run().finally(end)
    // Bounded, so that one without an end is named.
    for (let ms = 0; ms < 100_000 && !over.is; ms++) {
      time.pass(1)
      time.fireDue()
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(over.is, `${scene.id} ${scene.dagName} ends`).toBe(true)
    await ended
    expect(journal.lastSeq, `${scene.id} ${scene.dagName}`).toBeGreaterThan(1_000)
  }
}, 120_000)
