// A process of its own that takes and lets go of locks as it is told over IPC. Started by lock.test.ts.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { acquireLock, LockHeldError, readHolder } from '../../src/adapters/sqlite/lock.ts'
import type { Lock } from '../../src/ports/lock.ts'

export type LockRequest =
  | { do: 'acquire'; directory: string; waitMs: number }
  | { do: 'isHeld' | 'release' }
  | { do: 'readHolder' | 'openAndCloseByFs'; directory: string }

export interface LockReply {
  ok: boolean
  code?: string
  message?: string
  held?: boolean
  alive?: boolean
  holderPid?: number
}

let lock: Lock | undefined

async function answer(request: LockRequest): Promise<LockReply> {
  switch (request.do) {
    case 'acquire':
      try {
        lock = await acquireLock({ directory: request.directory, waitMs: request.waitMs, holder: facts() })
        return { ok: true }
      } catch (error) {
        if (!(error instanceof LockHeldError)) throw error
        return { ok: false, code: error.code, message: error.message, holderPid: error.holder?.pid }
      }
    case 'isHeld':
      return { ok: true, held: lock?.isHeld() ?? false }
    case 'release':
      lock?.release()
      return { ok: true }
    case 'readHolder': {
      const { alive, holder } = readHolder(request.directory)
      return { ok: true, alive, holderPid: holder?.pid }
    }
    case 'openAndCloseByFs':
      readFileSync(join(request.directory, 'lock.db'))
      return { ok: true }
  }
}

function facts() {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  return {
    pid: process.pid,
    host: hostname(),
    boot_id: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    start_ticks: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]),
    started_at: new Date().toISOString(),
    version: '0.0.0-test',
    mode: 'serve',
  }
}

process.on('message', (request: LockRequest) => {
  answer(request).then(
    reply => process.send?.(reply),
    error => process.send?.({ ok: false, code: 'THREW', message: String(error) } satisfies LockReply),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ok: true } satisfies LockReply)
