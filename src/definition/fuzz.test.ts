// Whatever the text: nothing throws, every problem points into the file, and a sound neighbour stays sound.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCalendars } from '../core/calendar/calendar.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import { authorDag, formatYaml } from './author-dag.ts'
import { checkCalendarFile } from './calendar-file.ts'
import { checkDagFile } from './dag-file.ts'
import { checkIcsFile } from './ics-file.ts'
import { loadDefinitions } from './load-definitions.ts'
import { renderProblem } from './problem.ts'
import { checkScheduleFile } from './schedule-file.ts'
import { SourceText } from './source-text.ts'
import { NO_VARS, type Vars } from './vars.ts'
import { checkVarsFile } from './vars-file.ts'

const SCHEDULES = `# nightly things
- id: nightly
  cron: "0 6 * * MON-FRI"
  dag: configs/dags/nightly.yaml
  timezone: Europe/Berlin
  catchup: all
  catchup_window: 1d12h
- &second
  id: hourly
  cron: '@hourly'
  dag: nightly
  description: >
    folded
    text
`
const DAG = `name: nightly
tenant_id: local-dev
tasks:
  - id: sweep
    workflow_ref: shell
    params: {command: [echo, "a b"], deep: {list: [1, 2.5, null, true]}}
    retries: 2
  - id: report
    workflow_ref: http
    params:
      url: "https://example.org/"
    depends_on:
      - sweep
    env: {A: "1"}
`

const MANIFEST = `dag:
  tenant_id: local-dev
  notification_type: [ON_ERROR, ON_LATE]
  notify: [SUPPORT]
  late_after: 1h
  schedule:
    cron: "{{vars.cron}}"
    conditions: [{calendar: office}, {any: [{file: "in/{{ds}}"}, {not: {cel: 'tenant == "a"'}}]}]
    retry_until: 1h
  stages:
    - external_input_files: {path: in, pattern: "*.csv", stable_for: 5s}
    - resources_static
  clients: {command: [ls, "{{vars.place}}"], exclude: [x], conditions: [{file: "{{client_id}}"}]}
  tasks:
    - name: A
      target_sp: shell
      args: {command: "echo {{vars.deep.count}}", all: "{{vars.deep}}"}
      multi_client_execution: true
    - {id: B, workflow_ref: http, params: {url: "https://example.org/"}, trigger_rule: all_done, depends_on: [A]}
`
const VARS: Vars = { ...NO_VARS, values: { cron: '0 6 * * *', place: 'clients', deep: { count: 3 } } }
const VARS_FILE = 'cron: "0 6 * * *"\nplace: &a clients\ndeep:\n  count: 3\n  list: [1, {b: null}]\n'

const CALENDAR = `name: office
timezone: Europe/Berlin
weekend: [SAT, SUN]
include: [other]
observed: {SAT: FRI, SUN: MON}
dates:
  - 2026-12-25
  - {from: 2026-12-28, to: 2026-12-31, name: Shutdown}
rules:
  - {day: 02-29, name: Leap day, observed: next_monday}
  - {nth: -1, weekday: MON, month: 5, from_year: 2000}
  - {easter: -2, orthodox: true}
ics: [x.ics]
windows:
  - {name: a, cron: "0 22 * * SUN", duration: 4h}
  - {name: b, weekdays: [SAT], from: "22:00", to: "04:00"}
  - {name: c, from: 2026-12-20T18:00, to: 2027-01-03}
`
const ICS = `BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:a
DTSTART;VALUE=DATE:20240229
DURATION:P2D
RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=20
EXDATE;VALUE=DATE:20260228
SUMMARY:Last day\\, of February
END:VEVENT
BEGIN:VEVENT
UID:b
DTSTART;TZID=Europe/Berlin:20261024T220000
DTEND;TZID=Europe/Berlin:20261024T235959
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU;UNTIL=20271231T000000Z
RDATE:20260101T000000Z
END:VEVENT
END:VCALENDAR
`
/** Pieces that mean something in iCalendar. */
const ICS_SPLINTERS = [
  ...['BEGIN:VEVENT\n', 'END:VEVENT\n', 'BEGIN:VCALENDAR\n', 'BEGIN:VTIMEZONE\n', 'STATUS:CANCELLED\n'],
  ...['RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\n', 'RRULE:FREQ=SECONDLY\n', ';INTERVAL=0', ';BYSETPOS=-1'],
  ...[
    'TZID=Nowhere:',
    ';COUNT=999999999',
    'DTSTART:99991231T235959Z\n',
    'DURATION:-P1D\n',
    '0',
    '9',
    'T',
    'Z',
  ],
]

/** Pieces that break YAML, or look as if they did. */
const SPLINTERS = [
  ...[
    '\t',
    '\r\n',
    '\n',
    '  ',
    ':',
    ': ',
    '- ',
    '?',
    '? ',
    '&a ',
    '*a',
    '*second',
    '!x ',
    '!!binary ',
    '{',
    '}',
    '[',
    ']',
  ],
  ...[
    '"',
    "'",
    '#',
    ' #',
    '|',
    '>',
    '%YAML 1.1\n',
    '---\n',
    '...\n',
    '<<: ',
    '{{ x }}',
    '@',
    '`',
    '\\',
    '\0',
    '\uFEFF',
  ],
  ...[
    '__proto__',
    'constructor: ',
    '漢',
    '\u202e',
    '\ud800',
    '0777',
    '.nan',
    '~',
    'null',
    'yes',
    '1e999',
    '[[[[[[[',
  ],
]

type Mutation = { at: number; cut: number; put: string }

const mutation = fc.record({
  at: fc.nat(),
  cut: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(60) }),
  put: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...SPLINTERS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    { weight: 1, arbitrary: fc.constant('') },
  ),
})

function mutate(text: string, mutations: readonly Mutation[]): string {
  let mutated = text
  for (const { at, cut, put } of mutations) {
    const from = at % (mutated.length + 1)
    mutated = mutated.slice(0, from) + put + mutated.slice(from + cut)
  }
  return mutated
}

function expectInside(text: string, problems: readonly DefinitionProblem[]): void {
  const lines = new SourceText('x', text).text.split('\n')
  for (const problem of problems) {
    const shown = renderProblem(problem)
    expect(problem.line).toBeGreaterThanOrEqual(1)
    expect(problem.line).toBeLessThanOrEqual(lines.length)
    expect(problem.column).toBeGreaterThanOrEqual(1)
    expect(problem.column).toBeLessThanOrEqual(lines[problem.line - 1]!.length + 1)
    expect(problem.message).not.toBe('')
    expect(shown).not.toMatch(/[\0-\u0009\u000b-\u001f\u202e]/)
    expect(shown).not.toContain('undefined')
  }
}

describe('authored text', () => {
  it('schedules: no mutation throws, and every problem points into the file', async () => {
    let broken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async mutations => {
        const text = mutate(SCHEDULES, mutations)
        const { problems } = await checkScheduleFile(new SourceText('s.yaml', text))
        expectInside(text, problems.finish())
        if (problems.errorCount > 0) broken++
      }),
      { numRuns: 1_500 },
    )
    expect(broken).toBeGreaterThan(200)
  })

  it('DAGs: no mutation throws, every problem points into the file, and no problem means a DAG', async () => {
    let broken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async mutations => {
        const text = mutate(DAG, mutations)
        const { problems, dag } = await checkDagFile(new SourceText('d.yaml', text))
        expectInside(text, problems.finish())
        expect(dag !== undefined).toBe(problems.errorCount === 0)
        if (problems.errorCount > 0) broken++
      }),
      { numRuns: 1_500 },
    )
    expect(broken).toBeGreaterThan(200)
  })

  it('manifests: no mutation throws, every problem points into the file, and what is sound can be written out', async () => {
    let broken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async mutations => {
        const text = mutate(MANIFEST, mutations)
        const { problems, dag } = await checkDagFile(new SourceText('m.yaml', text), VARS)
        expectInside(text, problems.finish())
        expect(dag !== undefined).toBe(problems.errorCount === 0)
        if (problems.errorCount > 0) broken++
        if (dag === undefined) return
        const written = formatYaml(authorDag(dag, undefined))
        const again = await checkDagFile(new SourceText('other.yaml', written))
        expect([again.problems.finish(), again.dag?.hash]).toEqual([[], dag.hash])
      }),
      { numRuns: 1_500 },
    )
    expect(broken).toBeGreaterThan(200)
  })

  it('vars: no mutation throws, every problem points into the file, and no problem means values', async () => {
    let broken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async mutations => {
        const text = mutate(VARS_FILE, mutations)
        const { problems, values } = await checkVarsFile(new SourceText('v.yaml', text))
        expectInside(text, problems.finish())
        expect(values !== undefined).toBe(problems.errorCount === 0)
        if (problems.errorCount > 0) broken++
      }),
      { numRuns: 1_500 },
    )
    expect(broken).toBeGreaterThan(200)
  })

  it('calendars: no mutation throws, every problem points into the file, and no problem means a plan', async () => {
    let broken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async mutations => {
        const text = mutate(CALENDAR, mutations)
        const { problems, plan } = await checkCalendarFile(new SourceText('c.yaml', text))
        expectInside(text, problems.finish())
        expect(plan !== undefined).toBe(problems.errorCount === 0)
        if (problems.errorCount > 0) broken++
        else
          expect(
            compileCalendars([{ ...plan!, hash: '' }])
              .get(plan!.name)!
              .holidaysIn(2026),
          ).toBeDefined()
      }),
      { numRuns: 1_500 },
    )
    expect(broken).toBeGreaterThan(200)
  })

  it('iCalendar: no mutation throws or takes long, and every problem points into the file', async () => {
    const icsMutation = fc.record({
      at: fc.nat(),
      cut: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(60) }),
      put: fc.constantFrom(...ICS_SPLINTERS, ...SPLINTERS, ''),
    })
    let broken = 0
    let longestMs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(icsMutation, { minLength: 1, maxLength: 5 }), async mutations => {
        const text = mutate(ICS, mutations)
        const began = performance.now()
        const { problems, days, times } = await checkIcsFile(new SourceText('c.ics', text))
        longestMs = Math.max(longestMs, performance.now() - began)
        expectInside(text, problems.finish())
        for (const { from, to } of days) expect(to).toBeGreaterThanOrEqual(from)
        for (const { from, to } of times) expect(to('UTC')).toBeGreaterThan(from('UTC'))
        if (problems.errorCount > 0) broken++
      }),
      { numRuns: 1_500 },
    )
    expect(broken).toBeGreaterThan(200)
    expect(longestMs).toBeLessThan(5_000)
  })

  it('bytes: whatever they are, the other files are judged as if they were not there', async () => {
    const encode = (text: string) => new TextEncoder().encode(text)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
        const result = await loadDefinitions({
          scheduleFiles: [
            { file: 'a.yaml', key: 'a', content: { bytes } },
            {
              file: 'b.yaml',
              key: 'b',
              content: { bytes: encode(SCHEDULES.replace('id: hourly', 'idd: hourly')) },
            },
          ],
          calendarFiles: [],
          icsFiles: [],
          poolFiles: [],
          dagFiles: [{ file: 'configs/dags/nightly.yaml', key: 'd', content: { bytes: encode(DAG) } }],
          workflows: ['shell', 'http'],
          problems: [],
          findDag: async () => ({
            file: 'configs/dags/nightly.yaml',
            key: 'd',
            content: { bytes: encode(DAG) },
          }),
        })
        expect(result.ok).toBe(false)
        const others = result.ok ? [] : result.problems.filter(problem => problem.file !== 'a.yaml')
        expect(others.map(problem => `${problem.file}:${problem.line} ${problem.message}`)).toEqual([
          'b.yaml:9 unknown key "idd"',
        ])
      }),
      { numRuns: 300 },
    )
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
