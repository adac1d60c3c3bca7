// Journals with every kind of harm done to their bytes. The verdict is checked against the bytes themselves:
//
//   - what is accepted is exactly the commits that lie before the first changed byte;
//   - if a recorded line stands whole behind that place, the start is refused (78), at that line; but NULs with nothing
//     behind them but lines of the same write are what a power cut leaves;
//   - else it is a torn tail, or refused at that line; never any other error.
//
// MUTANTS=20000 runs longer, SEED=… repeats a run.

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents } from '../../src/adapters/jsonl/reader.ts'
import { SegmentParser } from '../../src/adapters/jsonl/segment-parser.ts'
import { verifyJournal } from '../../src/adapters/jsonl/verify.ts'
import type { Event } from '../../src/core/state-machine/event.ts'
import { type JournalDamagedError, JournalIoError } from '../../src/ports/journal.ts'
import { checkpoint, JournalFolder, numbered, numbersOf, stopped } from '../support/journal-folder.ts'

const MUTANTS = Number(process.env['MUTANTS'] ?? 4000)
const SEED = Number(process.env['SEED'] ?? 20260105)
/** Every so many mutants the whole start is run, not only the parser. */
const START_EVERY = 12

/** mulberry32: small, seeded, good enough to pick places. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

interface Specimen {
  readonly name: string
  readonly bytes: Buffer
  /** Start of each line, and the end of the last. */
  readonly starts: readonly number[]
  /** Number of events that are accepted when everything before this byte is unchanged: [end of commit, events]. */
  readonly commits: readonly (readonly [number, number])[]
  /** For each line, the index of the first line of its write. */
  readonly writes: readonly number[]
}

function describeSpecimen(name: string, bytes: Buffer): Specimen {
  const starts = [0]
  const commits: [number, number][] = [[0, 0]]
  const writes: number[] = []
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, end + 1)) {
    const line = bytes.toString('utf8', starts.at(-1)!, end)
    const mark = /"commit":\[(\d+),(\d+)(?:,(\d+))?\],"c":"[0-9a-f]{8}"\}$/.exec(line)
    writes.push(starts.length - Number(mark?.[3] ?? mark?.[1] ?? 1))
    starts.push(end + 1)
    if (mark === null || mark[1] === mark[2]) commits.push([end + 1, starts.length - 1])
  }
  return { name, bytes, starts, commits, writes }
}

interface Mutant {
  readonly what: string
  readonly bytes: Buffer
}

/** One random harm. */
function mutate({ bytes, starts }: Specimen, random: (below: number) => number): Mutant {
  const at = random(bytes.length)
  const line = random(starts.length - 1)
  const [start, end] = [starts[line]!, starts[line + 1]!]
  const splice = (from: number, to: number, ...parts: Uint8Array[]) =>
    Buffer.concat([bytes.subarray(0, from), ...parts, bytes.subarray(to)])
  const whole = bytes.subarray(start, end)
  switch (random(11)) {
    case 0:
    case 1: {
      const flipped = Buffer.from(bytes)
      const bit = random(8)
      flipped[at]! ^= 1 << bit
      return { what: `bit ${bit} of byte ${at} flipped`, bytes: flipped }
    }
    case 2: {
      const byte = random(256)
      return { what: `byte ${byte} inserted at ${at}`, bytes: splice(at, at, Buffer.from([byte])) }
    }
    case 3:
      return { what: `byte ${at} deleted`, bytes: splice(at, at + 1) }
    case 4:
      return { what: `line ${line + 1} repeated`, bytes: splice(end, end, whole) }
    case 5:
      return { what: `line ${line + 1} deleted`, bytes: splice(start, end) }
    case 6: {
      const next = starts[line + 2] ?? end
      const swapped = splice(start, next, bytes.subarray(end, next), whole)
      return { what: `line ${line + 1} swapped with the next`, bytes: swapped }
    }
    case 7: {
      const length = 1 + random(600)
      const blank = Buffer.from(bytes).fill(0, at, Math.min(bytes.length, at + length))
      return { what: `${length} NULs from byte ${at} on`, bytes: blank }
    }
    case 8: {
      const other = random(starts.length - 1)
      const moved = splice(start, start, bytes.subarray(starts[other], starts[other + 1]))
      return { what: `line ${other + 1} put before line ${line + 1}`, bytes: moved }
    }
    case 9: {
      const tail = random(2) === 0 ? Buffer.alloc(1 + random(5000)) : Buffer.from('{"timestamp":"rubbish"}\n')
      return {
        what: `cut at ${at}, then ${tail.length} other bytes`,
        bytes: Buffer.concat([bytes.subarray(0, at), tail]),
      }
    }
    default:
      return { what: `cut at ${at}`, bytes: Buffer.from(bytes.subarray(0, at)) }
  }
}

/** What must come out, from the bytes alone. */
function judge(specimen: Specimen, mutant: Buffer) {
  const { bytes, starts, commits, writes } = specimen
  let same = 0
  while (same < mutant.length && same < bytes.length && mutant[same] === bytes[same]) same++
  const line = starts.findLastIndex(start => start <= same)
  const isWhole = same === bytes.length && mutant.length === bytes.length
  const isPrefix = same === mutant.length && starts.includes(same)
  const hasHole = mutant.includes(0)
  const mustRefuse =
    !isWhole &&
    starts.slice(line + 1, -1).some((start, index) => {
      const isThere = mutant.includes(bytes.subarray(start, starts[line + 2 + index]), same)
      return isThere && (!hasHole || writes[line + 1 + index]! > line)
    })
  return {
    accepted: commits.findLast(([end]) => end <= same)![1],
    line: line + 1,
    offset: starts[line]!,
    isIntact: isWhole || (isPrefix && commits.some(([end]) => end === same)),
    mustRefuse,
  }
}

interface Tally {
  refused: number
  torn: number
  intact: number
}

function checkParser(specimen: Specimen, mutant: Mutant, label: string, tally: Tally) {
  const expected = judge(specimen, mutant.bytes)
  const events: Event[] = []
  const parser = new SegmentParser(event => events.push(event))
  parser.push(mutant.bytes)
  parser.finish()
  const { bad } = parser
  const isRefused = bad?.damage === true
  const original = parseLines(specimen.bytes)
  expect(events, `${label}: accepted`).toEqual(
    original.slice(0, isRefused ? events.length : expected.accepted),
  )
  expect(events.length, `${label}: accepted`).toBeLessThanOrEqual(expected.accepted)
  if (expected.mustRefuse) expect(isRefused, `${label}: a recorded line stands behind it`).toBe(true)
  if (expected.isIntact && mutant.bytes.length > 0) expect(bad, label).toBeUndefined()
  if (bad !== undefined && mutant.bytes.length >= specimen.starts[1]!) {
    if (bad.reason !== 'the commit has no end') {
      expect([bad.line, bad.offset], `${label}: place`).toEqual([expected.line, expected.offset])
    }
  }
  if (isRefused) tally.refused++
  else if (bad !== undefined) tally.torn++
  else tally.intact++
  return { isRefused, events, bad }
}

function parseLines(bytes: Buffer): Event[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const { c: _c, commit: _commit, ...event } = JSON.parse(line)
      return event
    })
}

/** Starts on the mutant for real: the same verdict, as an exit code. */
async function checkStart(
  folder: JournalFolder,
  mutant: Mutant,
  verdict: ReturnType<typeof checkParser>,
  label: string,
) {
  rmSync(folder.state, { recursive: true, force: true })
  mkdirSync(folder.root, { recursive: true })
  writeFileSync(folder.path, mutant.bytes)
  if (verdict.isRefused) {
    const failure = await folder.open().then(
      () => undefined,
      (error: JournalDamagedError) => error,
    )
    expect(failure, label).toMatchObject({
      code: 'JOURNAL_DAMAGED',
      exitCode: 78,
      line: verdict.bad!.line,
      offset: verdict.bad!.offset,
    })
    expect(readFileSync(folder.path).equals(mutant.bytes), `${label}: nothing was changed`).toBe(true)
    return
  }
  const { journal, events } = await folder.open()
  expect(numbersOf(events), label).toEqual(numbersOf(verdict.events))
  await journal.append([[numbered(1000)]])
  await journal.close()
  const after = await folder.history()
  expect(numbersOf(after), label).toEqual([...numbersOf(verdict.events), 1000])
}

let specimens: Specimen[] = []
let sealed: Specimen

beforeAll(async () => {
  using folder = new JournalFolder()
  const { journal } = await folder.open()
  await journal.append([[numbered(1)], [numbered(2, { text: 'née, 日本語, \u{1f600}, a\nb' })]])
  await journal.append([[numbered(3), numbered(4), numbered(5)]])
  await journal.append([[numbered(6)]])
  const running = describeSpecimen('running', folder.bytes())
  await journal.append([[stopped()]])
  const clean = describeSpecimen('stopped cleanly', folder.bytes())
  await journal.roll(checkpoint(3, 'a state'))
  await journal.append([[numbered(7), numbered(8)], [numbered(9)]])
  const rolled = describeSpecimen('rolled', folder.bytes())
  await journal.close()
  specimens = [running, clean, rolled]
  sealed = describeSpecimen('sealed', readFileSync(join(folder.state, 'segments', '00000001.jsonl')))
})

describe('a journal with harm done to it', () => {
  const folder = new JournalFolder()
  afterAll(() => folder[Symbol.dispose]())

  it(`is accepted up to the harm or refused at it: ${MUTANTS} mutants`, async () => {
    const random = makeRandom(SEED)
    const tally: Tally = { refused: 0, torn: 0, intact: 0 }
    for (let n = 0; n < MUTANTS; n++) {
      const specimen = specimens[n % specimens.length]!
      const mutant = mutate(specimen, random)
      const label = `SEED=${SEED} mutant ${n}, ${specimen.name}: ${mutant.what}`
      if (mutant.bytes.length === 0) continue
      const verdict = checkParser(specimen, mutant, label, tally)
      if (n % START_EVERY === 0) await checkStart(folder, mutant, verdict, label)
    }
    expect(tally.refused).toBeGreaterThan(MUTANTS / 4)
    expect(tally.torn).toBeGreaterThan(MUTANTS / 20)
  }, 600_000)

  it('is accepted up to the cut, for a cut at every byte', async () => {
    let cuts = 0
    for (const specimen of specimens) {
      const tally: Tally = { refused: 0, torn: 0, intact: 0 }
      for (let at = 1; at < specimen.bytes.length; at++) {
        const mutant = { what: `cut at ${at}`, bytes: Buffer.from(specimen.bytes.subarray(0, at)) }
        const verdict = checkParser(specimen, mutant, `${specimen.name}, ${mutant.what}`, tally)
        if (at % 40 === 0) await checkStart(folder, mutant, verdict, `${specimen.name}, ${mutant.what}`)
        cuts++
      }
      // Only the first line, which is on disk before the file has its name, cannot be torn.
      expect(tally.refused).toBe(specimen.starts[1]! - 1)
    }
    expect(cuts).toBeGreaterThan(2500)
  }, 120_000)
})

describe('a sealed segment with harm done to it', () => {
  it('is found by verify and refused by a reader, at its first line, its footer and anywhere between', async () => {
    using folder = new JournalFolder()
    const { journal } = await folder.open()
    await journal.close()
    rmSync(folder.state, { recursive: true })
    const path = join(folder.state, 'segments', '00000001.jsonl')
    mkdirSync(join(folder.state, 'segments'), { recursive: true })
    writeFileSync(folder.path, specimens[2]!.bytes)
    writeFileSync(path, sealed.bytes)
    expect((await verifyJournal(folder.path)).problems).toEqual([])
    const random = makeRandom(SEED + 1)
    let found = 0
    const count = Math.min(MUTANTS / 10, 2000)
    for (let n = 0; n < count; n++) {
      const mutant = mutate(sealed, random)
      if (mutant.bytes.equals(sealed.bytes)) continue
      const label = `SEED=${SEED} sealed mutant ${n}: ${mutant.what}`
      chmodSync(path, 0o600)
      writeFileSync(path, mutant.bytes)
      const { problems } = await verifyJournal(folder.path)
      expect(problems.length, label).toBeGreaterThan(0)
      found++
      if (n % 20 === 0) {
        const failure = await collect(readEvents(folder.path)).then(
          () => undefined,
          (error: Error) => error,
        )
        expect(failure, label).toMatchObject({ code: 'JOURNAL_DAMAGED' })
        expect(failure, label).not.toBeInstanceOf(JournalIoError)
      }
    }
    expect(found).toBeGreaterThan(count / 2)
  }, 120_000)
})

async function collect(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = []
  for await (const event of events) all.push(event)
  return all
}
