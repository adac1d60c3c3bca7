// Definitions from folders: ports/definition-source.ts on files. What files mean is definition/'s; how to watch is
// given (adapters do not import each other).
//
//   1. Every *.yaml and *.yml below the folders is read, in sorted order, on every load.
//   2. A folder that is not there is empty, unless someone named it (`scheduleDirsAreNamed`): then it is an error.
//   3. DAG files outside `dagsDir` are read when a schedule names them, and watched from then on.

import { stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { findNearest } from '../../core/nearest.ts'
import {
  CheckedFiles,
  type DagLookup,
  type InputFile,
  loadDefinitions,
  loadOneDag,
} from '../../definition/load-definitions.ts'
import { makeFileProblem } from '../../definition/problem.ts'
import type { DefinitionProblem, DefinitionSource, LoadResult } from '../../ports/definition-source.ts'
import {
  displayPath,
  type Ground,
  isWithin,
  listFiles,
  openGround,
  readDefinitionFile,
} from './definition-files.ts'

/** Watches paths that may not exist yet. */
export type Watch = (paths: readonly string[], changed: () => void) => Promise<WatchedPaths>

export interface WatchedPaths {
  add(paths: readonly string[]): void
  close(): Promise<void>
}

export interface DefinitionFolders {
  /** What relative paths stand in. Default: the working directory. */
  readonly root: string
  readonly scheduleDirs: readonly string[]
  /** True if the folders come from a flag or a setting, not from the default: then they must exist. */
  readonly scheduleDirsAreNamed?: boolean
  readonly dagsDir: string
  readonly workflowsDir: string
}

/** What this system can run without any file. */
export const BUILT_IN_WORKFLOWS: readonly string[] = ['shell', 'http']

/** The folders of DESIGN §2. */
export const DEFAULT_FOLDERS = {
  scheduleDirs: ['configs/schedules'],
  dagsDir: 'configs/dags',
  workflowsDir: 'workflows',
} as const

/** A definition source on folders. Throws nothing: what is wrong with files is in the results. */
export function createDefinitionSource(folders: DefinitionFolders, watch: Watch): DefinitionSource {
  const kept = new CheckedFiles()
  const root = resolve(folders.root)
  const scheduleDirs = folders.scheduleDirs.map(folder => resolve(root, folder))
  const dagsDir = resolve(root, folders.dagsDir)
  const workflowsDir = resolve(root, folders.workflowsDir)
  /** Named DAG files outside the folders that are watched as a whole. */
  let farFiles = new Set<string>()
  const watches = new Set<WatchedPaths>()
  let loading: Promise<unknown> = Promise.resolve()

  async function loadAll(): Promise<LoadResult> {
    const ground = await openGround(root)
    const problems: DefinitionProblem[] = []
    const read = async (folder: string, mustExist: boolean): Promise<InputFile[]> => {
      const listing = await listFiles(ground, folder, isYaml, { mustExist })
      problems.push(...listing.problems)
      const files: InputFile[] = []
      for (const path of listing.files) files.push(await readDefinitionFile(ground, path, folder))
      return files
    }
    const scheduleFiles: InputFile[] = []
    for (const folder of scheduleDirs) {
      scheduleFiles.push(...(await read(folder, folders.scheduleDirsAreNamed === true)))
    }
    const dagFiles = await read(dagsDir, false)
    const workflows = await listWorkflows(ground, workflowsDir, problems)
    const far = new Set<string>()
    const findDag = async (path: string): Promise<DagLookup> => {
      const absolute = resolve(root, path)
      if (![...scheduleDirs, dagsDir].some(folder => isWithin(absolute, folder))) far.add(absolute)
      return findDagFile(ground, path, dagFiles)
    }
    const result = await loadDefinitions({ scheduleFiles, dagFiles, workflows, problems, findDag }, kept)
    const newFar = [...far].filter(path => !farFiles.has(path))
    farFiles = far
    if (newFar.length > 0) for (const watched of watches) watched.add(newFar)
    return result
  }

  return {
    load() {
      // One at a time: two loads at once would fight over what is kept.
      const result = loading.then(loadAll)
      loading = result.catch(() => undefined)
      return result
    },

    async loadDag(file) {
      const ground = await openGround(root)
      const path = resolve(root, file)
      const problems: DefinitionProblem[] = []
      const workflows = await listWorkflows(ground, workflowsDir, problems)
      // Whoever names one file on the command line has chosen its folder, too.
      return loadOneDag(await readDefinitionFile(ground, path, dirname(path)), workflows)
    },

    async watch(changed) {
      const watched = await watch([...scheduleDirs, dagsDir, workflowsDir, ...farFiles], changed)
      watches.add(watched)
      return async () => {
        watches.delete(watched)
        await watched.close()
      }
    },
  }
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/i.test(name)
}

/** `sweep.ts` is the workflow `sweep`; tests and type declarations are none. */
function isWorkflowFile(name: string): boolean {
  return /\.(?:ts|js|mts|mjs)$/.test(name) && !/\.(?:d|test|spec)\.[a-z]+$/.test(name)
}

/** Built-ins, then the files directly in the workflows folder. */
async function listWorkflows(
  ground: Ground,
  folder: string,
  problems: DefinitionProblem[],
): Promise<string[]> {
  const listing = await listFiles(ground, folder, isWorkflowFile)
  problems.push(...listing.problems)
  const fileByName = new Map<string, string>()
  for (const path of listing.files) {
    if (dirname(path) !== folder) continue
    const name = basename(path).replace(/\.[^.]+$/, '')
    const file = displayPath(ground, path)
    const first = fileByName.get(name)
    if (BUILT_IN_WORKFLOWS.includes(name))
      problems.push(
        makeFileProblem(file, `the workflow "${name}" is built in: this file is never used`, {
          severity: 'warning',
          help: 'give the file another name',
        }),
      )
    else if (first !== undefined)
      problems.push(
        makeFileProblem(file, `the workflow "${name}" has two files, the other one is ${first}`, {
          help: 'rename or remove one of them',
        }),
      )
    else fileByName.set(name, file)
  }
  return [...BUILT_IN_WORKFLOWS, ...fileByName.keys()]
}

async function findDagFile(ground: Ground, path: string, dagFiles: readonly InputFile[]): Promise<DagLookup> {
  const absolute = resolve(ground.root, path)
  if (isAbsolute(path) || !isWithin(absolute, ground.root))
    return {
      refused: 'expected a path inside the root folder',
      help: 'write the path relative to the root, for example configs/dags/nightly.yaml',
    }
  const found = await stat(absolute).catch(() => undefined)
  if (!found) {
    const names = dagFiles.map(file => file.file)
    const near =
      findNearest(path, names.slice(0, 2_000)) ?? names.find(name => basename(name) === basename(path))
    return {
      refused: 'no such file',
      help: near === undefined ? `create ${path}, or name a DAG of configs/dags` : `did you mean "${near}"?`,
    }
  }
  if (!isYaml(path)) return { refused: 'expected a .yaml or .yml file', help: 'rename the file' }
  if (found.isDirectory()) return { refused: 'expected a file, got a folder', help: `name a file in ${path}` }
  return readDefinitionFile(ground, absolute, ground.root)
}
