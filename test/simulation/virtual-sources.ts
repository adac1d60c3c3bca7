// The places from which DAGs of the simulation take files and records: a function of the seed, the DAG and the time, which only
// goes forward. Files come, are written anew, go and come again, each time in a version that never was; streams grow.

import type { Taken } from '../../src/core/run/taken.ts'
import type { FileRef } from '../../src/core/stage/stage.ts'
import type { AttemptSpec } from '../../src/ports/executor.ts'
import { type Chance, hashText } from './chance.ts'

const STAGE = 'external_input_files'
const STREAM = 'orders'
const KEYS = 6
const RECORD_EVERY_MS = 70_000

export class VirtualSources {
  readonly #seed: number
  readonly #now: () => number
  #frozenAt: number | undefined

  constructor(seed: number, now: () => number) {
    this.#seed = seed
    this.#now = now
  }

  /** Nothing comes any more. */
  freeze(): void {
    this.#frozenAt ??= this.#now()
  }

  filesOf(dagName: string): FileRef[] {
    const files: FileRef[] = []
    for (let index = 0; index < KEYS; index++) {
      const key = `in/f${index}`
      const every = 15_000 * (1 + (hashText(`${this.#seed} ${dagName} ${key}`) % 60))
      const version = Math.floor(this.#time / every)
      if (hashText(`${this.#seed} ${dagName} ${key} ${version}`) % 4 > 0)
        files.push({ key, version: `v${version}` })
    }
    return files
  }

  recordsOf(_dagName: string): number {
    return Math.floor(this.#time / RECORD_EVERY_MS)
  }

  get #time(): number {
    return this.#frozenAt ?? this.#now()
  }

  /** What a poll finds. */
  poll({ dagName, tracking }: AttemptSpec, chance: Chance): Taken {
    const { isCandidate, consumedKeys } = tracking!(STAGE)
    const listed = this.filesOf(dagName)
    const fresh = listed.filter(({ key, version }) => isCandidate(key, version))
    const files = this.#frozenAt === undefined ? fresh.slice(0, chance.between(1, 4)) : fresh
    const there = new Set(listed.map(({ key }) => key))
    return { kind: 'files', stage: STAGE, files, gone: [...consumedKeys()].filter(key => !there.has(key)) }
  }

  /** What a stream gives. */
  consume({ dagName, position }: AttemptSpec, chance: Chance): Taken {
    const from = position!(STREAM)
    const offset = (from?.['offset'] as number | undefined) ?? 0
    const end = this.recordsOf(dagName)
    const to = this.#frozenAt === undefined ? Math.min(end, offset + chance.between(1, 40)) : end
    const records = to - offset
    return { kind: 'records', stream: STREAM, from, to: { offset: to }, records, more: to < end }
  }
}
