// One hash over everything that a load depends on: if it is as before, so is the result, and nothing need be parsed.

import { createHash } from 'node:crypto'
import type { DagLookup, InputFile } from '../../definition/load-definitions.ts'
import type { Survey, SurveyedFiles } from './definition-survey.ts'

/** SHA-256, hex. `far` are the DAG files outside the folders, by the path that names them. */
export function fingerprintOf(
  { workflows, problems }: Survey,
  { scheduleFiles, dagFiles, calendarFiles, icsFiles, poolFiles, channelFiles, vars }: SurveyedFiles,
  far: ReadonlyMap<string, DagLookup>,
): string {
  const hash = createHash('sha256')
  /** Each part with its length: two lists that differ never read the same. */
  const add = (part: string | Uint8Array) => {
    hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.length}:`).update(part)
  }
  const addFile = ({ file, key, content }: InputFile) => {
    add(file)
    add(key)
    add('bytes' in content ? content.bytes : JSON.stringify(content.problem))
  }
  const lists = [scheduleFiles, dagFiles, calendarFiles, icsFiles, poolFiles, channelFiles, vars.files]
  add(
    JSON.stringify([
      workflows,
      problems,
      vars.environment,
      vars.folder,
      lists.map(list => list.length),
      far.size,
    ]),
  )
  for (const file of lists.flat()) addFile(file)
  for (const path of [...far.keys()].sort()) {
    const found = far.get(path)!
    add(path)
    if ('refused' in found) add(JSON.stringify(found))
    else addFile(found)
  }
  return hash.digest('hex')
}
