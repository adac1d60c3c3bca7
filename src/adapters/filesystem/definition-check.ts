// A survey's files, read → checked as one set. The one way of checking, whichever process it runs in.
//
// Boundary: what the files mean is definition/'s; here it is only said where a named DAG lies.

import { resolve } from 'node:path'
import { CheckedFiles, type DagLookup, loadDefinitions } from '../../definition/load-definitions.ts'
import type { LoadResult } from '../../ports/definition-source.ts'
import { isWithin } from './definition-files.ts'
import { findDagFile, type Survey, type SurveyedFiles } from './definition-survey.ts'

export { CheckedFiles }

export interface CheckedSurvey {
  readonly result: LoadResult
  /** DAG files outside the surveyed folders: the path that a schedule names → what was found there. */
  readonly far: ReadonlyMap<string, DagLookup>
}

/**
 * Checks everything. Never throws for what files say.
 * @param kept  what an earlier check left; it is brought up to date
 * @param checking  told the name of each file before it is checked
 */
export async function checkSurvey(
  survey: Survey,
  files: SurveyedFiles,
  kept?: CheckedFiles,
  checking?: (file: string) => void,
): Promise<CheckedSurvey> {
  const { ground, folders, workflows, problems } = survey
  const far = new Map<string, DagLookup>()
  const findDag = async (path: string): Promise<DagLookup> => {
    const absolute = resolve(ground.root, path)
    const found = await findDagFile(ground, path, files.dagFiles)
    if (!folders.some(folder => isWithin(absolute, folder))) far.set(path, found)
    return found
  }
  const inputs = { ...files, workflows, problems, findDag, ...(checking && { checking }) }
  return { result: await loadDefinitions(inputs, kept), far }
}
