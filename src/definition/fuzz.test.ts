// Whatever the text: nothing throws, every problem points into the file, and a sound neighbour stays sound.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import { checkDagFile } from './dag-file.ts'
import { loadDefinitions } from './load-definitions.ts'
import { renderProblem } from './problem.ts'
import { checkScheduleFile } from './schedule-file.ts'
import { SourceText } from './source-text.ts'

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
