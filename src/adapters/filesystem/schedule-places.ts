// Where each schedule stands in its file: for what is said about a set of good definitions. The scheduler itself does
// not keep places; this reads the files once more.

import { checkDagFile } from '../../definition/dag-file.ts'
import { checkScheduleFile, type LooseSchedule } from '../../definition/schedule-file.ts'
import { decodeText, SourceText } from '../../definition/source-text.ts'
import type { Ground } from './definition-files.ts'
import { type Folders, type FoundFile, readFoundFiles, surveyFolders } from './definition-survey.ts'

export interface SchedulePlace {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

/** The place of each schedule's id; of an id that stands twice, the first. Files that cannot be read are left out. */
export async function findSchedulePlaces(folders: Folders): Promise<Map<string, SchedulePlace>> {
  const { ground, scheduleFiles, dagFiles } = await surveyFolders(folders)
  const places = new Map<string, SchedulePlace>()
  const take = (source: SourceText, schedules: readonly LooseSchedule[]) => {
    for (const { id, idPlace } of schedules) {
      if (id === undefined || places.has(id)) continue
      places.set(id, { file: source.file, ...source.positionAt(idPlace.start) })
    }
  }
  for (const source of await readSources(ground, scheduleFiles))
    take(source, (await checkScheduleFile(source)).schedules)
  // A manifest's schedule has its place whatever its vars are.
  for (const source of await readSources(ground, dagFiles)) {
    const { schedule } = await checkDagFile(source)
    if (schedule !== undefined) take(source, [schedule])
  }
  return places
}

/** The texts of files, those that cannot be read left out. */
async function readSources(ground: Ground, files: readonly FoundFile[]): Promise<SourceText[]> {
  return (await readFoundFiles(ground, files)).flatMap(({ file, content }) => {
    const decoded = 'bytes' in content ? decodeText(content.bytes) : undefined
    return decoded !== undefined && 'text' in decoded ? [new SourceText(file, decoded.text)] : []
  })
}
