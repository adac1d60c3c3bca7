// No param can name a dangerous variable, no secret comes along, and what cannot be passed is said.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../json.ts'
import {
  describeAttempt,
  exportParams,
  findRefused,
  LONGEST_PARAM_VALUE,
  nameParam,
  PARAM_PREFIX,
  pickBase,
  refuseVariable,
} from './environment.ts'

describe('base', () => {
  test('has paths, locale, zone and user, and nothing else', () => {
    const own = {
      PATH: '/bin',
      HOME: '/h',
      LC_ALL: 'C',
      LC_X_Y: 'no',
      TZ: 'UTC',
      AWS_SECRET_ACCESS_KEY: 's',
      NODE_OPTIONS: '--x',
      LD_PRELOAD: 'y',
    }
    expect(pickBase(own)).toEqual({ PATH: '/bin', HOME: '/h', LC_ALL: 'C', TZ: 'UTC' })
  })

  test('always has a PATH', () => {
    expect(pickBase({})).toEqual({ PATH: '/usr/local/bin:/usr/bin:/bin' })
  })
})

describe("a task's env", () => {
  test.each(['GREETING', 'A1', '_X', 'AWS_REGION', 'HTTP_PROXY'])('may set %s', name => {
    expect(refuseVariable(name)).toBeUndefined()
  })

  test.each([
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'DYLD_INSERT_LIBRARIES',
    'NODE_OPTIONS',
    'NODE_PATH',
    'PATH',
    'IFS',
    'BASH_ENV',
    'ENV',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'PERL5OPT',
    'PERL5LIB',
    'RUBYOPT',
    'GIT_SSH_COMMAND',
    'SSH_AUTH_SOCK',
    'HOME',
    'DAGBOK_COOKIE',
    'DAGBOK_PARAM_X',
    '',
    '1A',
    'a',
    'A B',
    'A=B',
    'Ä',
    '__proto__',
    'A\n',
  ])('may not set %j', name => {
    expect(refuseVariable(name)).toMatch(/\w/)
  })

  test('is refused by name, also for a value that cannot be passed', () => {
    expect(findRefused({ A: '1', B: 'x\0y' })).toEqual({ name: 'B', why: expect.stringContaining('NUL') })
    expect(findRefused({ A: 'x'.repeat(LONGEST_PARAM_VALUE + 1) })).toMatchObject({ name: 'A' })
    expect(findRefused({ A: '1' })).toBeUndefined()
  })
})

describe('params', () => {
  test('text as it stands, everything else as JSON', () => {
    expect(
      exportParams({
        name: 'a b',
        n: 1,
        list: [1, 'x'],
        sweep__counts: { high: 2 },
        none: null,
        gone: undefined,
      }),
    ).toEqual({
      DAGBOK_PARAM_NAME: 'a b',
      DAGBOK_PARAM_N: '1',
      DAGBOK_PARAM_LIST: '[1,"x"]',
      DAGBOK_PARAM_SWEEP__COUNTS: '{"high":2}',
      DAGBOK_PARAM_NONE: 'null',
    })
  })

  test('two that share a name are both left out, and a third too', () => {
    expect(exportParams({ 'a-b': 1, a_b: 2, 'A.B': 3, c: 4 })).toEqual({ DAGBOK_PARAM_C: '4' })
  })

  test('what no variable can hold is left out', () => {
    expect(exportParams({ nul: 'a\0b', long: 'x'.repeat(LONGEST_PARAM_VALUE + 1), ok: 'x' })).toEqual({
      DAGBOK_PARAM_OK: 'x',
    })
  })

  test('whatever a param is called, its variable is ours and valid', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        expect(nameParam(name)).toMatch(/^DAGBOK_PARAM_[A-Z0-9_]*$/)
      }),
    )
  })

  test('whatever the params are, every variable fits and none is set twice', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), params => {
        for (const [name, value] of Object.entries(exportParams(params as JsonObject))) {
          expect(name.startsWith(PARAM_PREFIX)).toBe(true)
          expect(value).not.toContain('\0')
          expect(value.length).toBeLessThanOrEqual(LONGEST_PARAM_VALUE)
        }
      }),
    )
  })
})

test('an attempt is described', () => {
  const facts = {
    runId: 'w@2026-01-05T06:00Z',
    taskId: 't',
    attempt: 2,
    dagName: 'w',
    tenantId: 'x',
    logicalDate: '2026-01-05T06:00Z',
  }
  expect(describeAttempt(facts, 'abc')).toEqual({
    DAGBOK_RUN_ID: 'w@2026-01-05T06:00Z',
    DAGBOK_TASK_ID: 't',
    DAGBOK_ATTEMPT: '2',
    DAGBOK_DAG: 'w',
    DAGBOK_TENANT: 'x',
    DAGBOK_SLOT: '2026-01-05T06:00Z',
    DAGBOK_COOKIE: 'abc',
  })
})
