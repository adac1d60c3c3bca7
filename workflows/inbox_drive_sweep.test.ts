// The sweep computes its result from its input: order, counts and the seed's summary.

import { describe, expect, test } from 'vitest'
import sweep from './inbox_drive_sweep.ts'

describe('inbox_drive_sweep', () => {
  test('what wants a person soon comes first', () => {
    const inbox_items = ['Newsletter: ten tips', 'Ana: URGENT outage at a client', 'Bo: lunch'].join('\n')
    const { items, counts, top, summary } = sweep({ inbox_items, drive_files: 'Copy of plan.docx' })
    expect(items.map(({ text, priority }) => [text, priority])).toEqual([
      ['Ana: URGENT outage at a client', 'high'],
      ['Bo: lunch', 'medium'],
      ['Copy of plan.docx', 'low'],
      ['Newsletter: ten tips', 'low'],
    ])
    expect(counts).toEqual({ total: 4, high: 1, medium: 1, low: 2 })
    expect(top[0]).toBe('Ana: URGENT outage at a client')
    expect(summary).toBe('Prioritized 4 items')
  })

  test('fifteen lines make the summary of the documentation', () => {
    const inbox_items = Array.from({ length: 15 }, (_, n) => `${n + 1}. Mail ${n + 1}`).join('\n')
    const { items, summary } = sweep({ inbox_items })
    expect(summary).toBe('Prioritized 15 items')
    expect(items[0]!.text).toBe('Mail 1')
  })

  test('nothing in, nothing out, and no failure', () => {
    expect(sweep({})).toEqual({
      items: [],
      counts: { total: 0, high: 0, medium: 0, low: 0 },
      top: [],
      summary: 'Prioritized 0 items',
    })
  })
})
