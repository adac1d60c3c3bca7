import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LoadResult } from '../../ports/definition-source.ts'
import { createDefinitionSource, DEFAULT_FOLDERS, type DefinitionSourceOptions } from './definition-source.ts'

const DAG = 'name: d\ntasks:\n  - {id: a, workflow_ref: shell, params: {command: x}}\n'
const OTHER =
  'name: e\ntenant_id: t2\ntasks:\n  - {id: a, workflow_ref: http, params: {url: "https://e.org"}, env: {A: b}, timeout: 3s}\n'
const schedule = (id: string, more = '') => `- id: ${id}\n  cron: "0 6 * * *"\n  dag: d\n${more}`

const ICS =
  'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260501\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-checker-'))
  write('configs/dags/d.yaml', DAG)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function writeMany(count: number): void {
  write('configs/schedules/many.yaml', Array.from({ length: count }, (_, n) => schedule(`s${n}`)).join(''))
}

function open(options: DefinitionSourceOptions) {
  const watched: string[] = []
  const source = createDefinitionSource(
    { root, ...DEFAULT_FOLDERS },
    async paths => {
      watched.push(...paths)
      return { add: more => void watched.push(...more), close: async () => {} }
    },
    options,
  )
  return { source, watched }
}

const APART: DefinitionSourceOptions = { processFromBytes: 0 }
const HERE: DefinitionSourceOptions = { processFromBytes: Number.POSITIVE_INFINITY }

/** A program in the place of the checker. */
function anEntry(text: string): URL {
  write('entry.mjs', text)
  return pathToFileURL(join(root, 'entry.mjs'))
}

/** What can be compared: compiled crons by their slots. */
function flatten(result: LoadResult) {
  if (!result.ok) return result
  const { schedules, dags, calendars, pools, channels } = result.definitions
  return {
    channels: [...channels],
    pools: [...pools],
    warnings: result.warnings,
    dags: [...dags],
    calendars: [...calendars.values()].map(({ plan, includes }) => [
      plan,
      includes.map(each => each.plan.name),
    ]),
    schedules: [...schedules.values()].map(({ slots, ...rest }) => ({
      ...rest,
      next: slots.next(Date.parse('2026-01-05T00:00Z')),
    })),
  }
}

/** Processes of ours that run `entry`. */
function childrenOf(entry: string): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(entry)
      } catch {
        return false
      }
    })
}

describe('definitions checked in a process of their own', () => {
  it.each([
    ['in this process', HERE],
    ['in one of its own', APART],
  ])('%s: a manifest is loaded again when vars change, or who is told', async (_, options) => {
    const manifest = (channel: string) => `dag:\n  schedule: "{{vars.cron}}"\n  notify: [${channel}]\n`
    write('configs/notifications.yaml', 'channels: {A: {command: [x]}, B: {command: [x]}}\n')
    write('configs/dags/m.yaml', manifest('A'))
    write('configs/vars/default.yaml', 'cron: "@daily"\n')
    const { source, watched } = open(options)
    const load = async () => {
      const result = await source.load()
      expect(result).toMatchObject({ ok: true })
      return result.ok ? result.definitions : undefined
    }
    const first = await load()
    expect(first!.schedules.get('m')).toMatchObject({ timing: { crons: ['@daily'] }, dagName: 'm' })
    write('configs/vars/default.yaml', 'cron: "@weekly"\n')
    const second = await load()
    expect(second!.schedules.get('m')!.timing.crons).toEqual(['@weekly'])
    expect(second!.dags.get('m')).toEqual(first!.dags.get('m'))
    write('configs/dags/m.yaml', manifest('B'))
    const third = await load()
    expect(third!.dags.get('m')).toMatchObject({
      notification: { channels: ['B'] },
      manifest: { mode: 'schedule' },
    })
    expect(third!.dags.get('m')!.hash).toBe(first!.dags.get('m')!.hash)
    await source.watch(() => {})
    expect(watched).toContain(join(root, 'configs/vars'))
    write('configs/vars/default.yaml', '[]\n')
    expect(await source.load()).toMatchObject({
      ok: false,
      problems: [{ file: 'configs/vars/default.yaml' }],
    })
    await source.close()
  })

  it('are what they are when checked here: a good set with warnings', async () => {
    writeMany(600)
    write('configs/dags/e.yaml', OTHER)
    write('configs/calendars/a.yaml', 'name: a\ninclude: [b]\nics: [x.ics]\ndates: [2026-12-25]\n')
    write(
      'configs/calendars/b.yaml',
      'name: b\nrules: [{easter: 1, from_year: 2000}]\nobserved: next_monday\n',
    )
    write('configs/calendars/x.ics', ICS)
    write('configs/pools.yaml', 'db: 2\napi: { slots: 3, description: calls }\n')
    write('configs/notifications.yaml', 'channels: { OPS: { slack_env: A }, LOG: { command: [cat] } }\n')
    write('jobs/far.yaml', DAG.replace('name: d', 'name: far'))
    write('workflows/shell.ts', '')
    write(
      'configs/schedules/more.yaml',
      `${schedule('x', '  timezone: Europe/Berlin\n  catchup: all\n  overlap: queue\n  enabled: false\n')}` +
        '- id: y\n  cron: "15 3 * * MON"\n  dag: e\n- {id: z, cron: "*/7 * * * *", dag: jobs/far.yaml, tenant: other, pool: {name: api, weight: 2}, priority: 3}\n',
    )
    const here = open(HERE)
    const apart = open(APART)
    const expected = flatten(await here.source.load())
    expect(expected).toMatchObject({
      schedules: { length: 603 },
      channels: [
        ['OPS', { target: { kind: 'slack' }, groupMs: 10_000 }],
        ['LOG', { target: { kind: 'command', command: ['cat'] } }],
      ],
      dags: { length: 3 },
      pools: [
        ['db', { slots: 2 }],
        ['api', { slots: 3, description: 'calls' }],
      ],
      calendars: [
        [{ name: 'a', dates: { length: 2 } }, ['b']],
        [{ name: 'b' }, []],
      ],
    })
    expect(flatten(await apart.source.load())).toEqual(expected)
    for (const { source } of [here, apart]) await (await source.watch(() => {}))()
    expect(apart.watched).toEqual(here.watched)
    expect(apart.watched).toContain(join(root, 'jobs/far.yaml'))
  })

  it('are what they are when checked here: everything that is wrong', async () => {
    write('configs/schedules/a.yaml', `${schedule('x', '  nope: 1\n')}${schedule('x')}- 7\n`)
    write('configs/schedules/b.yaml', '- [')
    write('configs/schedules/c.yaml', '')
    write('configs/dags/e.yaml', 'name: d\ntasks:\n  - {id: a, workflow_ref: gone, depends_on: [a]}\n')
    const expected = await open(HERE).source.load()
    expect(expected).toMatchObject({ ok: false })
    expect(!expected.ok && expected.problems.length).toBeGreaterThan(5)
    expect(await open(APART).source.load()).toEqual(expected)
  })

  it('begin at the size that is set', async () => {
    writeMany(3)
    const bytes = readFileSync(join(root, 'configs/schedules/many.yaml')).length + Buffer.byteLength(DAG)
    const checkerEntry = anEntry('process.exit(9)')
    const at = (processFromBytes: number) => open({ processFromBytes, checkerEntry }).source.load()
    expect(await at(bytes)).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('exit code 9') }],
    })
    expect(await at(bytes + 1)).toMatchObject({ ok: true })
  })

  it('share texts, and what did not change with the last set', async () => {
    writeMany(2)
    const { source } = open(APART)
    const first = await source.load()
    if (!first.ok) throw new Error('the set is good')
    const [s0, s1] = first.definitions.schedules.values()
    expect(s0!.timing).toBe(s1!.timing)
    expect(s0!.slots).toBe(s1!.slots)
    // Nothing was parsed again: else it would be a new answer.
    expect(await source.load()).toBe(first)
    write('configs/schedules/comment.yaml', '# a comment\n[]\n')
    const same = await source.load()
    expect(same).not.toBe(first)
    expect(same.ok && same.definitions).toBe(first.definitions)
    write('configs/calendars/a.yaml', 'name: a\nics: [x.ics]\n')
    write('configs/calendars/x.ics', ICS)
    const withCalendar = await source.load()
    const calendars = withCalendar.ok ? withCalendar.definitions.calendars : undefined
    expect([...(calendars?.keys() ?? [])]).toEqual(['a'])
    write('configs/schedules/more.yaml', schedule('s2'))
    const third = await source.load()
    expect(third.ok && third.definitions.calendars).toBe(calendars)
    write('configs/calendars/x.ics', ICS.replace('0501', '0502'))
    const changed = await source.load()
    expect(changed.ok && changed.definitions.calendars.get('a')).not.toBe(calendars?.get('a'))
    write('configs/pools.yaml', 'db: 2\n')
    const pooled = await source.load()
    expect(pooled.ok && [...pooled.definitions.pools]).toEqual([['db', { slots: 2 }]])
    write('configs/notifications.yaml', 'channels: { LOG: { command: [cat] } }\n')
    const told = await source.load()
    expect(told.ok && pooled.ok && told.definitions !== pooled.definitions).toBe(true)
    expect(told.ok && [...told.definitions.channels.keys()]).toEqual(['LOG'])
    expect(third.ok && [...third.definitions.schedules.keys()]).toEqual(['s0', 's1', 's2'])
    expect(third.ok && third.definitions.schedules.get('s0')).toBe(s0)
    expect(first.definitions.schedules.size).toBe(2)
  })

  it('hold the days of a roll once, and those that an edit of the calendar makes', async () => {
    const roll = '  roll: {convention: following, calendar: a}\n'
    write('configs/calendars/a.yaml', 'name: a\nics: [x.ics]\n')
    write('configs/calendars/x.ics', ICS)
    write(
      'configs/schedules/s.yaml',
      `${schedule('s0', roll)}- {id: s1, cron: "1 6 * * *", dag: d,${roll.trim().replace('roll', ' roll')}}\n`,
    )
    const { source } = open(APART)
    const rolls = async () => {
      const result = await source.load()
      if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join())
      const [s0, s1] = result.definitions.schedules.values()
      expect(s0!.timing.roll).toBe(s1!.timing.roll)
      return s0!
    }
    const first = await rolls()
    expect(first.timing.roll!.days.dates).toEqual(['2026-05-01'])
    write('configs/calendars/x.ics', ICS.replace('END:VCALENDAR', 'X-NOTE:nothing new\r\nEND:VCALENDAR'))
    expect(await rolls()).toBe(first)
    write('configs/calendars/x.ics', ICS.replace('0501', '0504'))
    const second = await rolls()
    expect(second.timing.roll!.days.dates).toEqual(['2026-05-04'])
    expect(second.slots.next(Date.parse('2026-05-03T00:00Z'))).toBe(Date.parse('2026-05-05T06:00Z'))
  })

  it('see a change of a file elsewhere that a schedule names, and of one that was missing', async () => {
    write('configs/schedules/s.yaml', '- {id: s, cron: "0 6 * * *", dag: jobs/far.yaml}\n')
    const { source } = open(APART)
    expect(await source.load()).toMatchObject({ ok: false })
    write('jobs/far.yaml', DAG.replace('name: d', 'name: far'))
    const first = await source.load()
    expect(first).toMatchObject({ ok: true })
    expect(await source.load()).toBe(first)
    write('jobs/far.yaml', DAG.replace('name: d', 'name: farther'))
    const second = await source.load()
    expect(second.ok && second.definitions.schedules.get('s')?.dagName).toBe('farther')
    rmSync(join(root, 'jobs/far.yaml'))
    expect(await source.load()).toMatchObject({ ok: false })
  })

  it('go from small to large and back', async () => {
    const { source } = open({ processFromBytes: 10_000 })
    for (const count of [2, 400, 3, 500]) {
      writeMany(count)
      const result = await source.load()
      expect(result.ok && result.definitions.schedules.size).toBe(count)
    }
  })

  it('that take too much memory are a problem of the file they were at', async () => {
    writeMany(2)
    write('configs/schedules/wide.yaml', `[${'[],'.repeat(300_000)}]`)
    expect(await open({ ...APART, heapLimitMb: 40 }).source.load()).toMatchObject({
      ok: false,
      problems: [
        {
          file: 'configs/schedules/wide.yaml',
          severity: 'error',
          message: 'checking the definitions took more than 40 MiB of memory',
        },
      ],
    })
  })

  it.each([
    ['an exception', 'setTimeout(() => { throw new Error("no") }, 1)', 'exit code 1'],
    ['an exit in the middle', 'process.send({type: "dags", dags: []}, () => process.exit(0))', 'exit code 0'],
    ['a signal', 'process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
    [
      'an answer that is none',
      'process.send({type: "dags", dags: 7}); setInterval(() => {}, 1e6)',
      'iterable',
    ],
    ['a program that is not there', '', 'exit code'],
  ])('that fail are a problem, never an exception: %s', async (_, text, said) => {
    writeMany(1)
    const checkerEntry = text === '' ? pathToFileURL(join(root, 'gone.mjs')) : anEntry(text)
    const { source } = open({ ...APART, checkerEntry })
    const result = await source.load()
    expect(result).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining(said) }] })
    expect(await source.load()).toMatchObject({ ok: false })
  })

  it('are called off by a close, and leave no process behind', async () => {
    writeMany(1)
    const checkerEntry = anEntry(
      'process.on("message", () => {}); process.send({type: "checking", file: "x"})',
    )
    const { source } = open({ ...APART, checkerEntry })
    const loaded = source.load().catch((error: unknown) => error)
    await expect.poll(() => childrenOf(join(root, 'entry.mjs')).length, { timeout: 10_000 }).toBe(1)
    await source.close()
    expect(await loaded).toMatchObject({ code: 'SCHEDULER_STOPPED' })
    expect(childrenOf(join(root, 'entry.mjs'))).toEqual([])
    await expect(source.load()).rejects.toMatchObject({ code: 'SCHEDULER_STOPPED' })
  })
})
