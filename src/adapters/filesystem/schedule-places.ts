// Where each schedule stands in its file: for what is said about a set of good definitions. The scheduler itself does
// not keep places; this reads the files once more.

import { checkScheduleFile } from '../../definition/schedule-file.ts'
import { decodeText, SourceText } from '../../definition/source-text.ts'
import { type Folders, readFoundFiles, surveyFolders } from './definition-survey.ts'

export interface SchedulePlace {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

/** The place of each schedule's id; of an id that stands twice, the first. Files that cannot be read are left out. */
export async function findSchedulePlaces(folders: Folders): Promise<Map<string, SchedulePlace>> {
  const { ground, scheduleFiles } = await surveyFolders(folders)
  const places = new Map<string, SchedulePlace>()
  for (const { file, content } of await readFoundFiles(ground, scheduleFiles)) {
    const decoded = 'bytes' in content ? decodeText(content.bytes) : undefined
    if (decoded === undefined || !('text' in decoded)) continue
    const { source, schedules } = await checkScheduleFile(new SourceText(file, decoded.text))
    for (const { id, idPlace } of schedules) {
      if (id !== undefined && !places.has(id)) places.set(id, { file, ...source.positionAt(idPlace.start) })
    }
  }
  return places
}
