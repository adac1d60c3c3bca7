// A process that makes or catches up a run index. Started by damage.test.ts:
//   node run-index-process.ts <file> <runs>      says "ready", waits for a message, answers with what it did

import { createHash } from 'node:crypto'
import { ensureRunIndex } from '../../src/adapters/sqlite/catch-up.ts'
import { writeHistory } from '../contract/run-index-history.ts'

export interface IndexReply {
  rebuilt: boolean
  sha256: string
  /** Code of the error it ended with. */
  error?: string
}

const [file, runs] = process.argv.slice(2) as [string, string]
const history = writeHistory(Number(runs))
process.once('message', () => {
  ensureRunIndex({
    file,
    journalId: 'j1',
    busyTimeoutMs: 10_000,
    readEvents: ({ afterSeq }) => history.slice(afterSeq),
  })
    .then(({ index, rebuilt }): IndexReply => {
      const sha256 = createHash('sha256').update(index.dump()).digest('hex')
      index.close()
      return { rebuilt: rebuilt !== undefined, sha256 }
    })
    .catch((error): IndexReply => ({ rebuilt: false, sha256: '', error: error.code ?? String(error) }))
    .then(reply => process.send?.(reply, () => process.disconnect()))
})
process.send?.('ready')
