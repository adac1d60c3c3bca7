import { appendFileSync, chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkpoint, JournalFolder, numbered } from '../../../test/support/journal-folder.ts'
import { encodeBatch } from './batch.ts'
import { verifyJournal } from './verify.ts'

async function threeSegments(folder: JournalFolder) {
  const { journal } = await folder.open()
  await journal.append([[numbered(1)]])
  await journal.roll(checkpoint())
  await journal.append([[numbered(2)]])
  await journal.roll(checkpoint())
  await journal.append([[numbered(3)]])
  await journal.close()
}

const sealed = (folder: JournalFolder, n: number) => join(folder.state, 'segments', `0000000${n}.jsonl`)

function change(path: string, edit: (text: string) => string) {
  chmodSync(path, 0o600)
  writeFileSync(path, edit(readFileSync(path, 'utf8')))
}

describe('verifyJournal', () => {
  it('finds nothing wrong with a sound journal, and says what it holds', async () => {
    using folder = new JournalFolder()
    await threeSegments(folder)
    const { segments, problems } = await verifyJournal(folder.path)
    expect(problems).toEqual([])
    expect(
      segments.map(({ file, lines, firstSeq, lastSeq, ok }) => [file, lines, firstSeq, lastSeq, ok]),
    ).toEqual([
      [sealed(folder, 1), 3, 1, 3, true],
      [sealed(folder, 2), 4, 4, 7, true],
      [folder.path, 3, 8, 10, true],
    ])
    expect(segments.map(({ bytes }) => bytes)).toEqual(
      [sealed(folder, 1), sealed(folder, 2), folder.path].map(file => readFileSync(file).length),
    )
  })

  it('has nothing to say where no journal is', async () => {
    using folder = new JournalFolder()
    expect(await verifyJournal(folder.path)).toEqual({ segments: [], problems: [] })
  })

  it('names every damaged place, not just the first', async () => {
    using folder = new JournalFolder()
    await threeSegments(folder)
    const first = readFileSync(sealed(folder, 1), 'utf8').split(/(?<=\n)/)
    change(sealed(folder, 1), text => text.replace('"n":1', '"n":9'))
    change(folder.path, text => text.replace('"checkpoint"', '"chequepoint"'))
    const { problems, segments } = await verifyJournal(folder.path)
    expect(problems).toEqual([
      {
        file: sealed(folder, 1),
        line: 2,
        offset: first[0]!.length,
        reason: expect.stringMatching(/checksum/),
      },
      { file: folder.path, line: 2, offset: expect.any(Number), reason: expect.stringMatching(/checksum/) },
    ])
    expect(segments.map(({ ok }) => ok)).toEqual([false, true, false])
  })

  it('does not count a torn tail of the active segment, and counts one of a sealed segment', async () => {
    using folder = new JournalFolder()
    await threeSegments(folder)
    appendFileSync(folder.path, '{"half')
    const torn = await verifyJournal(folder.path)
    expect([torn.problems, torn.segments[2]!.tornBytes, torn.segments[2]!.ok]).toEqual([[], 6, true])
    change(sealed(folder, 2), text => text.slice(0, -5))
    expect((await verifyJournal(folder.path)).problems).toMatchObject([
      { file: sealed(folder, 2), line: 4, reason: 'the line has no end' },
    ])
  })

  it('checks the links: a missing segment, another journal, an exchanged one, a footer that is gone', async () => {
    const harms: [(folder: JournalFolder) => void, RegExp][] = [
      [
        folder => rmSync(sealed(folder, 2)),
        /it is segment 3, the one before it is segment 1: one is missing/,
      ],
      [folder => rmSync(folder.path), /the active segment is missing/],
      [
        folder =>
          change(sealed(folder, 1), text =>
            text
              .split(/(?<=\n)/)
              .slice(0, 2)
              .join(''),
          ),
        /ends without segment_sealed/,
      ],
      [folder => replaceFirst(folder, { journal_id: 'j-2' }), /belongs to the journal j-2/],
      [folder => replaceFirst(folder, { prev_crc: '12345678' }), /continues the checksum 12345678/],
      [folder => replaceFirst(folder, { prev_last_seq: 17 }, 17), /continues seq 17, but/],
    ]
    for (const [harm, reason] of harms) {
      using folder = new JournalFolder()
      await threeSegments(folder)
      harm(folder)
      const { problems } = await verifyJournal(folder.path)
      expect(problems.map(problem => problem.reason).join('; ')).toMatch(reason)
    }
  })
})

/** Writes the active segment anew with another first line, every checksum right. */
function replaceFirst(folder: JournalFolder, fields: Record<string, unknown>, lastSeq = 7) {
  const header = { ...JSON.parse(folder.bytes().toString().split('\n')[0]!), c: undefined, ...fields }
  writeFileSync(folder.path, encodeBatch([[header]], lastSeq, Number.parseInt(header.prev_crc, 16)).bytes)
}
