// What there is to load: the files of the definition folders with their sizes, and the workflows. Nothing is opened
// here, and the survey is plain data, so that whoever reads the files may be another process.
//
//   1. Every *.yaml and *.yml below the folders is listed, in sorted order, on every load; of calendars, *.ics too.
//   2. A folder that is not there is empty, unless someone named it (`scheduleDirsAreNamed`): then it is a problem.

import { stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { WRAPPER_WORKFLOWS } from '../../core/dag/manifest.ts'
import { findNearest } from '../../core/nearest.ts'
import type { DagLookup, InputFile, VarsInputs } from '../../definition/load-definitions.ts'
import { makeFileProblem } from '../../definition/problem.ts'
import type { DefinitionProblem } from '../../ports/definition-source.ts'
import {
  displayPath,
  type Ground,
  isWithin,
  listFiles,
  openGround,
  readDefinitionFile,
} from './definition-files.ts'

/** What this system can run without any file. */
export const BUILT_IN_WORKFLOWS: readonly string[] = ['shell', 'http']

/** Names that no file can take. */
const TAKEN_NAMES: readonly string[] = [...BUILT_IN_WORKFLOWS, ...Object.values(WRAPPER_WORKFLOWS)]

/** The folders to look at; every path is absolute. */
export interface Folders {
  readonly root: string
  readonly scheduleDirs: readonly string[]
  readonly scheduleDirsAreNamed: boolean
  readonly dagsDir: string
  readonly calendarsDir: string
  readonly poolsFile: string
  readonly notificationsFile: string
  readonly varsDir: string
  /** Whose vars are filled into manifests. */
  readonly environment: string
  readonly workflowsDir: string
}

/** A file to be read, and the folder it was found in; both absolute. */
export interface FoundFile {
  readonly path: string
  readonly folder: string
}

export interface Survey {
  readonly ground: Ground
  /** Folders whose files are found without being named. */
  readonly folders: readonly string[]
  readonly scheduleFiles: readonly FoundFile[]
  readonly dagFiles: readonly FoundFile[]
  readonly calendarFiles: readonly FoundFile[]
  readonly icsFiles: readonly FoundFile[]
  /** The file of pools, if it is there. */
  readonly poolFiles: readonly FoundFile[]
  /** The file of channels, if it is there. */
  readonly channelFiles: readonly FoundFile[]
  readonly vars: SurveyedVars
  /** Sizes of all of them together. */
  readonly bytes: number
  readonly workflows: readonly string[]
  readonly problems: readonly DefinitionProblem[]
}

/** Lists what there is. Throws nothing: what is wrong is among the problems. */
export async function surveyFolders(folders: Folders): Promise<Survey> {
  const ground = await openGround(folders.root)
  const problems: DefinitionProblem[] = []
  let bytes = 0
  const find = async (folder: string, mustExist: boolean, wants = isYaml): Promise<FoundFile[]> => {
    const listing = await listFiles(ground, folder, wants, { mustExist })
    problems.push(...listing.problems)
    bytes += listing.bytes
    return listing.files.map(path => ({ path, folder }))
  }
  const scheduleFiles: FoundFile[] = []
  for (const folder of folders.scheduleDirs)
    for (const file of await find(folder, folders.scheduleDirsAreNamed)) scheduleFiles.push(file)
  const dagFiles = await find(folders.dagsDir, false)
  const ofCalendars = await find(folders.calendarsDir, false, name => isYaml(name) || isIcs(name))
  /** A file of its own, which need not be there. */
  const findSingle = async (path: string): Promise<FoundFile[]> => {
    const found = await stat(path).catch(() => undefined)
    bytes += found?.size ?? 0
    return found === undefined ? [] : [{ path, folder: dirname(path) }]
  }
  const poolFiles = await findSingle(folders.poolsFile)
  const channelFiles = await findSingle(folders.notificationsFile)
  const vars = await surveyVars(ground, folders)
  problems.push(...vars.problems)
  bytes += vars.bytes
  const workflows = await listWorkflows(ground, folders.workflowsDir, problems)
  return {
    ground,
    folders: [...folders.scheduleDirs, folders.dagsDir, folders.calendarsDir],
    scheduleFiles,
    dagFiles,
    calendarFiles: ofCalendars.filter(({ path }) => isYaml(path)),
    icsFiles: ofCalendars.filter(({ path }) => isIcs(path)),
    poolFiles,
    channelFiles,
    vars: vars.found,
    bytes,
    workflows,
    problems,
  }
}

/** Vars as they are found: the files directly in their folder, one for each environment. */
export interface SurveyedVars {
  readonly environment: string
  /** As people see it. */
  readonly folder: string
  readonly files: readonly FoundFile[]
}

/** Lists the files of vars. Throws nothing. */
export async function surveyVars(
  ground: Ground,
  { varsDir, environment }: Pick<Folders, 'varsDir' | 'environment'>,
): Promise<{ found: SurveyedVars; bytes: number; problems: readonly DefinitionProblem[] }> {
  const { files: paths, bytes, problems } = await listFiles(ground, varsDir, isYaml)
  const files = paths.filter(path => dirname(path) === varsDir).map(path => ({ path, folder: varsDir }))
  return { found: { environment, folder: displayPath(ground, varsDir), files }, bytes, problems }
}

/** The files of a survey with their bytes. */
export interface SurveyedFiles {
  readonly scheduleFiles: readonly InputFile[]
  readonly dagFiles: readonly InputFile[]
  readonly calendarFiles: readonly InputFile[]
  readonly icsFiles: readonly InputFile[]
  readonly poolFiles: readonly InputFile[]
  readonly channelFiles: readonly InputFile[]
  readonly vars: VarsInputs
}

/** Reads all files of a survey. Throws nothing. */
export async function readSurvey(survey: Survey): Promise<SurveyedFiles> {
  const { ground } = survey
  return {
    scheduleFiles: await readFoundFiles(ground, survey.scheduleFiles),
    dagFiles: await readFoundFiles(ground, survey.dagFiles),
    calendarFiles: await readFoundFiles(ground, survey.calendarFiles),
    icsFiles: await readFoundFiles(ground, survey.icsFiles),
    poolFiles: await readFoundFiles(ground, survey.poolFiles),
    channelFiles: await readFoundFiles(ground, survey.channelFiles),
    vars: await readVars(ground, survey.vars),
  }
}

/** Throws nothing. */
export async function readVars(ground: Ground, vars: SurveyedVars): Promise<VarsInputs> {
  return { ...vars, files: await readFoundFiles(ground, vars.files) }
}

/** Reads files of a survey, in order. Throws nothing. */
export async function readFoundFiles(ground: Ground, files: readonly FoundFile[]): Promise<InputFile[]> {
  const read: InputFile[] = []
  for (const { path, folder } of files) read.push(await readDefinitionFile(ground, path, folder))
  return read
}

/** Follows a path that a schedule names. Throws nothing. */
export async function findDagFile(
  ground: Ground,
  path: string,
  dagFiles: readonly InputFile[],
): Promise<DagLookup> {
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

/** Built-ins, then the files directly in the workflows folder. */
export async function listWorkflows(
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
    if (TAKEN_NAMES.includes(name))
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

function isYaml(name: string): boolean {
  return /\.ya?ml$/i.test(name)
}

function isIcs(name: string): boolean {
  return /\.ics$/i.test(name)
}

/** `sweep.ts` is the workflow `sweep`; tests and type declarations are none. */
function isWorkflowFile(name: string): boolean {
  return /\.(?:ts|js|mts|mjs)$/.test(name) && !/\.(?:d|test|spec)\.[a-z]+$/.test(name)
}
