// Definitions from folders: ports/definition-source.ts on files. What files mean is definition/'s; how to watch is
// given (adapters do not import each other).
//
//   1. Small sets are checked in this process, and what was parsed is kept, so that a reload costs what changed. Large
//      ones are checked in a process that ends with the load: nothing of the parsing stays here, and nothing waits for
//      it. Both give the same result.
//   2. DAG files outside `dagsDir` are read when a schedule names them, and watched from then on.

import { dirname, resolve } from 'node:path'
import type { CheckedFiles } from '../../definition/load-definitions.ts'
import type {
  DefinitionProblem,
  DefinitionSource,
  Definitions,
  LoadResult,
} from '../../ports/definition-source.ts'
import type { Watch, WatchedPaths } from '../../ports/path-watch.ts'
import { loadInProcess } from './definition-checker.ts'
import { openGround, readDefinitionFile } from './definition-files.ts'
import type { KnownLoad } from './definition-handover.ts'
import {
  type Folders,
  listWorkflows,
  readSurvey,
  readVars,
  type Survey,
  surveyFolders,
  surveyVars,
} from './definition-survey.ts'

export interface DefinitionFolders {
  /** What relative paths stand in. Default: the working directory. */
  readonly root: string
  readonly scheduleDirs: readonly string[]
  /** True if the folders come from a flag or a setting, not from the default: then they must exist. */
  readonly scheduleDirsAreNamed?: boolean
  readonly dagsDir: string
  readonly calendarsDir: string
  /** One file, which need not be there. Default: configs/pools.yaml. */
  readonly poolsFile?: string
  /** One file, which need not be there. Default: configs/notifications.yaml. */
  readonly notificationsFile?: string
  readonly workflowsDir: string
  /** Default: configs/vars. */
  readonly varsDir?: string
  /** Default: default. */
  readonly environment?: string
}

/** The folders of DESIGN §2. */
export const DEFAULT_FOLDERS = {
  scheduleDirs: ['configs/schedules'],
  dagsDir: 'configs/dags',
  calendarsDir: 'configs/calendars',
  poolsFile: 'configs/pools.yaml',
  notificationsFile: 'configs/notifications.yaml',
  workflowsDir: 'workflows',
  varsDir: 'configs/vars',
  environment: 'default',
} as const

export interface DefinitionSourceOptions {
  /** So many bytes of files or more are checked in a process of their own. */
  readonly processFromBytes?: number
  /** Heap of that process, MiB. */
  readonly heapLimitMb?: number
  /** What that process runs; for tests of its faults. */
  readonly checkerEntry?: URL
}

/** Some 2,400 schedules: they take 0.2 s, in turns of a few ms, which is about what a process takes to start. */
const PROCESS_FROM_BYTES = 128 * 1024
/** Twice what the worst file of 1 MiB that we know needs. */
const HEAP_LIMIT_MB = 1_024

/** A source that can be closed: a load that is under way then is called off, as are later ones (SCHEDULER_STOPPED). */
export type ClosableSource = DefinitionSource & { close(): Promise<void> }

export function resolveFolders(given: DefinitionFolders): Folders {
  const root = resolve(given.root)
  return {
    root,
    scheduleDirs: given.scheduleDirs.map(folder => resolve(root, folder)),
    scheduleDirsAreNamed: given.scheduleDirsAreNamed === true,
    dagsDir: resolve(root, given.dagsDir),
    calendarsDir: resolve(root, given.calendarsDir),
    poolsFile: resolve(root, given.poolsFile ?? DEFAULT_FOLDERS.poolsFile),
    notificationsFile: resolve(root, given.notificationsFile ?? DEFAULT_FOLDERS.notificationsFile),
    workflowsDir: resolve(root, given.workflowsDir),
    varsDir: resolve(root, given.varsDir ?? DEFAULT_FOLDERS.varsDir),
    environment: given.environment ?? DEFAULT_FOLDERS.environment,
  }
}

/** A definition source on folders. Throws nothing: what is wrong with files is in the results. */
export function createDefinitionSource(
  given: DefinitionFolders,
  watch: Watch,
  options: DefinitionSourceOptions = {},
): ClosableSource {
  const { processFromBytes = PROCESS_FROM_BYTES, heapLimitMb = HEAP_LIMIT_MB, checkerEntry } = options
  const folders = resolveFolders(given)
  const { root } = folders
  /** Of a small set: what was parsed. */
  let kept: CheckedFiles | undefined
  /** Of a large set: the last good load. */
  let last: { result: LoadResult; definitions: Definitions; known: KnownLoad } | undefined
  /** Named DAG files outside the folders that are watched as a whole. */
  let farFiles = new Set<string>()
  const watches = new Set<WatchedPaths>()
  let loading: Promise<unknown> = Promise.resolve()
  const closing = new AbortController()

  async function loadAll(): Promise<LoadResult> {
    const survey = await surveyFolders(folders)
    return survey.bytes >= processFromBytes ? loadLarge(survey) : loadSmall(survey)
  }

  async function loadSmall(survey: Survey): Promise<LoadResult> {
    last = undefined
    const files = await readSurvey(survey)
    // Loaded when needed: a scheduler of a large set never reads YAML itself.
    const { checkSurvey, CheckedFiles } = await import('./definition-check.ts')
    kept ??= new CheckedFiles()
    const { result, far } = await checkSurvey(survey, files, kept)
    watchFar([...far.keys()])
    return result
  }

  async function loadLarge(survey: Survey): Promise<LoadResult> {
    kept = undefined
    const load = await loadInProcess(survey, {
      heapLimitMb,
      signal: closing.signal,
      last,
      entry: checkerEntry,
    })
    if (load === 'unchanged') {
      watchFar(last!.known.far)
      return last!.result
    }
    const { result, known } = load
    if (known !== undefined) watchFar(known.far)
    if (result.ok && known !== undefined) last = { result, definitions: result.definitions, known }
    return result
  }

  function watchFar(named: readonly string[]): void {
    const far = new Set(named.map(path => resolve(root, path)))
    const added = [...far].filter(path => !farFiles.has(path))
    farFiles = far
    if (added.length > 0) for (const watched of watches) watched.add(added)
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
      const workflows = await listWorkflows(ground, folders.workflowsDir, problems)
      const { loadOneDag } = await import('../../definition/load-definitions.ts')
      const { found, problems: ofVars } = await surveyVars(ground, folders)
      problems.push(...ofVars)
      // Whoever names one file on the command line has chosen its folder, too.
      const input = await readDefinitionFile(ground, path, dirname(path))
      return loadOneDag(input, workflows, await readVars(ground, found))
    },

    async watch(changed) {
      const watched = await watch(
        [
          ...folders.scheduleDirs,
          folders.dagsDir,
          folders.calendarsDir,
          folders.poolsFile,
          folders.notificationsFile,
          folders.varsDir,
          folders.workflowsDir,
          ...farFiles,
        ],
        changed,
      )
      watches.add(watched)
      return async () => {
        watches.delete(watched)
        await watched.close()
      }
    },

    async close() {
      closing.abort()
      await loading
    },
  }
}
