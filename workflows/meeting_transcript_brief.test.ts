// The brief finds who was there, what was decided and who does what.

import { describe, expect, test } from 'vitest'
import brief from './meeting_transcript_brief.ts'

const transcript = `
Ana Berg: Welcome. We agreed to ship on Friday.
Bo: I will write the notes by Thursday. Ana, could you book the room?
[00:12:03] Cy: Decision: no new logo. Action: Bo calls the printer.
Action: check the budget before 2025-10-31.
`

describe('meeting_transcript_brief', () => {
  test('attendees, decisions and action items', () => {
    const result = brief({ meeting_title: 'Sprint Review', transcript })
    expect(result.attendees).toEqual(['Ana Berg', 'Bo', 'Cy'])
    expect(result.decisions).toEqual(['We agreed to ship on Friday.', 'no new logo.'])
    expect(result.action_items).toEqual([
      { owner: 'Bo', text: 'I will write the notes by Thursday', due: 'Thursday' },
      { owner: 'Ana Berg', text: 'book the room' },
      { owner: 'Bo', text: 'Bo calls the printer' },
      { owner: 'Cy', text: 'check the budget before 2025-10-31', due: '2025-10-31' },
    ])
    expect(result.brief.split('\n').slice(0, 2)).toEqual(['Sprint Review', 'Present: Ana Berg, Bo, Cy'])
    expect(result.brief).toContain('- Bo: I will write the notes by Thursday (Thursday)')
  })

  test('without a transcript the report is the agenda', () => {
    const result = brief({ meeting_title: 'Sprint Review', report__highlights: ['Prioritized 15 items'] })
    expect(result.attendees).toEqual([])
    expect(result.brief).toBe('Sprint Review\nNo transcript\n\nAgenda:\n- Prioritized 15 items')
  })
})
