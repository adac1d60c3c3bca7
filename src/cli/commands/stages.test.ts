// `scheduler stages`: what the definitions name, what an inspection says of it, what the journal knows.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aDag, definitionsOf } from '../../../test/support/builders.ts'
import { type CommandLine, openCommandLine } from '../../../test/support/command-line.ts'
import { DeciderWorld } from '../../../test/support/decider-world.ts'
import { createMemoryRunIndex } from '../../adapters/memory/run-index.ts'
import type { Dag } from '../../core/dag/dag.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { InputStage, Stage } from '../../core/stage/stage.ts'
import type { AttemptResult } from '../../core/state-machine/command.ts'
import type { Event } from '../../core/state-machine/event.ts'
import type { Reader } from '../house.ts'

const INPUT: InputStage = {
  name: 'external_input_files',
  location: { kind: 'directory', path: 'data/in' },
  order: 'oldest',
  maxFiles: 100,
  stableForMs: 2_000,
}
const OUTPUT: Stage = {
  name: 'external_output_files',
  location: { kind: 's3', bucket: 'partner', prefix: 'out/', endpoint: 'https://s3.example.org' },
}

function withStages(dag: Dag, ...stages: Stage[]): Dag {
  return { ...dag, manifest: { mode: 'schedule', stages, environment: 'default' } }
}

const ORDERS = withStages(aDag('orders', { poll: [], work: ['poll'] }), INPUT, OUTPUT)
const EMPTY = withStages(aDag('empty', { a: [] }), INPUT)

let line: CommandLine
beforeEach(() => {
  line = openCommandLine({
    loadDefinitions: async () => ({
      ok: true,
      definitions: definitionsOf([ORDERS, EMPTY, aDag('plain', { a: [] })]),
      warnings: [],
    }),
    inspectStages: async (_settings, stages) =>
      stages.map(stage => (stage === OUTPUT ? 'there is no such bucket (NotFound)' : undefined)),
    openReader: () => Promise.reject(new DagbokError('JOURNAL_MISSING', 'none yet')),
  })
})
afterEach(() => line.remove())

/** A journal of two runs: one has worked on two files, one has one of them again and a third. */
function journal(): void {
  const world = new DeciderWorld(definitionsOf([ORDERS]), '2026-01-05T06:00:00.000Z').boot()
  const take = (runId: string, keys: readonly string[], version: string) => {
    world.when({ type: 'trigger', runId, dag: ORDERS, cause: 'cli' })
    const files = keys.map(key => ({ key, version }))
    const taken = { kind: 'files', stage: INPUT.name, files, gone: [] } as const
    world.end(runId, 'poll', { kind: 'ok', output: {}, taken } satisfies AttemptResult)
  }
  take('first', ['a', 'b'], '1')
  world.ok('first', 'work')
  take('second', ['b', 'c'], '2')
  const opened = {
    timestamp: '2026-01-05T06:00:00.000Z',
    event: 'segment_opened',
    seq: 1,
    format: 1,
    journal_id: 'memory',
    segment: 1,
    prev_last_seq: 0,
    prev_crc: '00000000',
  } as const satisfies Event
  const events = [opened, ...world.events.map(event => ({ ...event, seq: event.seq + 1 }))]
  const index = createMemoryRunIndex()
  index.apply('memory', events)
  const reader = {
    index,
    async *events(afterSeq = 0) {
      for (const event of events) if (event.seq > afterSeq) yield event
    },
    close: () => {},
  }
  line.house.openReader = async () => reader as unknown as Reader
}

describe('stages', () => {
  test('shows where files lie, what is wrong there, and how many were worked on', async () => {
    journal()
    expect(await line.run('stages')).toBe(EXIT.ok)
    const location = `${line.root}/data/in`
    expect(line.stdout.text.split('\n').map(text => text.split(/ {2,}/))).toEqual([
      ['DAG', 'STAGE', 'LOCATION', 'CONSUMED', 'IN FLIGHT', 'ACCESS'],
      ['empty', 'external_input_files', location, '0', '0', 'ok'],
      ['orders', 'external_input_files', location, '2', '2', 'ok'],
      [
        'orders',
        'external_output_files',
        's3://partner/out/ at https://s3.example.org',
        '-',
        '-',
        'there is no such bucket (NotFound)',
      ],
      [''],
    ])
  })

  test('as JSON', async () => {
    journal()
    await line.run('stages', '--json')
    const { kind, items } = JSON.parse(line.stdout.text)
    expect(kind).toBe('StageList')
    expect(items.slice(1)).toEqual([
      {
        dag: 'orders',
        stage: 'external_input_files',
        kind: 'directory',
        location: `${line.root}/data/in`,
        access: { ok: true },
        consumed: 2,
        in_flight: 2,
      },
      {
        dag: 'orders',
        stage: 'external_output_files',
        kind: 's3',
        location: 's3://partner/out/ at https://s3.example.org',
        access: { ok: false, fault: 'there is no such bucket (NotFound)' },
        consumed: null,
        in_flight: null,
      },
    ])
  })

  test('needs no journal', async () => {
    expect(await line.run('stages', '--no-headers')).toBe(EXIT.ok)
    expect(line.stdout.text.split('\n')[1]).toMatch(/^orders {2,}external_input_files .* 0 +0 +ok$/)
  })

  test('says so where no DAG has any', async () => {
    line.house.loadDefinitions = async () => ({ ok: true, definitions: definitionsOf([]), warnings: [] })
    expect(await line.run('stages')).toBe(EXIT.ok)
    expect([line.stdout.text, line.stderr.text]).toEqual([
      '',
      'no DAG has stages: a manifest (`dag:`) names them\n',
    ])
  })
})
