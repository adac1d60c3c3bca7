// `stages:` of a manifest: a list of names, of names with settings, or a mapping of both → stages in their normal form.

import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import {
  type FileOrder,
  type InputStage,
  STAGE_NAMES,
  type Stage,
  type StageLocation,
  type StageName,
} from '../core/stage/stage.ts'
import { formatDuration, parseDuration } from '../core/time/duration.ts'
import { checkLength } from './duration-text.ts'
import { STAGE_DEFAULTS } from './manifest-schema.ts'
import type { ProblemList } from './problem.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

/** A stage as it is written: its name, its settings, and where these stand. */
interface WrittenStage {
  readonly name: StageName
  readonly settings: JsonObject
  readonly path: Path
}

/** Entries of a wrong form are left out: they are the schema's to tell of. */
export function listStages(stages: Json | undefined, path: Path): WrittenStage[] {
  if (isJsonObject(stages)) return listMapping(stages, path)
  if (!Array.isArray(stages)) return []
  return stages.flatMap((item, index): WrittenStage[] => {
    const at = [...path, index]
    if (isJsonObject(item)) return listMapping(item, at)
    return isStageName(item) ? [{ name: item, settings: {}, path: at }] : []
  })
}

function listMapping(mapping: JsonObject, path: Path): WrittenStage[] {
  return Object.entries(mapping).flatMap(([name, settings]) =>
    isStageName(name)
      ? [{ name, settings: isJsonObject(settings) ? settings : {}, path: [...path, name] }]
      : [],
  )
}

function isStageName(value: Json | undefined): value is StageName {
  return (STAGE_NAMES as readonly (Json | undefined)[]).includes(value)
}

/** Adds what the schema cannot see. */
export function checkStages(stages: readonly WrittenStage[], tree: YamlTree, problems: ProblemList): void {
  const places = new Map<string, StageName>()
  const seen = new Set<StageName>()
  for (const { name, settings, path } of stages) {
    if (seen.has(name)) {
      problems.add(tree.locate(path), `the stage ${name} is written twice`, { help: 'remove one of them' })
      continue
    }
    seen.add(name)
    checkLength(settings['stable_for'], [...path, 'stable_for'], tree, problems)
    const { s3, path: folder } = settings
    if (s3 !== undefined && folder !== undefined)
      problems.add(
        tree.locateKey(path, 'path'),
        'a stage lies in a folder or in a bucket: "s3" is said, too',
        {
          help: 'remove one of them',
        },
      )
    for (const key of ['endpoint', 'region'])
      if (settings[key] !== undefined && s3 === undefined)
        problems.add(tree.locateKey(path, key), `"${key}" stands beside "s3"`, {
          help: 'add s3: s3://bucket/prefix, or remove it',
        })
    const place = typeof s3 === 'string' ? s3 : typeof folder === 'string' ? folder : undefined
    if (place === undefined) continue
    const other = places.get(place.replace(/\/+$/, ''))
    if (other !== undefined)
      problems.add(
        tree.locate([...path, s3 === undefined ? 'path' : 's3']),
        `the stages ${other} and ${name} lie at the same place: ${place}`,
        { help: 'give each a place of its own' },
      )
    places.set(place.replace(/\/+$/, ''), name)
  }
}

/** Stages in which nothing is wrong, in their normal form. */
export function compileStages(
  stages: readonly WrittenStage[],
  dagName: string,
): readonly (Stage | InputStage)[] {
  return stages.map(({ name, settings }): Stage | InputStage => {
    const location = locationOf(settings, `stages/${dagName}/${name}`)
    if (name !== 'external_input_files') return { name, location }
    const { pattern, order, max_files: maxFiles, stable_for: stableFor } = settings
    return {
      name,
      location,
      ...(typeof pattern === 'string' && { pattern }),
      order: (order as FileOrder | undefined) ?? STAGE_DEFAULTS.order,
      maxFiles: typeof maxFiles === 'number' ? maxFiles : STAGE_DEFAULTS.maxFiles,
      stableForMs: parseDuration(typeof stableFor === 'string' ? stableFor : STAGE_DEFAULTS.stableFor),
    }
  })
}

function locationOf(settings: JsonObject, fallback: string): StageLocation {
  const { path, s3, endpoint, region } = settings
  if (typeof s3 !== 'string') return { kind: 'directory', path: typeof path === 'string' ? path : fallback }
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]+)\/*(.*)$/.exec(s3) ?? []
  return {
    kind: 's3',
    bucket,
    prefix: rest === '' || rest.endsWith('/') ? rest : `${rest}/`,
    ...(typeof endpoint === 'string' && { endpoint }),
    ...(typeof region === 'string' && { region }),
  }
}

/** The stage whose new files are handed to runs. */
export function inputStageOf(stages: readonly (Stage | InputStage)[]): InputStage | undefined {
  return stages.find((stage): stage is InputStage => stage.name === 'external_input_files')
}

/** A folder's path, or the URI of a prefix. */
export function placeOfStage({ location }: Stage): string {
  return location.kind === 'directory' ? location.path : `s3://${location.bucket}/${location.prefix}`
}

/** The other way: what `compileStages` makes the same of. */
export function authorStages(stages: readonly (Stage | InputStage)[]): JsonObject {
  return Object.fromEntries(
    stages.map((stage): [string, JsonObject] => {
      const { location } = stage
      const settings: JsonObject =
        location.kind === 'directory' ? { path: location.path } : { s3: placeOfStage(stage) }
      if (location.kind === 's3') {
        if (location.endpoint !== undefined) settings['endpoint'] = location.endpoint
        if (location.region !== undefined) settings['region'] = location.region
      }
      if (!('order' in stage)) return [stage.name, settings]
      const { pattern, order, maxFiles, stableForMs } = stage
      return [
        stage.name,
        {
          ...settings,
          ...(pattern !== undefined && { pattern }),
          order,
          max_files: maxFiles,
          stable_for: formatDuration(stableForMs),
        },
      ]
    }),
  )
}
