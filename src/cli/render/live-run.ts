// A run while it runs: on a terminal one line per task, redrawn; elsewhere one line per change.
//
//   W1. At most ten pictures a second, however fast events come, and never more lines than the terminal has.
//   W2. Nothing stays on the screen but the last picture.

import type { Event } from '../../core/state-machine/event.ts'
import { isUserEvent } from '../../core/state-machine/event.ts'
import { type Channel, plain } from '../output.ts'
import { describeEvent } from './event-line.ts'
import { shorten } from './table.ts'
import { formatSeconds } from './time.ts'

const FRAME_MS = 100

export interface RunView {
  take(event: Event): void
  /** Draws the last picture and lets go of the timer. */
  finish(): void
}

/** A view for what the channel is. `now` is in milliseconds and measures elapsed time. */
export function openRunView(channel: Channel, now: () => number): RunView {
  return channel.isTTY ? openPicture(channel, now) : openLines(channel)
}

function openLines(channel: Channel): RunView {
  return {
    take(event) {
      const { level, text } = describeEvent(event, false)
      if (level !== 'debug') channel.line(`${event.timestamp} ${text}`)
    },
    finish() {},
  }
}

interface TaskLine {
  readonly id: string
  state: 'running' | 'retrying' | 'ok' | 'failed' | 'skipped' | 'cancelled'
  attempt: number
  startedMs: number
  tookMs: number | undefined
  said: string
}

const SIGNS = {
  running: ['cyan', '●'],
  retrying: ['yellow', '↻'],
  ok: ['green', '✓'],
  failed: ['red', '✗'],
  skipped: ['dim', '-'],
  cancelled: ['yellow', '×'],
} as const

function openPicture(channel: Channel, now: () => number): RunView {
  const tasks = new Map<string, TaskLine>()
  let drawnLines = 0
  let timer: NodeJS.Timeout | undefined
  let over = false

  const draw = () => {
    const room = Math.max(3, channel.rows - 2)
    const lines = choose([...tasks.values()], room).map(line => render(channel, line, now()))
    const up = drawnLines > 0 ? `\x1b[${drawnLines}A` : ''
    channel.write(`${up}\r\x1b[J${lines.map(line => `${line}\n`).join('')}`)
    drawnLines = lines.length
  }
  timer = setInterval(draw, FRAME_MS)
  timer.unref()

  return {
    take(event) {
      if (isUserEvent(event) || !('task_id' in event)) return
      const line = tasks.get(event.task_id) ?? {
        id: event.task_id,
        state: 'running' as TaskLine['state'],
        attempt: 0,
        startedMs: now(),
        tookMs: undefined,
        said: '',
      }
      tasks.set(event.task_id, line)
      if ('attempt' in event && event.attempt !== undefined) line.attempt = event.attempt
      if ('duration_ms' in event) line.tookMs = event.duration_ms
      switch (event.event) {
        case 'task_start':
          Object.assign(line, { state: 'running', startedMs: now(), tookMs: undefined, said: '' })
          break
        case 'task_ok':
          line.state = 'ok'
          break
        case 'task_retry':
        case 'task_lost':
          line.state = 'retrying'
          line.said = `again at ${event.retry_at.slice(11, 19)}Z: ${event.event === 'task_lost' ? event.reason : event.error.message}`
          break
        case 'task_fail':
          line.state = 'failed'
          line.said = event.error?.message ?? event.message
          break
        case 'task_skip':
          line.state = 'skipped'
          line.said = event.detail ?? event.reason
          break
        case 'task_cancelled':
          line.state = 'cancelled'
          line.said = event.reason
          break
      }
    },
    finish() {
      if (over) return
      over = true
      clearInterval(timer)
      draw()
    },
  }
}

/** What fits: all, or those that still move and the last that came to rest. */
function choose(lines: readonly TaskLine[], room: number): TaskLine[] {
  if (lines.length <= room) return [...lines]
  const moving = lines.filter(line => line.state === 'running' || line.state === 'retrying').slice(0, room)
  const resting = lines.filter(line => !moving.includes(line))
  return [...resting.slice(resting.length - (room - moving.length)), ...moving]
}

function render(channel: Channel, line: TaskLine, nowMs: number): string {
  const [colour, sign] = SIGNS[line.state]
  const tookMs = line.tookMs ?? (line.state === 'running' ? nowMs - line.startedMs : undefined)
  const figures = [
    ...(line.attempt > 0 ? [`attempt ${line.attempt}`] : []),
    ...(tookMs === undefined ? [] : [formatSeconds(tookMs)]),
  ]
  const text = [
    line.id,
    line.state,
    ...(figures.length > 0 ? [`(${figures.join(', ')})`] : []),
    plain(line.said),
  ]
  return `${channel.style(colour, sign)} ${shorten(text.join(' ').trimEnd(), channel.columns - 3)}`
}
