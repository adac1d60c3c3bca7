// A tick with nothing due: what a scheduler does all day. It must not cost more because there are more schedules.

import { decide } from '../src/core/state-machine/decide.ts'
import { median, QUICK, takeTurns } from './measure.ts'
import { deliver, formatNumber } from './report.ts'
import { manySchedules, stateOf } from './world.ts'

const NOW = Date.parse('2026-01-05T06:00:30Z')
const ROUNDS = QUICK ? 3 : 9
const TICKS = QUICK ? 20_000 : 200_000
const SIZES = QUICK ? ([1_000, 10_000, 100_000] as const) : ([1_000, 100_000, 1_000_000] as const)

/** Every minute of a day is some schedule's; none is due within the measured second. */
function daily(n: number): string {
  return `${n % 60} ${Math.floor(n / 60) % 24} * * *`
}

function prepare(count: number): () => number {
  const definitions = manySchedules(count, daily)
  const { state, agenda } = stateOf(definitions, NOW)
  const context = {
    now: NOW,
    definitions,
    agenda,
    limits: { maxParallel: 3, maxTasks: 16 },
    admission: 'open',
    driven: 'all',
    random: () => 0.5,
  } as const
  return () => {
    const startedMs = performance.now()
    for (let tick = 0; tick < TICKS; tick++) decide(state, { type: 'tick' }, context)
    return ((performance.now() - startedMs) * 1_000_000) / TICKS
  }
}

const ticks = await takeTurns(ROUNDS, {
  small: prepare(SIZES[0]),
  middle: prepare(SIZES[1]),
  large: prepare(SIZES[2]),
})
const [small, middle, large] = [ticks.small, ticks.middle, ticks.large].map(median) as [
  number,
  number,
  number,
]

deliver({
  name: 'tick',
  title: 'A tick with nothing due',
  method: `\`decide(state, tick)\` on a state with so many registered schedules, ${TICKS.toLocaleString('en')} ticks a round, sizes taking turns, median of ${ROUNDS} rounds.`,
  rows: [
    { what: `${SIZES[0].toLocaleString('en')} schedules`, value: small, unit: 'ns' },
    ...[middle, large].map((value, index) => ({
      what: `${SIZES[index + 1]!.toLocaleString('en')} schedules`,
      value,
      unit: 'ns',
      probe: small,
      against: `${SIZES[0].toLocaleString('en')} schedules`,
    })),
  ],
  goals: [
    {
      text: `a tick over ${SIZES[2].toLocaleString('en')} idle schedules costs at most twice one over ${SIZES[0].toLocaleString('en')}`,
      isMet: large <= 2 * small,
      measured: `${formatNumber(large / small)} ×`,
    },
  ],
})
