// The product's own audit over a story, and over the story as it was when it was cut at some commits: where a crash may
// cut it, the audit must call nothing a fault that the next start will decide.

import { Audit } from '../../src/core/audit/audit.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import type { JournalText } from './journal-text.ts'

/** Cuts that are tried, spread over the story. */
const CUTS = 6

/** @returns what the audit finds that is no recorded miss, in words */
export function auditStory({ lines, commitEnds }: JournalText): string[] {
  const ends = [...commitEnds]
  const cuts = Array.from({ length: CUTS }, (_, index) => ends[Math.floor((ends.length * index) / CUTS)] ?? 0)
  return [...cuts, lines.length].flatMap(cut => {
    const audit = new Audit()
    let now = 0
    for (const line of lines.slice(0, cut) as unknown as Event[]) {
      audit.take(line)
      now = Math.max(now, Date.parse(line.timestamp))
    }
    const { findings } = audit.finish(now)
    return findings
      .filter(({ kind }) => kind !== 'missed')
      .map(finding => `I1 audit of the first ${cut} lines: ${JSON.stringify(finding)}`)
  })
}
