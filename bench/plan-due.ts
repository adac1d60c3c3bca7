// A million schedules, 50,000 of them due at the same minute: how long until every one of them is decided and durable, how long
// the event loop is held meanwhile, and what a million compiled schedules take.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median, percentile, QUICK, SCHEDULER_FLAGS } from './measure.ts'
import type { Planned } from './plan-due-child.ts'
import { deliver, formatNumber } from './report.ts'

const SCHEDULES = QUICK ? 100_000 : 1_000_000
const DUE = SCHEDULES / 20
const MIB = 2 ** 20

function plan(): Promise<Planned> {
  return new Promise((resolve, reject) => {
    const child = fork(
      fileURLToPath(new URL('plan-due-child.ts', import.meta.url)),
      [`${SCHEDULES}`],
      // The nursery that bin/scheduler.js gives itself: a larger one is collected more seldom and for longer at a time.
      { execArgv: [...SCHEDULER_FLAGS] },
    )
    let planned: Planned | undefined
    child.on('message', message => {
      planned = message as Planned
    })
    child.on('error', reject)
    child.on('exit', code => {
      if (planned === undefined) reject(new Error(`plan-due-child ended with ${code} and said nothing`))
      else resolve(planned)
    })
  })
}

const { compiled, buildSeconds, seconds, turnsMs, busiestMs, zones } = await plan()
const planned = median(seconds)
const longest = turnsMs.map(turns => Math.max(...turns))
const hold = median(longest)
const million = SCHEDULES.toLocaleString('en')
const due = DUE.toLocaleString('en')

deliver({
  name: 'plan-due',
  title: 'A minute at which 5 % of a million schedules are due',
  method: `The daemon's loop with a journal in memory that answers in a later turn of the event loop, in a process with the flags of \`bin/scheduler.js\`: ${due} of ${million} schedules are due at a minute, from its beginning until the last of their decisions is durable; median of ${seconds.length} minutes. Beside it, ${million} compiled schedules with texts of their own in ${zones} zones.`,
  rows: [
    { what: `${due} slots decided`, value: planned, unit: 's' },
    { what: 'one slot', value: (planned * 1e6) / DUE, unit: 'µs' },
    { what: 'turn of the event loop, p50', value: median(turnsMs.flat()), unit: 'ms' },
    { what: 'turn of the event loop, p99', value: percentile(turnsMs.flat(), 99), unit: 'ms' },
    { what: 'longest turn of a minute', value: hold, unit: 'ms' },
    { what: 'processor time of the busiest turn of a minute', value: median(busiestMs), unit: 'ms' },
    { what: 'longest turn of all', value: Math.max(...longest), unit: 'ms' },
    { what: `${million} different expressions compiled and asked once`, value: compiled.seconds, unit: 's' },
    { what: 'memory of them', value: compiled.bytes / MIB, unit: 'MiB' },
    { what: `${million} schedules built, registered and put on the agenda`, value: buildSeconds, unit: 's' },
  ],
  goals: [
    {
      text: `the ${due} slots of a minute are decided within 1 s`,
      isMet: planned <= 1,
      measured: `${formatNumber(planned)} s`,
    },
    {
      text: 'the event loop is held for at most 10 ms at a time (longest turn of a minute, median)',
      isMet: hold <= 10,
      measured: `${formatNumber(hold)} ms`,
    },
    {
      text: `${million} compiled schedules take less than 1 GB`,
      isMet: compiled.bytes < 1e9,
      measured: `${formatNumber(compiled.bytes / MIB)} MiB`,
    },
    {
      text: `${million} schedules are compiled within a minute`,
      isMet: compiled.seconds <= 60,
      measured: `${formatNumber(compiled.seconds)} s`,
    },
  ],
})
