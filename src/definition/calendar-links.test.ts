import { describe, expect, it } from 'vitest'
import { isHoliday } from '../core/calendar/calendar.ts'
import { parseDay } from '../core/calendar/day.ts'
import { windowAt } from '../core/calendar/window.ts'
import { CheckedFiles, type InputFile, loadDefinitions } from './load-definitions.ts'
import { makeFileProblem } from './problem.ts'

const file = (name: string, text: string): InputFile => ({
  file: name,
  key: name,
  content: { bytes: new TextEncoder().encode(text) },
})

const ICS = [
  'BEGIN:VCALENDAR',
  'BEGIN:VEVENT',
  'DTSTART;VALUE=DATE:20261225',
  'SUMMARY:Christmas',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'DTSTART:20261107T180000',
  'DURATION:PT1H',
  'SUMMARY:Move',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n')

async function load(calendars: Record<string, string>, ics: Record<string, string> = {}, more = {}) {
  const result = await loadDefinitions({
    scheduleFiles: [],
    poolFiles: [],
    dagFiles: [],
    calendarFiles: Object.entries(calendars).map(([name, text]) => file(name, text)),
    icsFiles: Object.entries(ics).map(([name, text]) => file(name, text)),
    workflows: [],
    problems: [],
    findDag: async path => ({ refused: 'no such file', help: `create ${path}` }),
    ...more,
  })
  const problems = result.ok ? result.warnings : result.problems
  const said = problems.map(each => `${each.file}:${each.line}:${each.column} ${each.message} | ${each.help}`)
  return { said, calendars: result.ok ? result.definitions.calendars : undefined }
}

const day = (text: string) => parseDay(text)!

describe('calendars together', () => {
  it('include each other, whatever the order of the files', async () => {
    const { calendars, said } = await load({
      'a.yaml': 'name: a\ninclude: [b, c]\n',
      'b.yaml': 'name: b\ninclude: [c]\n',
      'c.yaml': 'name: c\ndates: [{date: 2026-05-01, name: May}]\n',
    })
    expect(said).toEqual([])
    for (const name of ['a', 'b', 'c'])
      expect(isHoliday(calendars!.get(name)!, day('2026-05-01'))).toEqual({ name: 'May' })
  })

  it('have hashes that follow what they mean, and what those mean that they include', async () => {
    const hashes = async (a: string, b: string) => {
      const { calendars } = await load({ 'a.yaml': `name: a\ninclude: [b]\n${a}`, 'b.yaml': `name: b\n${b}` })
      return ['a', 'b'].map(name => calendars!.get(name)!.plan.hash)
    }
    const [a, b] = await hashes('', '')
    expect(await hashes('description: x\n', '# a comment\n')).toEqual([a, b])
    expect(await hashes('weekend: [SUN, SAT]\n', '')).not.toEqual([a, b])
    const [otherA, sameB] = await hashes('weekend: []\n', '')
    expect([otherA === a, sameB]).toEqual([false, b])
    const [changedA, changedB] = await hashes('', 'weekend: []\n')
    expect([changedA === a, changedB === b]).toEqual([false, false])
  })

  it('an unknown one is told with the one that was meant', async () => {
    const { said } = await load({ 'a.yaml': 'name: a\ninclude: [ofice]\n', 'o.yaml': 'name: office\n' })
    expect(said).toEqual(['a.yaml:2:11 unknown calendar "ofice" | did you mean "office"?'])
  })

  it('one that cannot be read makes none unknown', async () => {
    const unreadable = { file: 'b.yaml', key: 'b', content: { problem: makeFileProblem('b.yaml', 'no') } }
    const { said } = await load(
      {},
      {},
      { calendarFiles: [file('a.yaml', 'name: a\ninclude: [b]\n'), unreadable] },
    )
    expect(said).toEqual(['b.yaml:1:1 no | undefined'])
  })

  it('the first place of a name that two have', async () => {
    const { said } = await load({ 'a.yaml': 'name: x\n', 'b.yaml': '# c\nname: x\n' })
    expect(said).toEqual(['b.yaml:2:7 duplicate calendar name "x", first in a.yaml:1 | rename one of them'])
  })

  it('a circle is told once, by its path', async () => {
    const { said } = await load({
      'a.yaml': 'name: a\ninclude: [b]\n',
      'b.yaml': 'name: b\ninclude: [c]\n',
      'c.yaml': 'name: c\ninclude: [a]\n',
      'd.yaml': 'name: d\ninclude: [a]\n',
      'e.yaml': 'name: e\ninclude: [e]\n',
    })
    expect(said).toEqual([
      'a.yaml:2:11 calendars include each other in a circle: a → b → c → a | remove one of these from include',
      'e.yaml:2:11 calendars include each other in a circle: e → e | remove it: a calendar holds itself anyway',
    ])
  })
})

describe('many calendars', () => {
  const chain = (length: number) =>
    Object.fromEntries(
      Array.from({ length }, (_, n) => [
        `c${n}.yaml`,
        `name: c${n}\n${n + 1 < length ? `include: [c${n + 1}]\n` : 'dates: [2026-05-01]\n'}`,
      ]),
    )

  it('may include each other 20 deep', async () => {
    const { calendars } = await load(chain(21))
    expect(isHoliday(calendars!.get('c0')!, day('2026-05-01'))).toBeDefined()
    expect((await load(chain(22))).said).toEqual([
      'c0.yaml:2:11 calendars include each other more than 20 deep | include the ones at the end of the chain directly',
    ])
  })

  it('in a chain of thousands, or a circle of thousands, are told in bounded time', async () => {
    const began = performance.now()
    expect((await load(chain(2_000))).said).toHaveLength(1)
    const circle = { ...chain(2_000), 'c1999.yaml': 'name: c1999\ninclude: [c0]\n' }
    expect((await load(circle)).said).toEqual([
      expect.stringMatching(
        /^c0\.yaml:2:11 calendars include each other in a circle: c0 → c1 → .{0,300} → c0 \|/,
      ),
    ])
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('that share what they include keep it once', async () => {
    const levels: Record<string, string> = {
      'z.yaml': 'name: z\nwindows: [{name: w, weekdays: [SUN]}]\ndates: [2026-05-01]\n',
    }
    for (let n = 0; n < 19; n++) {
      const below = n === 18 ? 'z' : `a${n + 1}, b${n + 1}`
      for (const side of ['a', 'b']) levels[`${side}${n}.yaml`] = `name: ${side}${n}\ninclude: [${below}]\n`
    }
    const { calendars } = await load(levels)
    const top = calendars!.get('a0')!
    expect(top.windows).toHaveLength(1)
    expect(top.holidaysIn(2026).get(day('2026-05-01'))).toHaveLength(1)
  })
})

describe('iCalendar files', () => {
  it('are found from the calendar: days are holidays, times are windows in its zone', async () => {
    const { calendars, said } = await load(
      { 'configs/calendars/eu/a.yaml': 'name: a\ntimezone: Europe/Berlin\nics: [../ics/x.ics]\n' },
      { 'configs/calendars/ics/x.ics': ICS },
    )
    expect(said).toEqual([])
    const calendar = calendars!.get('a')!
    expect(calendar.holidaysIn(2026).get(day('2026-12-25'))).toEqual([
      { name: 'Christmas', calendar: 'a', kind: 'ics', file: '../ics/x.ics' },
    ])
    const from = Date.parse('2026-11-07T17:00Z')
    expect(windowAt(calendar, from)).toEqual({ name: 'Move', from, to: from + 3_600_000 })
  })

  it('are told with their own place if they are wrong, and not read if no calendar names them', async () => {
    const { said } = await load({ 'a.yaml': 'name: a\nics: [x.ics]\n' }, { 'x.ics': 'x', 'y.ics': 'y' })
    expect(said).toEqual([
      'x.ics:1:1 expected an iCalendar file, which has BEGIN:VCALENDAR | export it again as iCalendar (.ics)',
    ])
  })

  it('that are not there are told where they are named', async () => {
    expect((await load({ 'a.yaml': 'name: a\nics: [x.ics]\n' }, { 'xx.ics': ICS })).said).toEqual([
      'a.yaml:2:7 unknown iCalendar file "x.ics": it is not in the folder of calendars | did you mean "xx.ics"?',
    ])
    expect((await load({ 'a.yaml': 'name: a\nics: [../../etc/x.ics]\n' })).said).toEqual([
      'a.yaml:2:7 unknown iCalendar file "../../etc/x.ics": it is not in the folder of calendars | put x.ics beside this file',
    ])
  })

  it('that cannot be read are told once', async () => {
    const unreadable = { file: 'x.ics', key: 'x', content: { problem: makeFileProblem('x.ics', 'no') } }
    const { said } = await load({ 'a.yaml': 'name: a\nics: [x.ics]\n' }, {}, { icsFiles: [unreadable] })
    expect(said).toEqual(['x.ics:1:1 no | undefined'])
  })
})

it('a file is read again only if its text changed', async () => {
  const kept = new CheckedFiles()
  const inputs = (text: string) => ({
    scheduleFiles: [],
    poolFiles: [],
    dagFiles: [],
    calendarFiles: [file('a.yaml', 'name: a\nics: [x.ics]\n')],
    icsFiles: [file('x.ics', text)],
    workflows: [],
    problems: [],
    findDag: async () => ({ refused: '', help: '' }),
  })
  const hashAfter = async (text: string) => {
    const result = await loadDefinitions(inputs(text), kept)
    return result.ok ? result.definitions.calendars.get('a')!.plan.hash : undefined
  }
  const first = await hashAfter(ICS)
  const [calendar, ics] = [kept.calendars.get('a.yaml'), kept.icsFiles.get('x.ics')]
  expect(await hashAfter(ICS)).toBe(first)
  expect(kept.icsFiles.get('x.ics')).toBe(ics)
  expect(await hashAfter(ICS.replace('20261225', '20261224'))).not.toBe(first)
  expect(kept.calendars.get('a.yaml')).toBe(calendar)
  await loadDefinitions({ ...inputs(''), calendarFiles: [], icsFiles: [] }, kept)
  expect(kept.calendars.size + kept.icsFiles.size).toBe(0)
})
