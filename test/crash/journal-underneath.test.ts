// Somebody else touches the journal while it is in use: truncates, deletes, renames, replaces or writes it, at a random
// moment, also while a batch is under way. The next batch is refused before a byte of it is written, and the restart
// afterwards keeps every acknowledged line that is still anywhere, or says that it is damaged.
//
// SEED=… repeats a run.

import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeBatch } from '../../src/adapters/jsonl/batch.ts'
import { JournalChangedError } from '../../src/ports/journal.ts'
import { JournalFolder, numbered, numbersOf } from '../support/journal-folder.ts'

const SEED = Number(process.env['SEED'] ?? 20260105)
const ROUNDS = 30

interface Harm {
  readonly name: string
  readonly message: RegExp
  run(path: string, random: () => number): void
  /** What a restart finds: everything acknowledged, a part of it, or a reason to refuse. */
  readonly after: 'all' | 'prefix' | 'refused' | 'prefix or refused'
}

const HARMS: readonly Harm[] = [
  {
    name: 'truncated',
    message: /was truncated: \d+ bytes were written, \d+ are left/,
    run: (path, random) => truncateSync(path, Math.floor(random() * statSync(path).size)),
    after: 'prefix or refused',
  },
  { name: 'emptied', message: /was truncated/, run: path => truncateSync(path), after: 'refused' },
  { name: 'deleted', message: /was deleted/, run: path => rmSync(path), after: 'refused' },
  { name: 'renamed', message: /was renamed/, run: path => renameSync(path, `${path}.1`), after: 'refused' },
  {
    name: 'rotated with create',
    message: /was replaced/,
    run: path => {
      renameSync(path, `${path}.1`)
      writeFileSync(path, '')
    },
    after: 'refused',
  },
  {
    name: 'rotated with copytruncate',
    message: /was truncated/,
    run: path => {
      copyFileSync(path, `${path}.1`)
      truncateSync(path)
    },
    after: 'refused',
  },
  {
    name: 'replaced by its copy',
    message: /was replaced/,
    run: path => {
      copyFileSync(path, `${path}.copy`)
      renameSync(`${path}.copy`, path)
    },
    after: 'all',
  },
  {
    name: 'saved by an editor with \\r\\n',
    message: /was replaced/,
    run: path => {
      writeFileSync(`${path}.swp`, readFileSync(path, 'utf8').replaceAll('\n', '\r\n'))
      renameSync(`${path}.swp`, path)
    },
    after: 'refused',
  },
  {
    name: 'appended to by a stranger',
    message: /was written by another process/,
    run: path => appendFileSync(path, 'echo hello\n'),
    after: 'all',
  },
  {
    name: 'appended to by another scheduler',
    message: /was written by another process/,
    run: path => appendFileSync(path, encodeBatch([[numbered(1)], [numbered(2)]], 1, 0).bytes),
    after: 'all',
  },
]

function makeRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('a journal that somebody else touches', () => {
  for (const [index, harm] of HARMS.entries()) {
    it(`${harm.name}: is noticed before the next batch, ${ROUNDS} times`, async () => {
      const random = makeRandom(SEED + index)
      let noticed = 0
      for (let round = 0; round < ROUNDS; round++) {
        using folder = new JournalFolder()
        const label = `SEED=${SEED} ${harm.name}, round ${round}`
        const { journal } = await folder.open()
        let n = 0
        const append = async () => {
          const from = n
          n += 1 + Math.floor(random() * 4)
          await journal.append([Array.from({ length: n - from }, (_, at) => numbered(from + at + 1))])
        }
        for (let batches = Math.floor(random() * 5); batches >= 0; batches--) await append()
        const acknowledged = n
        // Half of the times while a batch is being synced: it was checked and written before, so it may still succeed.
        const underWay = random() < 0.5 ? append() : undefined
        harm.run(folder.path, random)
        await underWay?.catch(() => {})
        const before = existsSync(folder.path) ? readFileSync(folder.path) : undefined
        const failure = await append().then(
          () => undefined,
          (error: Error) => error,
        )
        expect(failure, label).toBeInstanceOf(JournalChangedError)
        expect(failure!.message, label).toMatch(harm.message)
        expect(failure, label).toMatchObject({ exitCode: 74, code: 'JOURNAL_CHANGED' })
        noticed++
        await expect(append(), `${label}: it stays refused`).rejects.toBe(failure)
        await journal.close()
        const after = existsSync(folder.path) ? readFileSync(folder.path) : undefined
        expect(after?.toString(), `${label}: nothing was written`).toBe(before?.toString())
        await checkRestart(folder, harm.after, acknowledged, label)
      }
      expect(noticed).toBe(ROUNDS)
    }, 60_000)
  }
})

async function checkRestart(
  folder: JournalFolder,
  after: Harm['after'],
  acknowledged: number,
  label: string,
) {
  const started = await folder.open().then(
    found => found,
    (error: unknown) => error as Error,
  )
  if (started instanceof Error) {
    expect(after, `${label}: ${started.message}`).toContain('refused')
    expect(started, label).toMatchObject({ code: 'JOURNAL_DAMAGED', exitCode: 78 })
    return
  }
  expect(after, label).not.toBe('refused')
  const numbers = numbersOf(started.events)
  expect(numbers, label).toEqual(numbers.map((_, index) => index + 1))
  if (after === 'all') expect(numbers.length, label).toBeGreaterThanOrEqual(acknowledged)
  await started.journal.close()
}
