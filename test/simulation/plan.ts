// What a seed is made of: how many lives, what is asked in each, what goes wrong and when.

import { Chance } from './chance.ts'
import type { Hooks } from './life.ts'
import { changeDefinitions, drawDefinitions } from './random-definitions.ts'
import type { DiskCounts } from './virtual-disk.ts'
import type { MachineCounts } from './virtual-worker.ts'
import { JOURNAL_PATH, World } from './world.ts'
import type { WorldCounts } from './world-counts.ts'

export interface SeedOptions {
  readonly seed: number
  readonly lives?: number
  readonly hooks?: Hooks
  /** Bits rot on the disk before one of the starts: the run must end with a refused start. */
  readonly bitRot?: boolean
  log?(line: string): void
}

export interface SeedResult {
  readonly seed: number
  readonly findings: readonly string[]
  readonly hash: string
  readonly counts: WorldCounts & { damageRefused: number }
  readonly disk: DiskCounts
  readonly machine: MachineCounts
  readonly world: World
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** How a seed's world is: some are quiet, some have a bad disk, some a bad clock. */
interface Weather {
  readonly powerChance: number
  readonly operationCrashChance: number
  /** Lives that end before they did much: most deaths are in or right after a recovery. */
  readonly hurry: number
  readonly full: number
  readonly ioErrors: number
  readonly clock: number
  readonly reload: number
}

function drawWeather(chance: Chance): Weather {
  return {
    powerChance: chance.pick([0, 0.3, 0.6, 1]),
    operationCrashChance: chance.pick([0.4, 0.8, 0.95]),
    hurry: chance.pick([0.3, 0.8, 0.95]),
    full: chance.pick([0, 0, 1, 3]),
    ioErrors: chance.pick([0, 0, 0.5, 2]),
    clock: chance.pick([0, 0.5, 2]),
    reload: chance.pick([0, 0.5, 1.5]),
  }
}

/** Runs one seed from its first boot to its judgement. */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { seed, lives = 40, hooks, bitRot = false } = options
  const chance = new Chance(seed)
  const weather = drawWeather(chance)
  const world = new World({
    seed,
    chance,
    limits: { maxParallel: chance.between(1, 3), maxTasks: chance.between(1, 6) },
    segmentBytes: chance.pick([1_500, 4_000, 12_000, 60_000]),
    tickMs: chance.pick([1_000, 60_000, 600_000]),
    definitions: drawDefinitions(chance),
    ...(hooks && { hooks }),
    ...(options.log && { log: options.log }),
  })
  const restore = world.install()
  let damageRefused = 0
  try {
    world.disk.shortWriteChance = chance.pick([0, 0, 0.05, 0.3])
    const rotAt = bitRot ? chance.between(2, lives - 1) : -1
    for (let life = 0; life < lives && world.findings.length === 0; life++) {
      if (life >= rotAt && rotAt >= 0) rotOneBit(world)
      await live(world, weather)
      if (world.rotten) break
    }
    if (world.rotten) {
      if (world.life?.exit?.name === 'JOURNAL_DAMAGED') damageRefused = 1
      else if (world.findings.length === 0) await world.settle()
    } else if (world.findings.length === 0) await world.settle()
  } finally {
    restore()
  }
  return {
    seed,
    findings: world.findings,
    hash: world.hash(),
    counts: { ...world.counts, damageRefused },
    disk: world.disk.counts,
    machine: world.machine.counts,
    world,
  }
}

async function live(world: World, weather: Weather): Promise<void> {
  const { chance, disk } = world
  disk.holding = !world.rotten && chance.happens(0.3)
  if (chance.happens(0.15)) world.definitions = changeDefinitions(chance, world.definitions)
  const mode = chance.weigh({ serve: 90, once: 6, run: 2, command: 2 })
  if (mode === 'run') world.limitsHold = false
  const dies = !world.rotten && chance.happens(weather.operationCrashChance)
  const hurries = chance.happens(weather.hurry)
  const crashIn = dies ? (hurries ? chance.between(1, 60) : chance.between(40, 400)) : 0
  const life = await world.boot(mode, crashIn)
  const acts = hurries ? chance.between(0, 4) : chance.pick([4, 12, 25])
  if (!life.isOver) await work(world, weather, mode, acts)
  if (world.rotten && life.exit !== undefined) return
  if (life.exit !== undefined && life.exit.name === 'JOURNAL_FULL') world.disk.capacityBytes = Infinity
  if (life.stopped) return
  world.crash(chance.happens(weather.powerChance) ? 'power' : 'kill')
  if (chance.happens(0.5)) await world.pass(chance.pick([0, 500, MINUTE_MS, HOUR_MS, 30 * HOUR_MS]), false)
}

type Mode = 'serve' | 'once' | 'run' | 'command'

async function work(world: World, weather: Weather, mode: Mode, acts: number): Promise<void> {
  const { chance } = world
  const life = world.life!
  if (mode !== 'serve') startForeground(world, mode)
  for (let act = 0; act < acts && !life.isOver && !life.isDone; act++) {
    await doSomething(world, weather)
    await world.pump(chance.happens(0.3) ? chance.between(0, 4) : undefined)
  }
  if (life.isOver) return
  if (life.isDone || chance.happens(0.2)) {
    const steps = chance.happens(0.3) ? chance.between(0, 6) : undefined
    await world.stop(chance.happens(0.4), steps)
  }
}

function startForeground(world: World, mode: Exclude<Mode, 'serve'>): void {
  const life = world.life!
  const daemon = life.daemon!
  const done = () => {
    life.isDone = true
  }
  const dag = world.chance.pick([...world.definitions.dags.keys()])
  // A stop in between is told by a rejection: the run is left to the next start.
  if (mode === 'once') daemon.once().then(done, done)
  else if (mode === 'run') daemon.run({ dag }).then(done, done)
  else {
    world.trigger({ dag, cause: 'cli' })
    done()
  }
}

async function doSomething(world: World, weather: Weather): Promise<void> {
  const { chance, disk, time } = world
  const { full, ioErrors, clock, reload } = weather
  const isFull = disk.capacityBytes < Infinity
  const act = chance.weigh({
    next: 10,
    pass: 6,
    trigger: 2,
    cancel: 1,
    record: 1,
    status: 1,
    reload,
    fill: isFull ? 0 : full,
    free: isFull ? 2 : 0,
    failSync: ioErrors,
    failWrite: ioErrors / 3,
    failRead: ioErrors / 3,
    step: clock,
    sleep: clock / 2,
  })
  switch (act) {
    case 'next':
      world.log('next timer')
      await world.passToNextTimer()
      return
    case 'pass': {
      const kind = chance.weigh({ moment: 4, minutes: 4, hours: 1, days: 0.1 })
      const most = { moment: 3_000, minutes: 10 * MINUTE_MS, hours: 5 * HOUR_MS, days: 48 * HOUR_MS }[kind]
      const ms = chance.between(0, most)
      const smooth = kind !== 'days' && chance.happens(0.6)
      world.log(`${ms} ms pass ${smooth ? 'smoothly' : 'at once'}`)
      return world.pass(ms, smooth)
    }
    case 'trigger': {
      const dag = chance.pick([...world.definitions.dags.keys(), 'dag0'])
      if (!world.definitions.dags.has(dag)) return
      world.log(`trigger ${dag}`)
      const params = chance.happens(0.3)
        ? { who: 'me', line: 'a\u2028b', n: chance.between(0, 9) }
        : undefined
      return world.trigger({ dag, cause: 'http', ...(params && { params }) })
    }
    case 'cancel': {
      const runIds = [...world.life!.state.runs.keys()]
      const runId = runIds.length > 0 ? chance.pick(runIds) : 'nothing@manual-0'
      world.log(`cancel ${runId}`)
      return world.cancel(runId)
    }
    case 'record':
      world.log('record')
      return world.record({
        event: chance.pick(['deployed', 'run_finished', 'checkpoint', 'scheduler_stopped', 'task_ok']),
        run_id: 'mine',
        text: chance.pick(['plain', '"c":"00000000"}', 'a\u2028\u2029\n\u0000\ud800', '€'.repeat(900)]),
        seq: 7,
        timestamp: 'yesterday',
      })
    case 'status':
      world.log('status')
      return world.askStatus()
    case 'reload':
      world.filesBroken = chance.happens(0.3)
      if (!world.filesBroken) world.definitions = changeDefinitions(chance, world.definitions)
      world.log(`reload${world.filesBroken ? ' broken files' : ''}`)
      world.reload()
      if (world.filesBroken) await world.pump()
      world.filesBroken = false
      return
    case 'fill':
      world.counts.diskFull += 1
      disk.fill(chance.pick([0, 1, 100, 700, 3_000]))
      return world.log(`the disk is full but for ${disk.capacityBytes - disk.usedBytes} bytes`)
    case 'free':
      disk.capacityBytes = Infinity
      return world.log('the disk has room again')
    case 'failSync':
      disk.failSyncIn = chance.between(1, 4)
      return world.log(`sync ${disk.failSyncIn} from now fails`)
    case 'failWrite':
      disk.failWriteIn = chance.between(1, 4)
      return world.log(`write ${disk.failWriteIn} from now fails`)
    case 'failRead':
      disk.failReadIn = chance.between(1, 6)
      return world.log(`read ${disk.failReadIn} from now fails`)
    case 'step': {
      const ms = chance.pick([-1, 1]) * chance.pick([500, 30_000, 90_000, HOUR_MS, 26 * HOUR_MS])
      world.counts.clockSteps += 1
      world.log(`the clock is set by ${ms} ms`)
      return time.stepWall(ms)
    }
    case 'sleep': {
      const ms = chance.pick([10_000, 20 * MINUTE_MS, 9 * HOUR_MS])
      world.counts.sleeps += 1
      world.log(`the machine sleeps ${ms} ms`)
      return time.stepWall(ms)
    }
  }
}

/** One bit, in a line that has a recorded line behind it: damage, never a torn tail. */
function rotOneBit(world: World): void {
  const bytes = world.disk.peek(JOURNAL_PATH)
  if (bytes === undefined) return
  const lastEnd = bytes.lastIndexOf(0x0a)
  const lastStart = bytes.lastIndexOf(0x0a, lastEnd - 1)
  if (lastStart < 200) return
  const byte = world.chance.between(0, lastStart)
  const bit = world.chance.between(0, 7)
  world.rotten = true
  world.log(`bit ${bit} of byte ${byte} rots`)
  world.disk.rot(JOURNAL_PATH, byte, bit)
}
