import { describe, expect, it } from 'vitest'
import { checkScheduleFile } from './schedule-file.ts'
import { SourceText } from './source-text.ts'

async function check(text: string) {
  const file = await checkScheduleFile(new SourceText('s.yaml', text))
  const said = file.problems
    .finish()
    .map(each => `${each.line}:${each.column} ${each.severity}: ${each.message} | ${each.help}`)
  return { file, said }
}

/** A sound schedule with further lines; the first of them is line 4. */
const withLines = (...lines: string[]) =>
  ['- id: a', '  cron: "0 6 * * *"', '  dag: d', ...lines.map(line => `  ${line}`), ''].join('\n')

describe('checkScheduleFile', () => {
  it("reads the seed's schedule", async () => {
    const { file, said } = await check(
      '- id: weekly_ops_chain\n  cron: "*/5 * * * *"  # Every 5 minutes\n  dag: configs/dags/weekly_ops_chain.min.yaml\n  tenant: local-dev\n  enabled: true\n',
    )
    expect(said).toEqual([])
    expect(file.schedules).toMatchObject([
      {
        id: 'weekly_ops_chain',
        dag: 'configs/dags/weekly_ops_chain.min.yaml',
        tenantId: 'local-dev',
        schedule: {
          id: 'weekly_ops_chain',
          timing: { crons: ['*/5 * * * *'], timezone: 'UTC' },
          enabled: true,
          catchup: 'latest',
          catchupWindowMs: 86_400_000,
          maxCatchup: 100,
          overlap: 'skip',
        },
      },
    ])
    expect(file.schedules[0]!.schedule!.slots.next(Date.UTC(2026, 0, 5, 6, 1))).toBe(
      Date.UTC(2026, 0, 5, 6, 5),
    )
  })

  it('reads every field', async () => {
    const { file, said } = await check(
      withLines(
        'timezone: Europe/Berlin',
        'catchup: all',
        'catchup_window: 2w',
        'max_catchup: 0',
        'overlap: queue',
        'enabled: false',
        'description: "what for"',
      ),
    )
    expect(said).toEqual([])
    expect(file.schedules[0]!.schedule).toMatchObject({
      timing: { timezone: 'Europe/Berlin' },
      catchup: 'all',
      catchupWindowMs: 14 * 86_400_000,
      maxCatchup: 0,
      overlap: 'queue',
      enabled: false,
    })
  })

  it.each([
    [
      'a typo in a key',
      withLines('catchupp: all'),
      '4:3 error: unknown key "catchupp" | did you mean "catchup"?',
    ],
    [
      'a word of another product',
      withLines('tz: UTC'),
      '4:3 error: unknown key "tz" | did you mean "timezone"?',
    ],
    [
      "the DAG's word",
      withLines('tenant_id: x'),
      '4:3 error: unknown key "tenant_id" | did you mean "tenant"?',
    ],
    [
      'an unknown key',
      withLines('colour: red'),
      '4:3 error: unknown key "colour" | known keys: id, cron, every, at, dag, tenant, enabled, timezone, dialect, dst, start_at, end_at, roll, catchup, catchup_window, max_catchup, overlap, starting_deadline, jitter, pool, priority, conditions, retry_until, retry_every, on_error, description',
    ],
    [
      'a typo that hides a needed key',
      '- id: a\n  corn: "@daily"\n  dag: d\n',
      '2:3 error: unknown key "corn" | did you mean "cron"?',
    ],
    [
      'a missing key',
      '- id: a\n  dag: d\n',
      '1:3 error: missing key "cron" in schedule "a" | add cron: "0 6 * * *"',
    ],
    ['a missing id', '- cron: "@daily"\n  dag: d\n', '1:3 error: missing key "id" | add id: nightly'],
    ['yes', withLines('enabled: yes'), '4:12 error: expected true or false, got "yes" | write true'],
    [
      '"false"',
      withLines('enabled: "false"'),
      '4:12 error: expected true or false, got "false" | write false without quotes',
    ],
    [
      'a choice with a typo',
      withLines('overlap: skp'),
      '4:12 error: expected skip, allow, queue or replace, got "skp" | did you mean "skip"?',
    ],
    [
      'a number as id',
      '- id: 5\n  cron: "@daily"\n  dag: d\n',
      '1:7 error: expected an id (letters, digits, ".", "_", "-"; at most 100; a letter or digit first; no ".."), got 5 | quote it: "5"',
    ],
    [
      'an id that is a path',
      '- id: ../x\n  cron: "@daily"\n  dag: d\n',
      '1:7 error: expected an id (letters, digits, ".", "_", "-"; at most 100; a letter or digit first; no ".."), got "../x" | it contains ".."',
    ],
    [
      'a duration without a unit',
      withLines('catchup_window: 30'),
      '4:19 error: expected a duration such as 90s or 1h30m, got 30 | say the unit, for example "30s"',
    ],
    [
      'a duration with a fraction',
      withLines('catchup_window: 1.5h'),
      '4:19 error: expected a duration such as 90s or 1h30m, got "1.5h" | write 1h30m',
    ],
    [
      'a duration of a thousand years',
      withLines('catchup_window: 999999d'),
      '4:19 error: expected a duration such as 90s or 1h30m, at most 100 years, got "999999d" | shorten it',
    ],
    [
      'a negative number',
      withLines('max_catchup: -1'),
      '4:16 error: expected a number of slots (0 to 10000), got -1 | for example max_catchup: 100',
    ],
    [
      'nothing',
      withLines('timezone:'),
      '4:3 error: expected an IANA time zone, got nothing | write a value, for example timezone: Europe/Berlin',
    ],
    [
      'a bad zone',
      withLines('timezone: Europe/Berln'),
      '4:13 error: time zone "Europe/Berln" is unknown: expected an IANA name | did you mean Europe/Berlin?',
    ],
    [
      'a bad cron field',
      '- id: a\n  cron: "0 61 * * *"\n  dag: d\n',
      '2:12 error: hour 61 is out of range 0-23 | write a value from 0 to 23',
    ],
    [
      'a zone in the cron text, and another beside it',
      '- id: a\n  cron: "USING CRON 0 9 * * * Asia/Tokyo"\n  dag: d\n  timezone: UTC\n',
      '2:31 error: the text says Asia/Tokyo and timezone says UTC: expected one zone, got "Asia/Tokyo" | remove timezone, or write UTC here',
    ],
    [
      'Quartz without its ?',
      '- id: a\n  dialect: quartz\n  cron: "0 0 6 * * *"\n  dag: d\n',
      '3:20 error: Quartz needs ? in one day field: expected ? in exactly one of the two day fields, got "*" | write ? for the weekday',
    ],
    [
      'a bad cron in a folded text',
      '- id: a\n  cron: >\n    61 * * * *\n  dag: d\n',
      '2:9 error: minute 61 is out of range 0-59 | write a value from 0 to 59',
    ],
    [
      'a mapping',
      'id: a\ncron: "@daily"\ndag: d\n',
      '1:1 error: expected a list of schedules, each beginning with "- id:", got a mapping | put "- " before the first key, and two spaces before the others',
    ],
    [
      'a text',
      'hello\n',
      '1:1 error: expected a list of schedules, each beginning with "- id:", got "hello" | for example - id: nightly',
    ],
    [
      'a list of numbers',
      '- 3\n',
      '1:3 error: expected a schedule (a mapping with id, cron and dag), got 3 | for example - id: nightly',
    ],
    [
      'an empty file',
      '',
      '1:1 error: the file is empty: expected a list of schedules | delete the file, or leave a comment or [] in it: a file that is being saved can look empty for a moment',
    ],
    [
      'only comments',
      '# later\n\n# perhaps\n',
      '1:1 warning: the file holds only comments: no schedules | delete the file if it is no longer needed',
    ],
    [
      'an uneven step',
      '- id: a\n  cron: "*/7 * * * *"\n  dag: d\n',
      '2:10 warning: minute */7 is uneven: from 56 to the next 0 it is 4, not 7 | use a step that divides 60 evenly',
    ],
  ])('%s', async (_, text, expected) => {
    expect((await check(text)).said).toEqual([expected])
  })

  it('points at the bad field of a cron without quotes', async () => {
    const { said } = await check('- id: a\n  cron: 0 6 * * MOM\n  dag: d\n')
    expect(said).toEqual([
      expect.stringMatching(/^2:17 error: weekday MOM .*got "MOM" \| did you mean MON\?$/),
    ])
  })

  it('takes an empty list, a byte order mark and CRLF, and counts columns right behind them', async () => {
    expect((await check('[]\n')).said).toEqual([])
    const { file, said } = await check(`\uFEFF${withLines('x: 1')}`.replaceAll('\n', '\r\n'))
    expect(said[0]).toMatch(/^4:3 error: unknown key "x"/)
    expect(file.schedules).toHaveLength(1)
  })

  it.each(['---\n', '%FOO bar\n', '%FOO bar\n---\n# nothing\n'])(
    'never takes %j for no schedules',
    async text => {
      const { file } = await check(text)
      expect(file.problems.errorCount).toBe(1)
    },
  )

  it('finds everything wrong with an entry at once, and keeps its neighbours', async () => {
    const { file, said } = await check(
      '- id: a b\n  cron: "61 * * * *"\n  dag: d\n  timezone: Mars\n  enabled: 1\n- id: b\n  cron: "@daily"\n  dag: d\n',
    )
    expect(said.map(each => each.split(' ')[0]).sort()).toEqual(['1:7', '2:10', '4:13', '5:12'])
    expect(file.schedules.map(each => each.schedule?.id)).toEqual([undefined, 'b'])
  })

  it('shows the bad field of a cron with a caret', async () => {
    const { file } = await check('- id: a\n  cron: "0 6 * * MOM"\n  dag: d\n')
    expect(file.problems.items[0]!.frame).toBe(
      [
        '    1 | - id: a',
        ' >  2 |   cron: "0 6 * * MOM"',
        '      |                  ^^^',
        '    3 |   dag: d',
        '   help: did you mean MON?',
      ].join('\n'),
    )
  })
})

describe('conditions', () => {
  const entry = (conditions: string) =>
    `- id: a\n  cron: "0 6 * * *"\n  dag: d\n  conditions: ${conditions}\n`

  it('become their normal form, to any depth', async () => {
    const { file, said } = await check(
      entry(
        '[{ calendar: c }, { not: { any: [{ blackout: b }, { calendar: c, nth: -2 }, { calendar: c, day: holiday }] } }]',
      ),
    )
    expect(said).toEqual([])
    expect(file.schedules[0]?.schedule?.conditions).toEqual([
      { kind: 'calendar', calendar: 'c', day: 'business_day' },
      {
        kind: 'not',
        of: {
          kind: 'any',
          of: [
            { kind: 'blackout', calendar: 'b' },
            { kind: 'nth_business_day', calendar: 'c', nth: -2 },
            { kind: 'calendar', calendar: 'c', day: 'holiday' },
          ],
        },
      },
    ])
  })

  it.each([
    ['nothing in it', '[]', 'expected a list of conditions (1 to 20), got an empty list'],
    [
      'an unknown key, deep down',
      '[{ not: { any: [{ calender: c }] } }]',
      'unknown key "calender" | did you mean "calendar"?',
    ],
    [
      'two kinds at once',
      '[{ calendar: c, blackout: b }]',
      'expected a mapping with one of calendar, blackout, all, any, not, file, command, http, sql, signal and cel',
    ],
    [
      'a day without a calendar',
      '[{ blackout: b, day: holiday }]',
      '("day" and "nth" only beside calendar, one of them)',
    ],
    ['a day that is none', '[{ any: [{ calendar: c, day: holliday }] }]', 'did you mean "holiday"?'],
    ['no number', '[{ calendar: c, nth: 0 }]', 'expected a whole number from -23 to 23, not 0, got 0'],
  ])('%s', async (_, conditions, expected) => {
    const { said } = await check(entry(conditions))
    expect(said.join('\n')).toContain(expected)
  })
})
