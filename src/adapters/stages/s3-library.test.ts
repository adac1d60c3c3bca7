import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeS3Failure } from './s3-library.ts'

test('a missing library is told with what to install; folders need none', async () => {
  const root = mkdtempSync(join(tmpdir(), 'dagbok-s3-'))
  try {
    writeFileSync(join(root, 'a.csv'), 'x')
    writeFileSync(
      join(root, 'without.mjs'),
      `import { registerHooks } from 'node:module'
       registerHooks({
         resolve(name, context, next) {
           return next(name === '@aws-sdk/client-s3' ? 'not-installed-anywhere' : name, context)
         },
       })
       const { createStageReader } = await import(${JSON.stringify(new URL('./reader.ts', import.meta.url).href)})
       const clock = { now: Date.now, monotonicMs: () => performance.now() }
       const reader = createStageReader({ root: ${JSON.stringify(root)}, clock, note: () => {} })
       const list = location =>
         reader.list(
           { name: 'external_input_files', location, order: 'name', maxFiles: 1, stableForMs: 0, pattern: '*.csv' },
           { isCandidate: () => true, consumedKeys: () => [] },
           new AbortController().signal,
         )
       const { files } = await list({ kind: 'directory', path: '.' })
       const error = await list({ kind: 's3', bucket: 'b', prefix: '' }).catch(error => error)
       console.log(JSON.stringify([files.length, error.code, error.exitCode, error.hint]))`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'without.mjs')])
    expect(JSON.parse(stdout)).toEqual([
      1,
      'S3_UNAVAILABLE',
      4,
      'npm install @aws-sdk/client-s3 where the scheduler is installed, and start it again',
    ])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

test.each([
  [{ name: 'AccessDenied', message: 'Access Denied' }, 'the credentials do not allow it (AccessDenied)'],
  [{ name: 'Error', code: 'ENOTFOUND', message: 'getaddrinfo' }, 'its name is unknown (ENOTFOUND)'],
  [{ name: 'Strange', message: 'something else' }, 'something else'],
  [{ name: 'UnknownError', message: '' }, 'UnknownError'],
])('%j in words', (error, words) => {
  expect(describeS3Failure(error)).toBe(words)
})
