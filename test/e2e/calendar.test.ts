// Calendars through the binary: list, show, import, what is wrong with them, and a reload while a scheduler serves.

import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SchedulerFolder } from '../support/scheduler-process.ts'

const EXAMPLES = fileURLToPath(new URL('../../configs/calendars', import.meta.url))

let folder: SchedulerFolder
beforeEach(() => {
  folder = new SchedulerFolder()
})
afterEach(() => folder.remove())

const lines = (text: string) => text.trimEnd().split('\n')

describe('list and show', () => {
  beforeEach(() => cpSync(EXAMPLES, join(folder.root, 'configs/calendars'), { recursive: true }))

  test('list: each calendar', async () => {
    const { code, stdout } = await folder.call(['calendar', 'list'])
    expect(code).toBe(0)
    expect(lines(stdout).map(line => line.split(/ {2,}/)[0])).toEqual([
      'CALENDAR',
      'de_national',
      'office',
      'uk_england',
      'us_federal',
    ])
    const { stdout: json } = await folder.call(['calendar', 'list', '--json'])
    expect(JSON.parse(json)).toMatchObject({
      kind: 'CalendarList',
      items: [
        { name: 'de_national', timezone: 'Europe/Berlin', weekend: ['SAT', 'SUN'], include: [] },
        { name: 'office', include: ['de_national'] },
        {},
        {},
      ],
    })
  })

  test('show: a year, with where each holiday is from', async () => {
    const { code, stdout, stderr } = await folder.call(['calendar', 'show', 'us_federal', '--year', '2027'])
    expect(code).toBe(0)
    expect(lines(stdout)).toContain('2027-07-05  MON  Independence Day (observed)         observed')
    expect(lines(stdout)).toHaveLength(16)
    expect(stderr).toBe('2027-01-01 to 2027-12-31: 15 holidays, 249 business days, 0 windows\n')
  })

  test('show: a period, in JSON', async () => {
    const period = ['--from', '2026-10-01', '--to', '2026-12-31']
    const { stdout } = await folder.call(['calendar', 'show', 'office', ...period, '--json'])
    const { items, ...shown } = JSON.parse(stdout)
    expect(shown).toMatchObject({
      kind: 'Calendar',
      name: 'office',
      from: '2026-10-01',
      to: '2026-12-31',
      business_days: 62,
    })
    expect(shown.windows.map(({ name }: { name: string }) => name)).toEqual([
      'patch night',
      'backups',
      'year-end freeze',
      'Move of the data centre',
    ])
    expect(items).toContainEqual({
      date: '2026-10-10',
      weekday: 'SAT',
      name: 'workday',
      calendar: 'office',
      kind: 'workday',
      business: true,
    })
    expect(items).toContainEqual({
      date: '2026-12-25',
      weekday: 'FRI',
      name: '1. Weihnachtstag',
      calendar: 'de_national',
      kind: 'rule',
      business: false,
    })
  })

  test.each([
    [4, 'there is no calendar "us_federl"', ['show', 'us_federl']],
    [2, 'calendar show needs the name', ['show']],
    [2, '--year: expected a year from 1900 to 2299', ['show', 'office', '--year', '26']],
    [
      2,
      '--from: expected a date that exists',
      ['show', 'office', '--from', '2026-02-30', '--to', '2026-03-01'],
    ],
    [2, '--from and --to belong together', ['show', 'office', '--from', '2026-03-01']],
    [2, '2026-03-01 is before 2026-04-01', ['show', 'office', '--from', '2026-04-01', '--to', '2026-03-01']],
    [2, 'unknown action "shwo"', ['shwo']],
  ])('exit %i: %s', async (code, said, words) => {
    const ended = await folder.call(['calendar', ...words])
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(said)
  })
})

describe('import', () => {
  test('writes a file that loads, once', async () => {
    const out = 'configs/calendars/us_ca.yaml'
    folder.write('configs/calendars/other.yaml', 'name: other\n')
    const words = ['calendar', 'import', '--country', 'us-ca', '--years', '2026-2028', '--out', out]
    expect(await folder.call(words)).toMatchObject({ code: 0, stdout: '' })
    const text = folder.read(out)
    expect(text).toContain('  - { date: 2026-03-31, name: "César Chávez Day" }\n')
    expect(text).toContain('CC BY 3.0')
    const again = await folder.call(words)
    expect(again.code).toBe(2)
    expect(again.stderr).toContain('exists already')
    expect(folder.read(out)).toBe(text)
    expect((await folder.call([...words, '--force'])).code).toBe(0)
    expect((await folder.call(['validate'])).stderr).toBe('0 schedules, 0 DAGs, 2 calendars: no problems\n')
    const shown = await folder.call(['calendar', 'show', 'us_ca', '--year', '2027'])
    expect(shown.stdout).toContain('2027-11-25  THU  Thanksgiving Day')
  })

  test('to stdout, and as JSON', async () => {
    const words = ['calendar', 'import', '--country', 'DE', '--years', '2026', '--name', 'germany']
    const { stdout } = await folder.call(words)
    expect(stdout).toContain('name: germany\n')
    const { stdout: json } = await folder.call([...words, '--json'])
    expect(JSON.parse(json)).toMatchObject({ kind: 'CalendarImport', name: 'germany', text: stdout })
  })

  test('says how to install the library where it is not', async () => {
    folder.write(
      'without.mjs',
      `import { registerHooks } from 'node:module'
       registerHooks({
         resolve(name, context, next) {
           return next(name === 'date-holidays' ? 'not-installed-anywhere' : name, context)
         },
       })`,
    )
    const ended = await folder.call(['calendar', 'import', '--country', 'US', '--years', '2026'], {
      NODE_OPTIONS: `--import=${pathToFileURL(join(folder.root, 'without.mjs'))}`,
    })
    expect(ended).toMatchObject({ code: 4, stdout: '' })
    expect(ended.stderr).toContain('[CALENDAR_IMPORT_UNAVAILABLE]')
    expect(ended.stderr).toContain('npm install date-holidays')
  })

  test('keeps whole days of holidays that begin in the evening or last for days', async () => {
    const { stdout } = await folder.call(['calendar', 'import', '--country', 'TR', '--years', '2026'])
    expect(stdout).toContain('from: 2026-03-20, to: 2026-03-22')
    expect(stdout).toContain('from: 2026-05-27, to: 2026-05-30')
  })

  test.each([
    ['needs --country', ['--years', '2026']],
    ['write DE', ['--country', 'Germany', '--years', '2026']],
    ['its parts are', ['--country', 'US-XX', '--years', '2026']],
    ['this one has no parts', ['--country', 'SE-X', '--years', '2026']],
    ['--years: expected a year', ['--country', 'US']],
    ['--years: expected a year', ['--country', 'US', '--years', '2030-2026']],
    ['--types: expected', ['--country', 'US', '--years', '2026', '--types', 'pubic']],
    ['a part of a country: --country US-CA', ['--country', 'US', '--years', '2026', '--state', 'CA']],
    ['cannot be written', ['--country', 'US', '--years', '2026', '--out', 'no/such/folder/x.yaml']],
  ])('%s', async (said, words) => {
    const ended = await folder.call(['calendar', 'import', ...words])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(said)
  })
})

describe('files', () => {
  test('what is wrong is told with its place; a calendar folder of another name is read', async () => {
    folder.write('days/c.yaml', 'name: c\ninclude: [c]\ndates: [2026-02-30]\n')
    const env = { SCHED_CALENDARS_DIR: 'days' }
    const { code, stdout } = await folder.call(['validate'], env)
    expect(code).toBe(3)
    expect(stdout).toContain('days/c.yaml:2:11 error: calendars include each other in a circle: c → c')
    expect(stdout).toContain('days/c.yaml:3:9 error: expected a date that exists, got "2026-02-30"')
    expect((await folder.call(['calendar', 'list'], env)).code).toBe(3)
    expect((await folder.call(['calendar', 'list'])).code).toBe(0)
  })

  test('a change is taken into force while a scheduler serves, a broken one is refused', async () => {
    folder.write('configs/calendars/c.yaml', 'name: c\n')
    const { child, ended } = await folder.serve()
    const count = (event: string) => folder.journal().filter(line => line.event === event).length
    const before = count('definitions_loaded')
    folder.write('configs/calendars/c.yaml', 'name: c\ndates: [2026-12-25]\n')
    await folder.call(['reload'])
    expect(count('definitions_loaded')).toBe(before + 1)
    await folder.call(['reload'])
    expect(count('definitions_loaded')).toBe(before + 1)
    folder.write('configs/calendars/c.yaml', 'name: c\ndates: [2026-02-30]\n')
    await folder.call(['reload'])
    expect(count('definitions_rejected')).toBe(1)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(existsSync(folder.journalPath)).toBe(true)
    expect(readFileSync(folder.journalPath, 'utf8')).toContain('expected a date that exists')
  })

  test('an iCalendar file that changes is noticed', async () => {
    const ics = (date: string) =>
      `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:${date}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`
    folder.write('configs/calendars/c.yaml', 'name: c\nics: [days/c.ics]\n')
    folder.write('configs/calendars/days/c.ics', ics('20261225'))
    const { child, ended } = await folder.serve()
    const loaded = () => folder.journal().filter(line => line.event === 'definitions_loaded')
    const seq = Math.max(0, ...loaded().map(line => line.seq))
    folder.write('configs/calendars/days/c.ics', ics('20261224'))
    const line = await folder.line(
      'the changed calendar',
      ({ event, seq: at }) => event === 'definitions_loaded' && at > seq,
    )
    expect(line['cause']).toBe('reload')
    folder.write('configs/calendars/days/c.ics', ics('20260230'))
    const refused = await folder.line('the broken calendar', ({ event }) => event === 'definitions_rejected')
    expect(JSON.stringify(refused)).toContain(
      'configs/calendars/days/c.ics:2:1 error: there is no date 2026-02-30',
    )
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})
