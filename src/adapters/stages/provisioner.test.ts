// Stages that are made to exist: modes, what is left alone, what is told.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CREDENTIALS, type S3Double, startS3Double } from '../../../test/support/s3-double.ts'
import type { Manifest } from '../../core/dag/manifest.ts'
import type { Stage, StageLocation, StageName } from '../../core/stage/stage.ts'
import { createStageProvisioner } from './provisioner.ts'

let root: string
let notes: string[]
let umask: number
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-stages-'))
  notes = []
  umask = process.umask(0o077)
})
afterEach(() => {
  process.umask(umask)
  rmSync(root, { recursive: true, force: true })
})

const open = () => createStageProvisioner({ root, note: message => notes.push(message) })

function dag(name: string, ...stages: Stage[]): { name: string; manifest: Manifest } {
  return { name, manifest: { mode: 'schedule', stages, environment: 'default' } }
}

const inFolder = (name: StageName, path: string): Stage => ({ name, location: { kind: 'directory', path } })
const modeOf = (path: string) => statSync(join(root, path)).mode & 0o777

describe('folders', () => {
  test('are made, each with the mode of its kind, whatever the umask', async () => {
    const stages = [
      inFolder('external_input_files', 'data/orders/in'),
      inFolder('external_output_files', 'data/orders/out'),
      inFolder('internal_exposed_files', join(root, 'exposed')),
      inFolder('resources_static', 'static'),
    ]
    await open().provision([dag('orders', ...stages), { name: 'plain' }])
    expect(['data/orders/in', 'data/orders/out', 'exposed', 'static'].map(modeOf)).toEqual([
      0o770, 0o770, 0o755, 0o750,
    ])
    // Those above are made as the umask says.
    expect(modeOf('data')).toBe(0o700)
    expect(notes).toEqual([])
  })

  test('that are there keep what they are', async () => {
    mkdirSync(join(root, 'in'))
    chmodSync(join(root, 'in'), 0o705)
    writeFileSync(join(root, 'in/a'), 'x')
    const provisioner = open()
    for (let round = 0; round < 2; round++)
      await provisioner.provision([dag('orders', inFolder('external_input_files', 'in'))])
    expect(modeOf('in')).toBe(0o705)
    expect(existsSync(join(root, 'in/a'))).toBe(true)
    expect(notes).toEqual([])
  })

  test('that cannot be made are told of, and the others are made', async () => {
    writeFileSync(join(root, 'file'), 'x')
    await open().provision([
      dag('orders', inFolder('external_input_files', 'file'), inFolder('resources_static', 'file/below')),
      dag('others', inFolder('external_output_files', 'out')),
    ])
    expect(notes.toSorted()).toEqual([
      `stage external_input_files of orders: ${join(root, 'file')} is there, but it is no folder`,
      expect.stringMatching(/^stage resources_static of orders: .*file\/below cannot be made: E/),
    ])
    expect(modeOf('out')).toBe(0o770)
  })
})

test('a file system that hangs delays a start by a moment, and nothing else', async () => {
  const made: string[] = []
  const comeBack: (() => void)[] = []
  const provisioner = createStageProvisioner({
    root,
    note: message => notes.push(message),
    silenceMs: 50,
    makeDirectory: async path => {
      if (path.endsWith('hangs')) await new Promise<void>(done => comeBack.push(done))
      made.push(path.slice(root.length + 1))
      return undefined
    },
  })
  const stage = (path: string) => inFolder('resources_static', path)
  await provisioner.provision([dag('one', stage('a'), stage('x/hangs'), stage('b'), stage('c'))])
  expect(made).toEqual(['a', 'b', 'c'])
  expect(notes).toEqual([
    `stage resources_static of one: ${join(root, 'x/hangs')} did not answer within 50ms`,
  ])
  // With two of them the others wait, also those of a later load.
  await provisioner.provision([dag('two', stage('y/hangs'), stage('d'))])
  expect(made).toEqual(['a', 'b', 'c'])
  expect(notes.at(-1)).toBe('1 more stages wait behind folders that do not answer')
  for (const back of comeBack) back()
  await vi.waitFor(() => expect(made).toContain('d'))
})

describe('buckets', () => {
  let s3: S3Double
  beforeEach(async () => {
    s3 = await startS3Double()
    s3.makeBucket('partner')
    vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await s3.close()
  })
  const inBucket = (bucket: string): Stage => {
    const location: StageLocation = { kind: 's3', bucket, prefix: 'in/', endpoint: s3.endpoint }
    return { name: 'external_input_files', location }
  }

  test('are looked at once, and never made', async () => {
    const provisioner = open()
    await provisioner.provision([dag('orders', inBucket('partner')), dag('missing', inBucket('nowhere'))])
    await vi.waitFor(() => expect(notes).toHaveLength(1))
    expect(notes[0]).toMatch(
      /^stage external_input_files of missing: s3:\/\/nowhere\/in\/ at .*: there is no such bucket/,
    )
    expect(s3.requests.filter(line => line.startsWith('HEAD /partner'))).toHaveLength(1)
    await provisioner.provision([dag('orders', inBucket('partner')), dag('missing', inBucket('nowhere'))])
    await vi.waitFor(() => expect(notes).toHaveLength(2))
    expect(s3.requests.filter(line => line.startsWith('HEAD /partner'))).toHaveLength(1)
    expect(s3.requests.filter(line => !line.startsWith('HEAD'))).toEqual([])
  })

  test('that do not answer delay nobody, and are not told of after the end', async () => {
    await s3.close()
    const provisioner = open()
    await provisioner.provision([dag('orders', inBucket('partner'))])
    provisioner.close()
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(notes).toEqual([])
  })
})
