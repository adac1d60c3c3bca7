// `scheduler stages`: where the files of each DAG lie, whether the scheduler may use the place, and what the journal knows of
// the files of input stages.

import { resolve } from 'node:path'
import { EXIT } from '../../core/error.ts'
import { type Stage, stageKey } from '../../core/stage/stage.ts'
import type { StageFiles } from '../../core/stage/stage-files.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import { readJournaledState } from '../journaled-state.ts'
import { plain, writeJsonList } from '../output.ts'
import { renderTable } from '../render/table.ts'

interface StageRow {
  readonly dag: string
  readonly stage: Stage
  /** Undefined: the scheduler may use it. */
  readonly fault: string | undefined
  /** Of input stages. */
  readonly files: { readonly consumed: number; readonly inFlight: number } | undefined
}

export async function run(context: CommandContext): Promise<number> {
  const { out, json, headers, settings } = context
  const rows = await listStages(context)
  if (json) {
    writeJsonList(
      out.data,
      'StageList',
      rows.map(({ dag, stage, fault, files }) => ({
        dag,
        stage: stage.name,
        kind: stage.location.kind,
        location: describeLocation(stage, settings.root),
        access: fault === undefined ? { ok: true } : { ok: false, fault },
        consumed: files?.consumed ?? null,
        in_flight: files?.inFlight ?? null,
      })),
    )
    return EXIT.ok
  }
  if (rows.length === 0) {
    out.note.line('no DAG has stages: a manifest (`dag:`) names them')
    return EXIT.ok
  }
  const columns = [
    ...['DAG', 'STAGE', 'LOCATION'].map(title => ({ title })),
    ...['CONSUMED', 'IN FLIGHT'].map(title => ({ title, align: 'right' as const })),
    { title: 'ACCESS' },
  ]
  const cells = rows.map(({ dag, stage, fault, files }) => [
    dag,
    stage.name,
    plain(describeLocation(stage, settings.root)),
    files === undefined ? '-' : String(files.consumed),
    files === undefined ? '-' : String(files.inFlight),
    fault === undefined ? 'ok' : out.data.style('red', plain(fault)),
  ])
  for (const line of renderTable(columns, cells, headers)) out.data.line(line)
  return EXIT.ok
}

async function listStages(context: CommandContext): Promise<StageRow[]> {
  const { dags } = await loadGoodDefinitions(context)
  const stages = [...dags.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name: dag, manifest }) => (manifest?.stages ?? []).map(stage => ({ dag, stage })))
  if (stages.length === 0) return []
  const house = await context.house()
  const faults = await house.inspectStages(
    context.settings,
    stages.map(({ stage }) => stage),
  )
  const { state, reader } = await readJournaledState(context)
  await reader?.close()
  return stages.map(({ dag, stage }, index) => ({
    dag,
    stage,
    fault: faults[index],
    files:
      stage.name === 'external_input_files'
        ? countFiles(state.stages.get(stageKey(dag, stage.name)))
        : undefined,
  }))
}

/** A consumed file that is held again, in a new version, counts as both. */
function countFiles(files: StageFiles | undefined): { consumed: number; inFlight: number } {
  const tracked = [...(files?.values() ?? [])]
  return {
    consumed: tracked.filter(({ consumed }) => consumed !== undefined).length,
    inFlight: tracked.filter(({ held }) => held !== undefined).length,
  }
}

function describeLocation({ location }: Stage, root: string): string {
  if (location.kind === 'directory') return resolve(root, location.path)
  const { bucket, prefix, endpoint } = location
  return `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${endpoint}`}`
}
