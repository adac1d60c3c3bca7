// What a scheduler says about itself while it works: one plain line per event, from a level up.

import type { LogLevel } from '../config.ts'
import type { Event } from '../core/state-machine/event.ts'
import type { Channel } from './output.ts'
import { describeEvent, type Level } from './render/event-line.ts'

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** A listener that writes `2026-01-05T06:00:00.000Z info  run … started`. */
export function logTo(channel: Channel, from: LogLevel): (event: Event) => void {
  return event => {
    const { level, text } = describeEvent(event)
    if (RANK[level] >= RANK[from]) channel.line(`${event.timestamp} ${styleLevel(channel, level)} ${text}`)
  }
}

function styleLevel(channel: Channel, level: Level): string {
  const word = level.padEnd(5)
  if (level === 'error') return channel.style('red', word)
  return level === 'warn' ? channel.style('yellow', word) : channel.style('dim', word)
}
