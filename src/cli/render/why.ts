// Answers about slots and runs as lines for people: a name, what there is to say, and last the command to type next.

import type { Instant } from '../../core/time/instant.ts'
import { parseInstant } from '../../core/time/instant.ts'
import { type Channel, plain } from '../output.ts'
import type { RunAnswer } from '../run-answer.ts'
import type { HeldUp, SlotAnswer } from '../slot-answer.ts'
import { formatSeconds, formatSpan, formatStamp } from './time.ts'

type Line = readonly [name: string, value: string]

const LINE_NAME_WIDTH = 9

function layOut(lines: readonly Line[]): string[] {
  return lines.map(([name, value]) => `${name.padEnd(LINE_NAME_WIDTH)} ${value}`)
}

export function renderSlotAnswer(channel: Channel, answer: SlotAnswer, now: Instant): string[] {
  const { decision, reason, words, inputs, span } = answer
  const lines: Line[] = [['slot', `${answer.slot}  ${answer.local}`]]
  const verdict = decision === null ? reason.replaceAll('_', ' ') : `${decision}: ${plain(reason)}`
  lines.push(['decision', channel.style(colourOf(answer), verdict)])
  lines.push(['', plain(words)])
  for (const note of answer.notes) lines.push(['', plain(note)])
  if (span !== undefined) {
    lines.push(['', `with it ${span.count} slots, from ${span.from} to ${span.to}`])
  }
  for (const [name, value] of Object.entries(inputs)) {
    lines.push([name === Object.keys(inputs)[0] ? 'inputs' : '', `${plain(name)} = ${plain(asText(value))}`])
  }
  if (answer.decided_at !== null) {
    lines.push(['decided', `${answer.decided_at}, ${describeLateness(answer.late_ms ?? 0)}`])
  } else if (reason === 'open' || reason === 'asked')
    lines.push(['waiting', `for ${formatSpan(answer.late_ms ?? 0)}`])
  if (answer.in_ms !== undefined) lines.push(['due in', formatSpan(answer.in_ms)])
  if (answer.held_up !== undefined) lines.push(['because', describeHeldUp(answer.held_up)])
  if (answer.before !== undefined) lines.push(['before', answer.before ?? 'no slot'])
  if (answer.after !== undefined) lines.push(['after', answer.after ?? 'no slot'])
  return [...layOut(lines), ...(answer.run === undefined ? [] : renderRunAnswer(channel, answer.run, now))]
}

export function renderRunAnswer(channel: Channel, answer: RunAnswer, now: Instant): string[] {
  const { run, tasks, waits_for, failures, cancel_reason, see } = answer
  const lines: Line[] = [['run', `${run.run_id}  ${describeStanding(channel, answer, now)}`]]
  if (cancel_reason !== null) lines.push(['cancelled', plain(cancel_reason)])
  for (const { words } of waits_for) lines.push(['waits', plain(words)])
  for (const { task_id, status, started_at, attempt } of tasks) {
    if (status !== 'running') continue
    const age = started_at === null ? '' : ` for ${formatSpan(now - parseInstant(started_at))}`
    lines.push(['task', `${task_id} is running${age} (attempt ${attempt})`])
  }
  for (const { task_id, status, attempt, reason, error } of failures) {
    const verb = status === 'failed' ? 'failed' : 'did not end well'
    lines.push([
      'task',
      plain(`${task_id} ${verb} (attempt ${attempt}): ${error ?? reason ?? 'no reason given'}`),
    ])
  }
  for (const command of see) lines.push(['see', command])
  return layOut(lines)
}

function describeStanding(channel: Channel, { run, waits_for }: RunAnswer, now: Instant): string {
  const { status } = run
  const colour =
    status === 'success' ? 'green' : status === 'failed' ? 'red' : status === 'running' ? 'cyan' : 'yellow'
  const word = channel.style(colour, status)
  if (status === 'queued') return `${word} for ${formatSpan(now - parseInstant(run.enqueued_at))}`
  if (status === 'running') {
    const since = run.started_at === null ? '' : ` for ${formatSpan(now - parseInstant(run.started_at))}`
    return `${word}${since}${waits_for.length > 0 ? ', waiting' : ''}`
  }
  const took = run.duration_ms === null ? '' : ` after ${formatSeconds(run.duration_ms)}`
  return `${word}${took}, at ${formatStamp(run.finished_at)}${run.error === null ? '' : `: ${plain(run.error)}`}`
}

function describeLateness(ms: number): string {
  if (ms < 0) return `${formatSpan(-ms)} before the slot`
  return `${ms < 60_000 ? formatSeconds(ms) : formatSpan(ms)} after the slot`
}

function describeHeldUp(held: HeldUp): string {
  switch (held.kind) {
    case 'downtime': {
      const to = held.to === undefined ? ', and is not yet' : ` to ${held.to}`
      if (held.how === 'never_started')
        return `no scheduler had been started${held.to === undefined ? '' : ` before ${held.to}`}`
      const how =
        held.how === 'crashed' ? ' (it ended without a word; this is when it was last heard of)' : ''
      return `no scheduler was running from ${held.from}${how}${to}`
    }
    case 'disk_full':
      return `the disk of the journal was full from ${held.from} to ${held.to}`
    case 'clock_jumped':
      return `the clock jumped forward at ${held.at}, by ${formatSpan(held.wall_ms)}`
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function colourOf({ decision, reason }: SlotAnswer): 'green' | 'yellow' | 'red' | 'cyan' {
  if (decision === 'enqueued') return 'green'
  if (decision === 'missed' || reason === 'open') return 'red'
  return decision === 'skipped' ? 'yellow' : 'cyan'
}
