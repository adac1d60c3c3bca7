import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkScheduleFile } from './schedule-file.ts'
import { SourceText } from './source-text.ts'

const check = async (conditions: string, more = '') => {
  const text = `- id: a\n  cron: "0 6 * * *"\n  dag: d\n${more === '' ? '' : `  ${more}\n`}  conditions:\n    ${conditions}\n`
  const file = await checkScheduleFile(new SourceText('a.yaml', text))
  const said = file.problems
    .finish()
    .map(
      ({ line, column, message, help }) =>
        `${line}:${column} ${message}${help === undefined ? '' : ` | ${help}`}`,
    )
  return { said, schedule: file.schedules[0]?.schedule, problems: file.problems.finish() }
}

describe('questions', () => {
  it.each([
    [
      '- file: data/orders-{{ds}}.csv\n      min_size: 1\n      max_age: 24h',
      { kind: 'file', path: 'data/orders-{{ds}}.csv', minBytes: 1, maxAgeMs: 86_400_000, timeoutMs: 30_000 },
    ],
    ['- file: a', { kind: 'file', path: 'a', timeoutMs: 30_000 }],
    [
      '- command: ["./ready.sh", "{{tenant}}"]\n      timeout: 2m',
      { kind: 'command', command: ['./ready.sh', '{{tenant}}'], timeoutMs: 120_000 },
    ],
    [
      '- command: test -s "$DAGBOK_DATE"',
      { kind: 'command', command: 'test -s "$DAGBOK_DATE"', timeoutMs: 30_000 },
    ],
    [
      '- http: https://example.org/{{ds}}\n      status: 204\n      headers: { x-key: abc }',
      {
        kind: 'http',
        url: 'https://example.org/{{ds}}',
        method: 'GET',
        headers: { 'x-key': 'abc' },
        status: [204],
        timeoutMs: 30_000,
      },
    ],
    [
      '- http: http://localhost:8080/',
      {
        kind: 'http',
        url: 'http://localhost:8080/',
        method: 'GET',
        status: [200, 201, 202, 203, 204, 205, 206],
        timeoutMs: 30_000,
      },
    ],
    [
      '- sql: select 1\n      database: data/b.sqlite',
      { kind: 'sql', database: 'data/b.sqlite', query: 'select 1', timeoutMs: 30_000 },
    ],
    ['- signal: done', { kind: 'signal', name: 'done', withinMs: 86_400_000, timeoutMs: 30_000 }],
    [`- cel: 'tenant != "acme"'`, { kind: 'cel', expression: 'tenant != "acme"', timeoutMs: 30_000 }],
  ])('%s becomes its normal form', async (conditions, question) => {
    const { said, schedule } = await check(conditions)
    expect(said).toEqual([])
    expect(schedule?.conditions).toEqual([question])
    expect(schedule?.conditionPolicy).toEqual({ retryEveryMs: 60_000, onError: 'skip' })
  })

  it.each([
    ['- file: a-{{dss}}', '5:15 unknown mark "{{dss}}" | did you mean "{{ds}}"?'],
    ['- file: a-{{ ds', '5:15 expected a mark between "{{" and "}}", got nothing'],
    ['- command: echo {{ds}}', '5:21 the mark "{{ds}}" is not filled in here | use "$DAGBOK_DATE"'],
    [
      '- sql: "select 1 where {{tenant}}"\n      database: b',
      '5:28 the mark "{{tenant}}" is not filled in here | use the parameters :date',
    ],
    ['- sql: select 1', '5:12 missing key "database" beside "sql" | add database: data/billing.sqlite'],
    ['- http: example.org', '5:13 expected a URL that begins with http:// or https://'],
    ['- http: https://me:secret@example.org', '5:13 expected a URL without a user or password'],
    ['- http: https://a.org\n      headers: { "x y": b }', '6:18 "x y" is no name of a header'],
    [
      '- http: https://a.org\n      status: 20',
      '6:15 expected a status (100 to 599), or a list of them, got 20',
    ],
    ['- file: a\n      method: GET', '6:7 "method" does not stand beside "file" | it stands beside http'],
    ['- calendar: c\n      timeout: 3s', '6:7 "timeout" does not stand beside this condition'],
    ['- signal: a\n      timeout: 11m', '6:16 expected more than 0s and at most 10m, got "11m"'],
    ['- signal: a\n      timeout: 0s', '6:16 expected more than 0s and at most 10m, got "0s"'],
    ['- file: a\n      minsize: 1', '6:7 unknown key "minsize" | did you mean "min_size"?'],
    ['- url: https://a.org', '5:7 unknown key "url" | did you mean "http"?'],
    ['- all: [{ not: { file: "{{x}}" } }]', '5:29 unknown mark "{{x}}"'],
  ])('%s is refused', async (conditions, problem) => {
    const { said, schedule } = await check(conditions)
    expect(said[0]).toContain(problem)
    expect(schedule).toBeUndefined()
  })
})

describe('the place of a problem in an expression', () => {
  it.each([
    ['in single quotes', `- cel: 'hour > 3 && tenent == "a"'`, '5:25 unknown name "tenent"'],
    ['in double quotes', `- cel: "hour > 3 && tenent == 'a'"`, '5:25 unknown name "tenent"'],
    ['plain', `- cel: hour > 3 && tenent == dag`, '5:24 unknown name "tenent"'],
    ['after an escape: the whole text', `- cel: "hour > 3 && tenent == \\"a\\""`, '5:12 unknown name'],
    [
      'in a block: the whole text',
      `- cel: |\n        hour > 3 &&\n        tenent == "a"`,
      '5:12 unknown name',
    ],
    ['folded: the whole text', `- cel: 'hour > 3\n        && tenent == "a"'`, '5:12 unknown name'],
  ])('%s', async (_, conditions, problem) => {
    const { said } = await check(conditions)
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(problem)
  })

  it('is underlined', async () => {
    const { problems } = await check(`- cel: 'tenent == "a"'`)
    expect(problems[0]?.frame).toContain('^^^^^^')
    expect(problems[0]?.help).toBe('did you mean "tenant"?')
  })
})

describe('what happens without a yes', () => {
  it('is part of the schedule', async () => {
    const { said, schedule } = await check(
      '- signal: a',
      'retry_until: 2h\n  retry_every: 30s\n  on_error: run',
    )
    expect(said).toEqual([])
    expect(schedule?.conditionPolicy).toEqual({
      retryUntilMs: 7_200_000,
      retryEveryMs: 30_000,
      onError: 'run',
    })
  })

  it('is nothing where no condition asks', async () => {
    expect((await check('- calendar: c')).schedule?.conditionPolicy).toBeUndefined()
  })

  it.each([
    ['- calendar: c', 'retry_until: 2h', '4:3 "retry_until" is of no use: no condition asks the world'],
    ['- calendar: c', 'on_error: run', '4:3 "on_error" is of no use'],
    ['- signal: a', 'retry_until: 2h\n  retry_every: 1s', '5:16 expected 5s or more, got "1s"'],
    ['- signal: a', 'retry_until: 0s', '4:16 expected more than nothing'],
    ['- signal: a', 'retry_every: 1m', '4:3 "retry_every" without "retry_until"'],
    ['- signal: a', 'on_error: fail', '4:13 expected skip or run, got "fail"'],
    ['- signal: a', 'retry_untill: 2h', '4:3 unknown key "retry_untill" | did you mean "retry_until"?'],
  ])('%s with %s', async (conditions, more, problem) => {
    expect((await check(conditions, more)).said[0]).toContain(problem)
  })
})

it('takes every example of the guide', async () => {
  const guide = readFileSync(new URL('../../docs/guides/conditions.md', import.meta.url), 'utf8')
  const examples = [...guide.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text]) => text!)
  expect(examples.length).toBeGreaterThan(4)
  for (const text of examples) {
    const schedule = text.startsWith('- id:')
      ? text
      : `- id: a\n  cron: "@daily"\n  dag: d\n  conditions:\n${text.replace(/^/gm, '    ')}`
    const { problems, schedules } = await checkScheduleFile(new SourceText('a.yaml', schedule))
    expect(problems.finish()).toEqual([])
    expect(schedules[0]?.schedule).toBeDefined()
  }
})
