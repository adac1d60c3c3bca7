// The report counts its days and carries over what ran before it.

import { describe, expect, test } from 'vitest'
import report from './weekly_report_pack.ts'

describe('weekly_report_pack', () => {
  test('the week of the documentation has seven days, five of them workdays', () => {
    const { days, workdays, report_text } = report({ start_date: '2025-10-01', end_date: '2025-10-07' })
    expect(days.map(({ date }) => date)).toHaveLength(7)
    expect(days[0]).toEqual({ date: '2025-10-01', weekday: 'Wednesday', workday: true })
    expect(workdays).toBe(5)
    expect(report_text).toBe(
      'Weekly report 2025-10-01 to 2025-10-07\n7 days, 5 workdays\n\nNothing to report.',
    )
  })

  test('outputs of upstream tasks become highlights', () => {
    const { highlights } = report({
      start_date: '2025-10-01',
      end_date: '2025-10-01',
      sweep__summary: 'Prioritized 15 items',
      sweep__counts: { total: 15, high: 2, medium: 10, low: 3 },
      sweep__top: ['Ana: outage'],
    })
    expect(highlights).toEqual([
      'Prioritized 15 items',
      '2 high, 10 medium, 3 low priority',
      'Up next: Ana: outage',
    ])
  })

  test.each([
    [{ start_date: '2025-10-07', end_date: '2025-10-01' }, /before start_date/],
    [{ start_date: '2025-02-30', end_date: '2025-03-01' }, /start_date is "2025-02-30"/],
    [{ start_date: '1025-10-07', end_date: '2025-10-01' }, /at most a year/],
  ])('dates that make no week are refused: %j', (args, words) => {
    expect(() => report(args)).toThrow(words)
  })
})
