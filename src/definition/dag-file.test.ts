import { describe, expect, it } from 'vitest'
import { checkDagFile } from './dag-file.ts'
import { SourceText } from './source-text.ts'

async function check(text: string) {
  const file = await checkDagFile(new SourceText('d.yaml', text))
  const said = file.problems
    .finish()
    .map(each => `${each.line}:${each.column} ${each.severity}: ${each.message} | ${each.help}`)
  return { file, said }
}

/** A sound DAG whose only task has further lines; the first of them is line 6. */
const withLines = (...lines: string[]) =>
  [
    'name: n',
    'tasks:',
    '  - id: a',
    '    workflow_ref: shell',
    '    params: {command: x}',
    ...lines.map(line => `    ${line}`),
    '',
  ].join('\n')

const SEED = `name: weekly_ops_chain
tenant_id: local-dev

tasks:
  - id: sweep
    workflow_ref: inbox_drive_sweep
    params:
      inbox_items: "Email list..."
    retries: 1
    depends_on: []

  - id: report
    workflow_ref: weekly_report_pack
    params:
      start_date: "2025-10-01"
      end_date: "2025-10-07"
    retries: 1
    depends_on:
      - sweep  # Waits for sweep to complete

  - id: brief
    workflow_ref: meeting_transcript_brief
    params:
      meeting_title: "Sprint Review"
    retries: 1
    depends_on:
      - report
`

describe('checkDagFile', () => {
  it("reads the seed's DAG as it stands", async () => {
    const { file, said } = await check(SEED)
    expect(said).toEqual([])
    expect(file.dag).toEqual({
      name: 'weekly_ops_chain',
      tenantId: 'local-dev',
      tasks: [
        {
          id: 'sweep',
          workflowRef: 'inbox_drive_sweep',
          params: { inbox_items: 'Email list...' },
          retries: 1,
          retryDelayMs: 1_000,
          backoff: 'exponential',
          dependsOn: [],
        },
        {
          id: 'report',
          workflowRef: 'weekly_report_pack',
          params: { start_date: '2025-10-01', end_date: '2025-10-07' },
          retries: 1,
          retryDelayMs: 1_000,
          backoff: 'exponential',
          dependsOn: ['sweep'],
        },
        {
          id: 'brief',
          workflowRef: 'meeting_transcript_brief',
          params: { meeting_title: 'Sprint Review' },
          retries: 1,
          retryDelayMs: 1_000,
          backoff: 'exponential',
          dependsOn: ['report'],
        },
      ],
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
  })

  it('reads every field', async () => {
    const { file, said } = await check(
      withLines(
        'retries: 3',
        'retry_delay: 2m',
        'backoff: fixed',
        'timeout: 1h30m',
        'env: {LOG_LEVEL: debug}',
      ),
    )
    expect(said).toEqual([])
    expect(file.dag?.tasks[0]).toMatchObject({
      retries: 3,
      retryDelayMs: 120_000,
      backoff: 'fixed',
      timeoutMs: 5_400_000,
      env: { LOG_LEVEL: 'debug' },
    })
  })

  it('hashes the meaning, not the writing', async () => {
    const hash = async (text: string) => (await check(text)).file.dag?.hash
    const first = await hash(SEED)
    expect(await hash(`# a comment\ndescription: for people\n${SEED.replaceAll('\n', '\r\n')}`)).toBe(first)
    expect(
      await hash(SEED.replace('    retries: 1\n    depends_on: []', '    depends_on: []\n    retries: 1')),
    ).toBe(first)
    expect(await hash(SEED.replace('    depends_on: []\n', '    backoff: exponential\n'))).toBe(first)
    expect(await hash(SEED.replace('retries: 1', 'retries: 2'))).not.toBe(first)
    expect(await hash(SEED.replace('2025-10-01', '2025-10-02'))).not.toBe(first)
  })

  it.each([
    [
      'a word for a number',
      withLines('retries: three'),
      '6:14 error: expected a number of retries (0 or more), got "three" | for example retries: 2',
    ],
    [
      'a typo in a key',
      withLines('retires: 2'),
      '6:5 error: unknown key "retires" | did you mean "retries"?',
    ],
    [
      'a word of another product',
      withLines('needs: []'),
      '6:5 error: unknown key "needs" | did you mean "depends_on"?',
    ],
    [
      'camel case',
      withLines('dependsOn: []'),
      '6:5 error: unknown key "dependsOn" | did you mean "depends_on"?',
    ],
    [
      'a text for a list',
      withLines('depends_on: a'),
      '6:17 error: expected a list of task ids, got "a" | write [a]',
    ],
    [
      'a number for a text',
      withLines('env: {PORT: 8080}'),
      '6:17 error: expected a text, got 8080 | quote it: "8080"',
    ],
    [
      'an impossible variable',
      withLines('env: {A-B: x}'),
      '6:11 error: expected the name of an environment variable (capital letters, digits, "_"), got "A-B" | for example A_B',
    ],
    [
      'a variable that loads code',
      withLines('env: {LD_PRELOAD: x}'),
      '6:11 error: env.LD_PRELOAD may not be set: it changes which program is run or what is loaded into it | remove it, or set it inside the command: env NAME=value program',
    ],
    [
      'no time at all',
      withLines('timeout: 0s'),
      '6:14 error: expected a duration of more than nothing, got "0s" | remove the timeout if there should be none',
    ],
    [
      'an unknown dependency',
      withLines('depends_on: [sweeep]'),
      '6:18 error: unknown dependency "sweeep": no task of this DAG has this id | tasks: a',
    ],
    [
      'a dependency on itself',
      withLines('depends_on: [a]'),
      '6:18 error: CycleDetectedError: Cycle detected in DAG \'n\': a → a | task "a" depends on itself: remove it from its depends_on',
    ],
    [
      'a command that is none',
      withLines().replace('x}', '[echo, true]}'),
      '5:30 error: expected a command (a list of texts, or a text), got true | quote it: "true"',
    ],
    [
      'an empty command',
      withLines().replace('x}', '[]}'),
      '5:23 error: expected a command (a list of texts, or a text), got an empty list | params: {command: [echo, hello]} runs it as it stands; a text goes to /bin/sh -c',
    ],
    [
      'a shell without a command',
      'name: n\ntasks: [{id: a, workflow_ref: shell}]\n',
      '2:31 error: the workflow shell needs params.command | params: {command: [echo, hello]} runs it as it stands; a text goes to /bin/sh -c',
    ],
    [
      'http without a URL',
      'name: n\ntasks: [{id: a, workflow_ref: http}]\n',
      '2:31 error: the workflow http needs params.url | params: {url: "https://example.org/"}',
    ],
    [
      'a file URL',
      'name: n\ntasks: [{id: a, workflow_ref: http, params: {url: "file:///etc/passwd"}}]\n',
      '2:51 error: expected a URL that begins with http:// or https://, got "file:///etc/passwd" | for example url: "https://example.org/"',
    ],
    [
      'no tasks',
      'name: n\ntasks: []\n',
      '2:8 error: expected a list of 1 to 10000 tasks, each beginning with "- id:", got an empty list | for example tasks: [{id: hello, workflow_ref: shell, params: {command: [echo, hello]}}]',
    ],
    [
      'a missing key',
      'name: n\ntasks:\n  - id: a\n',
      '3:5 error: missing key "workflow_ref" in task "a" | add workflow_ref: shell',
    ],
    [
      'a list',
      '- a\n',
      '1:1 error: expected a DAG (a mapping with name and tasks), got a list | for example name: nightly',
    ],
    [
      'an empty file',
      '# nothing\n',
      '1:1 error: the file is empty: expected a DAG (a mapping with name and tasks) | write name and tasks, or delete the file',
    ],
    [
      'params that are too large',
      withLines().replace('x}', `"${'x'.repeat(33_000)}"}`),
      '5:5 error: expected params of at most 32768 bytes as JSON, got 33014 | put the data into a file and pass its path',
    ],
    [
      "a schedule's word",
      `tenant: x\n${withLines()}`,
      '1:1 error: unknown key "tenant" | did you mean "tenant_id"?',
    ],
  ])('%s', async (_, text, expected) => {
    const { file, said } = await check(text)
    expect(said).toEqual([expected])
    expect(file.dag).toBeUndefined()
  })

  it("names a cycle by its path, in the seed's words, at its first edge", async () => {
    const { file } = await check(
      [
        'name: my_dag',
        'tasks:',
        '  - {id: a, workflow_ref: shell, params: {command: x}, depends_on: [b]}',
        '  - {id: b, workflow_ref: shell, params: {command: x}, depends_on: [a]}',
      ].join('\n'),
    )
    const [problem, ...others] = file.problems.finish()
    expect(others).toEqual([])
    expect(problem).toMatchObject({ line: 3, column: 69 })
    expect(problem!.message).toBe("CycleDetectedError: Cycle detected in DAG 'my_dag': a → b → a")
    expect(problem!.help).toBe(
      '"a" depends on "b", which depends on "a": remove one of these from depends_on',
    )
  })

  it('names the first place of a duplicate task id', async () => {
    const { said } = await check(
      `${withLines()}  - id: a\n    workflow_ref: shell\n    params: {command: y}\n`,
    )
    expect(said).toEqual([
      '6:9 error: duplicate task id "a", first on line 3 | give each task an id of its own',
    ])
  })

  it('warns of a repeated dependency and counts it once', async () => {
    const { file, said } = await check(
      `${withLines()}  - {id: b, workflow_ref: shell, params: {command: y}, depends_on: [a, a]}\n`,
    )
    expect(said).toEqual(['6:72 warning: "a" is named twice in depends_on | remove one of them'])
    expect(file.dag?.tasks[1]?.dependsOn).toEqual(['a'])
  })

  it('refuses more than 10,000 tasks, and takes that many in bounded time', async () => {
    const tasks = (count: number) =>
      `name: n\ntasks:\n${Array.from({ length: count }, (_, i) => `- {id: t${i}, workflow_ref: x}`).join('\n')}\n`
    const before = performance.now()
    expect((await check(tasks(10_000))).file.dag?.tasks).toHaveLength(10_000)
    expect(performance.now() - before).toBeLessThan(8_000)
    expect((await check(tasks(10_001))).said).toEqual([
      expect.stringContaining('expected a list of 1 to 10000 tasks, each beginning with "- id:", got 10001'),
    ])
  })
})
