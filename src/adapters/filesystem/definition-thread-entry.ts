// The other end of definition-thread.ts: reads and checks the files of a survey in a thread of its own, hands the result
// over slice by slice, and ends. What parsing left behind ends with it.

import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { DagLookup } from '../../definition/load-definitions.ts'
import type { SurveyedFiles } from './definition-check.ts'
import { fingerprintOf } from './definition-fingerprint.ts'
import { type HandoverMessage, type KnownLoad, sliceResult } from './definition-handover.ts'
import { findDagFile, readFoundFiles } from './definition-survey.ts'
import type { ThreadTask } from './definition-thread.ts'
import { notePlace } from './thread-place.ts'

const { survey, known, place, compileCacheDir } = workerData as ThreadTask
const port = parentPort!

if (compileCacheDir !== undefined) enableCompileCache(compileCacheDir)
const files: SurveyedFiles = {
  scheduleFiles: await readFoundFiles(survey.ground, survey.scheduleFiles),
  dagFiles: await readFoundFiles(survey.ground, survey.dagFiles),
}
if (known !== undefined && (await isUnchanged(known))) {
  port.postMessage({ type: 'unchanged' } satisfies HandoverMessage)
} else {
  // Only now: reading YAML is most of what this thread has to load.
  const { checkSurvey } = await import('./definition-check.ts')
  const { result, far } = await checkSurvey(survey, files, undefined, file => notePlace(place, file))
  const load = { fingerprint: fingerprintOf(survey, files, far), far: [...far.keys()] }
  for (const message of sliceResult(result, load)) {
    const taken = new Promise(resolve => port.once('message', resolve))
    port.postMessage(message)
    await taken
  }
}
port.close()

async function isUnchanged({ fingerprint, far }: KnownLoad): Promise<boolean> {
  const found = new Map<string, DagLookup>()
  for (const path of far) found.set(path, await findDagFile(survey.ground, path, files.dagFiles))
  return fingerprintOf(survey, files, found) === fingerprint
}
