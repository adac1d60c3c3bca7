// Is a file there, large and new enough? A folder counts as a file that is there.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fillMarks } from '../../core/condition/occasion.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { type Asker, describeFailure } from './asker.ts'

/** What these mean is that there is no such file; every other failure is that nobody knows. */
const MISSING = new Set(['ENOENT', 'ENOTDIR'])

export function createFileAsker({ root, now }: { root: string; now(): Instant }): Asker<'file'> {
  return async ({ path: text, minBytes = 0, maxAgeMs }, occasion) => {
    const path = fillMarks(text, occasion)
    try {
      const { size, mtimeMs } = await stat(resolve(root, path))
      const modified = Math.floor(mtimeMs)
      const isNewEnough = maxAgeMs === undefined || now() - modified <= maxAgeMs
      return {
        holds: size >= minBytes && isNewEnough,
        saw: { path, bytes: size, modified_at: formatInstant(modified) },
      }
    } catch (error) {
      if (MISSING.has((error as NodeJS.ErrnoException).code ?? ''))
        return { holds: false, saw: { path, missing: true } }
      return { error: `the file cannot be looked at: ${describeFailure(error)}` }
    }
  }
}
