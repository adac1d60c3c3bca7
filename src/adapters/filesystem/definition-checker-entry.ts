// The other end of definition-checker.ts: reads and checks the files of a survey in a process of its own, hands the
// result over slice by slice, and ends. What parsing left behind ends with it.
//
//   1. It ends at once when the other end is gone.

import type { DagLookup } from '../../definition/load-definitions.ts'
import type { CheckerAnswer, CheckerRequest } from './definition-checker.ts'
import { fingerprintOf } from './definition-fingerprint.ts'
import { type KnownLoad, sliceResult } from './definition-handover.ts'
import { findDagFile, readSurvey, type Survey, type SurveyedFiles } from './definition-survey.ts'

process.once('disconnect', () => process.exit())
process.once('message', (request: CheckerRequest) => {
  check(request)
    .catch(error => send({ type: 'failed', reason: error instanceof Error ? error.message : String(error) }))
    .then(() => process.disconnect())
})

async function check({ survey, known }: CheckerRequest): Promise<void> {
  const files = await readSurvey(survey)
  if (known !== undefined && (await isUnchanged(known, survey, files))) return send({ type: 'unchanged' })
  // Only now: what reads YAML is most of what this process has to load.
  const { checkSurvey } = await import('./definition-check.ts')
  const checking = (file: string) => void send({ type: 'checking', file })
  const { result, far } = await checkSurvey(survey, files, undefined, checking)
  const load = { fingerprint: fingerprintOf(survey, files, far), far: [...far.keys()] }
  for (const message of sliceResult(result, load)) {
    const taken = new Promise(resolve => process.once('message', resolve))
    await send(message)
    await taken
  }
}

async function isUnchanged(
  { fingerprint, far }: KnownLoad,
  survey: Survey,
  files: SurveyedFiles,
): Promise<boolean> {
  const found = new Map<string, DagLookup>()
  for (const path of far) found.set(path, await findDagFile(survey.ground, path, files.dagFiles))
  return fingerprintOf(survey, files, found) === fingerprint
}

/** Resolves when it is on its way: what is sent before a `disconnect` arrives. */
function send(answer: CheckerAnswer): Promise<void> {
  // A failure means that nobody listens any more: `disconnect` ends this process.
  return new Promise(resolve => process.send!(answer, () => resolve()))
}
