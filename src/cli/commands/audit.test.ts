// `scheduler audit`: the table, the findings, the exit code, and where in the journal it begins to read.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { readerOf, tellLines } from '../../../test/support/look-back.ts'
import { STATUS, scriptControl } from '../../../test/support/scripted-control.ts'
import { serveControl } from '../../adapters/control-socket/server.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { JournalDamagedError } from '../../ports/journal.ts'
import type { Reader } from '../house.ts'

let line: CommandLine
beforeEach(() => {
  line = openCommandLine()
})
afterEach(() => line.remove())

const OPENED = ['00:00', 'segment_opened', { format: 1, journal_id: 'j', segment: 1 }] as const
const STARTED = ['00:00', 'scheduler_started', { epoch: 1, mode: 'serve' }] as const
const registered = (schedule_id: string) =>
  [
    '00:00',
    'schedule_registered',
    {
      schedule_id,
      cause: 'first_seen',
      cursor: '2026-01-05T00:00:00.000Z',
      cron: '0 * * * *',
      timezone: 'UTC',
    },
  ] as const
const decided = (schedule_id: string, hour: string, fields: object = { reason: 'due' }) => ({
  schedule_id,
  slot: `2026-01-05T${hour}Z`,
  ...fields,
})
const enqueued = (id: string, hour: string) => [hour, 'schedule_enqueued', decided(id, hour)] as const

const missed = (from: string, to: string, count: number) =>
  [
    '04:10',
    'schedule_missed',
    {
      schedule_id: 'hourly',
      from: `2026-01-05T${from}Z`,
      to: `2026-01-05T${to}Z`,
      count,
      reason: 'catchup_latest',
    },
  ] as const

function see(events: readonly Event[]): Reader {
  const reader = readerOf(events)
  line.house.openReader = async () => reader
  return reader
}

async function audit(code: number, ...words: string[]): Promise<string> {
  line.stdout.text = ''
  line.stderr.text = ''
  expect(await line.run('audit', ...words)).toBe(code)
  return line.stdout.text
}

const GOOD = tellLines(
  OPENED,
  STARTED,
  registered('hourly'),
  enqueued('hourly', '01:00'),
  ['02:00', 'schedule_skipped', decided('hourly', '02:00', { reason: 'overlap', inputs: {} })],
  enqueued('hourly', '03:00'),
  enqueued('hourly', '04:00'),
  enqueued('hourly', '05:00'),
)

test('every slot decided: the table, and 0; what is due since is open, and a failure only with --strict', async () => {
  see(GOOD)
  expect(await audit(0)).toBe(`SCHEDULE  EXPECTED  ENQUEUED  SKIPPED  MISSED  OPEN  FAULTS  REASONS
hourly           6         4        1       0     1       0  skipped overlap 1
total            6         4        1       0     1       0
`)
  expect(line.stderr.text).toBe(`1 open: nobody was there yet to decide them; the next start does
every slot from 2026-01-04T06:00:30Z to 2026-01-05T06:00:30Z has one decision, or is open
`)
  await audit(1, '--strict')
  expect(await audit(0, '--from', '2026-01-05T02:00Z', '--to', '2026-01-05T04:00Z', '--no-headers')).toBe(
    'hourly  2  1  1  0  0  0  skipped overlap 1\ntotal   2  1  1  0  0  0\n',
  )
})

test('beside a scheduler that serves, what is older than a minute has to be decided', async () => {
  see(GOOD)
  const control = scriptControl()
  control.status_ = { ...STATUS, mode: 'serve' }
  const server = await serveControl({ control, socketPath: line.socketPath })
  try {
    expect(await audit(0)).toContain('hourly           6         4        1       0     1       0')
    line.now += 90_000
    expect(await audit(1)).toContain(
      'undecided  hourly 2026-01-05T06:00Z: due, and nothing was decided about it\n',
    )
    expect(line.stderr.text).toContain('see: scheduler why hourly 2026-01-05T06:00Z\n')
  } finally {
    await server.close()
  }
})

test('a recorded miss is a failure unless it is allowed', async () => {
  see(
    tellLines(
      OPENED,
      STARTED,
      registered('hourly'),
      missed('01:00', '03:00', 3),
      enqueued('hourly', '04:00'),
    ),
  )
  const said = await audit(1)
  expect(said).toContain('missed catchup_latest 3\n')
  expect(said).toContain(
    'missed     hourly 2026-01-05T01:00Z to 2026-01-05T03:00Z, 3 slots: recorded as missed (catchup_latest), line 4\n',
  )
  await audit(0, '--allow-missed')
})

test('one decided twice, one never due, one left out, a wrong count: each is named with its line', async () => {
  see(
    tellLines(
      OPENED,
      STARTED,
      registered('hourly'),
      enqueued('hourly', '01:00'),
      enqueued('hourly', '01:00'),
      enqueued('hourly', '03:00'),
      missed('04:00', '05:00', 7),
      ['05:30', 'schedule_skipped', { schedule_id: 'hourly', slot: 'soon', reason: 'over\x1b[31mlap' }],
      enqueued('ghost', '05:00'),
    ),
  )
  const said = await audit(1, '--allow-missed')
  expect(said.split('\n').slice(5)).toEqual([
    'doubled    hourly 2026-01-05T01:00Z: decided once more (due), line 5',
    'miscounted hourly 2026-01-05T04:00Z to 2026-01-05T05:00Z, 7 slots: the line says another number of slots than lie between (catchup_latest), line 7',
    'missed     hourly 2026-01-05T04:00Z to 2026-01-05T05:00Z, 7 slots: recorded as missed (catchup_latest), line 7',
    'never due  hourly what is no instant: decided, but no slot of the schedule (overlap), line 8',
    'never due  ghost 2026-01-05T05:00Z: decided, but no slot of the schedule (due), line 9',
    'undecided  hourly 2026-01-05T02:00Z: due, and nothing was decided about it',
    '',
  ])
  await audit(1, '--json', '--schedule', 'hourly')
  const report = JSON.parse(line.stdout.text)
  expect(report).toMatchObject({
    kind: 'AuditReport',
    ok: false,
    total: { doubled: 1, undecided: 1, never_due: 1 },
  })
  expect(report.schedules).toHaveLength(1)
  expect(report.findings).toContainEqual({
    kind: 'never_due',
    schedule_id: 'hourly',
    from: null,
    to: null,
    count: 1,
    reason: 'over\x1b[31mlap',
    seq: 8,
  })
})

test('of many schedules only those with something to tell are listed', async () => {
  const ids = Array.from({ length: 60 }, (_, index) => `s${index}`)
  see(
    tellLines(OPENED, STARTED, ...ids.map(registered), ...ids.map(id => enqueued(id, '01:00')), [
      '02:00',
      'schedule_skipped',
      decided('s7', '02:00', { reason: 'overlap', inputs: {} }),
    ]),
  )
  const said = await audit(0, '--to', '2026-01-05T01:30Z')
  expect(said).toMatch(/^SCHEDULE.*\ntotal +60 +60 +0 +0 +0 +0\n$/)
  expect(line.stderr.text).toContain('60 schedules whose every slot was enqueued are not listed\n')
  expect(await audit(0, '--allow-missed', '--to', '2026-01-05T02:30Z')).toMatch(/\ns7 .*skipped overlap 1\n/)
})

test('reading begins at the last segment that opened before the span', async () => {
  const item = {
    kind: 'schedule',
    id: 'hourly',
    cursor: Date.UTC(2026, 0, 5, 1),
    cron: '0 * * * *',
    timezone: 'UTC',
  }
  const reader = see(
    tellLines(
      OPENED,
      STARTED,
      registered('hourly'),
      enqueued('hourly', '01:00'),
      ['01:10', 'segment_sealed', { segment: 1 }],
      ['01:10', 'segment_opened', { format: 1, segment: 2 }],
      ['01:10', 'checkpoint', { part: 1, parts: 1, items: [item] }],
      enqueued('hourly', '02:00'),
      enqueued('hourly', '03:00'),
    ),
  )
  const begins: (number | undefined)[] = []
  const { events } = reader
  ;(reader as { events: Reader['events'] }).events = after => {
    begins.push(after)
    return events(after)
  }
  expect(await audit(0, '--from', '2026-01-05T02:30Z', '--to', '2026-01-05T03:30Z')).toContain(
    'hourly           1         1',
  )
  expect(await audit(0, '--from', '2026-01-05T00:00Z', '--to', '2026-01-05T03:30Z')).toContain(
    'hourly           3         3',
  )
  expect(begins).toEqual([5, 0])
})

test('what was asked wrongly', async () => {
  see(GOOD)
  await audit(4, '--schedule', 'houlry')
  expect(line.stderr.text).toContain(
    'the journal knows no schedule "houlry" [SCHEDULE_NOT_FOUND]\nhint: did you mean "hourly"?',
  )
  await audit(2, '--from', '1h', '--to', '2h')
  expect(line.stderr.text).toContain('--from: 2026-01-05T05:00:30.000Z is not before --to')
  await audit(2, '--from', 'monday')
  expect(line.stderr.text).toContain('--from: expected an instant with its offset')
  const place = { file: 'state.jsonl', line: 7, offset: 900, reason: 'the checksum does not fit' }
  const reader = see(GOOD)
  ;(reader as { events: Reader['events'] }).events = () =>
    (async function* () {
      yield* GOOD.slice(0, 3)
      throw new JournalDamagedError(place)
    })()
  await audit(78)
  expect(line.stderr.text).toContain('state.jsonl, line 7 (byte 900)')
})
