// Buckets, against a server on this machine that checks signatures, answers 503 first and never ends its bodies.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CREDENTIALS, type S3Double, startS3Double } from '../../../test/support/s3-double.ts'
import type { InputStage } from '../../core/stage/stage.ts'
import { StageError, type StageTracking } from '../../ports/stage-reader.ts'
import { createStageReader } from './reader.ts'
import { loadS3, openBucket } from './s3-library.ts'

const NOTHING_KNOWN: StageTracking = { isCandidate: () => true, consumedKeys: () => [] }
const NEVER = new AbortController().signal
const LONG_AGO = Date.UTC(2026, 0, 5)

let s3: S3Double
let reader: ReturnType<typeof createStageReader>
beforeEach(async () => {
  s3 = await startS3Double({ pageSize: 100 })
  s3.makeBucket('partner')
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey)
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() }
  reader = createStageReader({ root: '/', clock, note: () => {}, pageMs: 20_000 })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await s3.close()
})

function inputStage(over: Partial<InputStage> = {}): InputStage {
  return {
    name: 'external_input_files',
    location: { kind: 's3', bucket: 'partner', prefix: 'in/', endpoint: s3.endpoint },
    order: 'oldest',
    maxFiles: 1_000,
    stableForMs: 0,
    ...over,
  }
}

describe('a bucket', () => {
  test('gives the files under its prefix, signed, with keys relative to it', async () => {
    s3.put('partner', 'in/b.csv', 'bb', LONG_AGO)
    s3.put('partner', 'in/2026/a.csv', 'a', LONG_AGO + 1)
    s3.put('partner', 'in/', '', LONG_AGO)
    s3.put('partner', 'in/2026/', '', LONG_AGO)
    s3.put('partner', 'in/.hidden/x.csv', 'x', LONG_AGO)
    s3.put('partner', 'in/c.csv.part', 'x', LONG_AGO)
    s3.put('partner', 'other/z.csv', 'z', LONG_AGO)
    const listing = await reader.list(inputStage(), NOTHING_KNOWN, NEVER)
    expect(listing).toEqual({
      files: [
        {
          key: 'b.csv',
          version: `21ad0bd836b90d08f4cf640b4c298e7c:2:${LONG_AGO}`,
          uri: 's3://partner/in/b.csv',
          size: 2,
          modified_at: '2026-01-05T00:00:00.000Z',
        },
        expect.objectContaining({ key: '2026/a.csv', uri: 's3://partner/in/2026/a.csv', size: 1 }),
      ],
      more: 0,
      waiting: 0,
      gone: [],
    })
    expect(s3.refused).toEqual([])
    expect(s3.requests).toHaveLength(1)
  })

  test('is read to its last page', async () => {
    for (let index = 0; index < 1_234; index++) s3.put('partner', `in/${index}.csv`, 'x', LONG_AGO)
    const listing = await reader.list(inputStage({ maxFiles: 10, order: 'name' }), NOTHING_KNOWN, NEVER)
    expect(listing.files.map(({ key }) => key)).toEqual(
      '0.csv 1.csv 10.csv 100.csv 1000.csv 1001.csv 1002.csv 1003.csv 1004.csv 1005.csv'.split(' '),
    )
    expect(listing.more).toBe(1_224)
    expect(s3.requests).toHaveLength(13)
  })

  test.each([true, false])('keys keep spaces, signs and other alphabets (encoded: %s)', async encodes => {
    const keys = ['a b+c.csv', 'grüße & <mehr>.csv', '100%.csv', 'x=1/y.csv', '日本.csv'].sort()
    for (const key of keys) s3.put('partner', `in/${key}`, 'x', LONG_AGO)
    s3.encodes = encodes
    const { files } = await reader.list(inputStage({ order: 'name' }), NOTHING_KNOWN, NEVER)
    expect(files.map(({ key }) => key)).toEqual(keys)
  })

  test('an object that was written again is another version', async () => {
    s3.put('partner', 'in/a.csv', 'one', LONG_AGO)
    const [first] = (await reader.list(inputStage(), NOTHING_KNOWN, NEVER)).files
    s3.put('partner', 'in/a.csv', 'two', LONG_AGO)
    const [second] = (await reader.list(inputStage(), NOTHING_KNOWN, NEVER)).files
    expect(second!.version).not.toBe(first!.version)
  })

  test('one that says slow down is asked again, and given up in the end', async () => {
    s3.put('partner', 'in/a.csv', 'x', LONG_AGO)
    s3.slowDowns = 2
    expect((await reader.list(inputStage(), NOTHING_KNOWN, NEVER)).files).toHaveLength(1)
    expect(s3.slowDowns).toBe(0)
    s3.slowDowns = 1_000
    await expect(reader.list(inputStage(), NOTHING_KNOWN, NEVER)).rejects.toThrow(
      /s3:\/\/partner\/in\/ at http:.* cannot be listed: it asked to slow down, 4 times \(SlowDown\)/,
    )
    expect(s3.slowDowns).toBe(996)
  })

  test('a body that never ends is waited for until the limit, and its connection is closed', async () => {
    s3.drips = true
    const clock = { now: () => Date.now(), monotonicMs: () => performance.now() }
    const impatient = createStageReader({ root: '/', clock, note: () => {}, pageMs: 200 })
    await expect(impatient.list(inputStage(), NOTHING_KNOWN, NEVER)).rejects.toThrow(
      /cannot be listed: it did not answer within 200ms/,
    )
    await vi.waitFor(() => expect(s3.openConnections()).toBe(0))
  })

  test('a body that never ends is left as soon as nobody waits for it', async () => {
    s3.drips = true
    const stop = new AbortController()
    const listing = reader.list(inputStage(), NOTHING_KNOWN, stop.signal)
    await vi.waitFor(() => expect(s3.requests).toHaveLength(1))
    stop.abort(new Error('cancelled'))
    await expect(listing).rejects.toThrow('cancelled')
    await vi.waitFor(() => expect(s3.openConnections()).toBe(0))
  })

  test('that is not there, or does not know us, is told in words', async () => {
    const elsewhere = inputStage({
      location: { kind: 's3', bucket: 'nowhere', prefix: '', endpoint: s3.endpoint },
    })
    await expect(reader.list(elsewhere, NOTHING_KNOWN, NEVER)).rejects.toThrow(
      /s3:\/\/nowhere\/ at .* cannot be listed: there is no such bucket \(NoSuchBucket\)/,
    )
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another')
    const refused = reader.list(inputStage(), NOTHING_KNOWN, NEVER)
    await expect(refused).rejects.toThrow(/the secret key is not the one of that access key/)
    await expect(refused).rejects.toBeInstanceOf(StageError)
    expect(s3.refused).toHaveLength(1)
  })

  test('nobody behind the endpoint is told in words', async () => {
    await s3.close()
    await expect(reader.list(inputStage(), NOTHING_KNOWN, NEVER)).rejects.toThrow(
      /nobody listens there \(ECONNREFUSED\)/,
    )
  })
})

test('what a user writes with a client of their own is listed, and read back', async () => {
  const { location } = inputStage()
  const library = await loadS3()
  const client = openBucket(library, location as never)
  await client.send(
    new library.PutObjectCommand({ Bucket: 'partner', Key: 'in/new file.csv', Body: 'hello' }),
  )
  const { files } = await reader.list(inputStage(), NOTHING_KNOWN, NEVER)
  expect(files.map(({ uri, size }) => [uri, size])).toEqual([['s3://partner/in/new file.csv', 5]])
  const { Body } = await client.send(
    new library.GetObjectCommand({ Bucket: 'partner', Key: 'in/new file.csv' }),
  )
  expect(await Body!.transformToString()).toBe('hello')
  client.destroy()
})

test('ten thousands of keys are read in one listing', async () => {
  await s3.close()
  s3 = await startS3Double({ pageSize: 1_000 })
  s3.makeBucket('partner')
  for (let index = 0; index < 20_000; index++) s3.put('partner', `in/${index}.csv`, 'x', LONG_AGO + index)
  const listing = await reader.list(inputStage({ maxFiles: 500 }), NOTHING_KNOWN, NEVER)
  expect(listing.files).toHaveLength(500)
  expect(listing.more).toBe(19_500)
  expect(listing.files.at(-1)!.key).toBe('499.csv')
  expect(s3.requests).toHaveLength(20)
})
