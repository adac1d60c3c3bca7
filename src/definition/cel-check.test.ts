import { describe, expect, it } from 'vitest'
import { checkCel } from './cel-check.ts'

describe('checkCel', () => {
  it('knows the client only where there is one', () => {
    expect(checkCel('client_id == "acme"', true)).toEqual([])
    expect(checkCel('client_id == "acme"')).toMatchObject([{ message: 'unknown name "client_id"' }])
    expect(checkCel('clientid == "acme"', true)).toMatchObject([{ help: 'did you mean "client_id"?' }])
  })

  it.each([
    'tenant != "acme" && last_run("load").status == "success"',
    'weekday in [1, 2, 3] || date == "2026-01-05"',
    'signal("orders") && signal("stock", "12h")',
    'slot - last_run(schedule).finished_at > duration("6h")',
    'last_run("load").slot == slot',
    '["a", "b"].exists(x, last_run(x).status == "failed")',
    '["a"].all(x, x == tenant) && ["b"].exists(x, x != dag)',
    'slot.getHours("Europe/Berlin") == hour',
    'size(tenant) > 1',
    'day < 8 ? month == 1 : year > 2025',
  ])('lets through %s', expression => {
    expect(checkCel(expression)).toEqual([])
  })

  it.each([
    ['tenent == "a"', 'unknown name "tenent"', 'did you mean "tenant"?', [0, 6]],
    [
      'hour > 3 && last_rn("x").status == ""',
      'unknown function "last_rn"',
      'did you mean "last_run"?',
      [12, 19],
    ],
    ['tenant.matches("a+")', '"matches" is not allowed', 'a pattern can take for ever', [7, 14]],
    ['dyn(hour) == 3', '"dyn" is not allowed', 'types are known', [0, 3]],
    ['hour + 1', 'true or false, got one of type int', 'compare it', [0, 8]],
    ['tenant = "a"', 'unexpected character', '== to compare', [7, 8]],
    ['hour > ', 'unexpected token: the end of the text', '', [7, 7]],
    ['hour == tenant', 'no such overload: int == string', 'of one type', [0, 14]],
    ['last_run("x").staus == "a"', 'no such key', 'status, run_id', [14, 19]],
    ['last_run(3).status == ""', 'no matching overload', '', [0, 11]],
    ['signal("a", "1 day")', 'expected a duration', '12h', [12, 19]],
    ['[1].all(x, [1].all(y, x == y))', 'inside another macro', 'beside', [15, 18]],
    ['x == 1 && [1].all(x, x == 1)', 'unknown name "x"', '', [0, 1]],
  ] as const)('refuses %s', (expression, message, help, place) => {
    const [problem, ...others] = checkCel(expression)
    expect(others).toEqual([])
    expect(problem?.message).toContain(message)
    expect(problem?.help).toContain(help)
    expect([problem?.start, problem?.end]).toEqual(place)
  })

  it('tells of all unknown names at once', () => {
    expect(checkCel('tenent == "a" || shedule == "b"').map(({ help }) => help)).toEqual([
      'did you mean "tenant"?',
      'did you mean "schedule"?',
    ])
  })

  it('refuses what is too large or too deep', () => {
    const long = Array.from({ length: 300 }, () => 'hour == 1').join(' || ')
    expect(checkCel(long)).toHaveLength(1)
    expect(checkCel(`${'('.repeat(200)}true${')'.repeat(200)}`)).toHaveLength(1)
    expect(checkCel(`${'!'.repeat(3_000)}true`)).toHaveLength(1)
  })
})
