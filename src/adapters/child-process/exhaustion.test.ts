// No file descriptor left: attempts fail with a reason, what runs is still supervised, and afterwards all is well.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../../test/support/executor-exhaustion.ts', import.meta.url))

test('without file descriptors attempts fail alone', () => {
  const script = 'ulimit -n 64; exec "$0" "$1"'
  const text = execFileSync('/bin/sh', ['-c', script, process.execPath, PROGRAM], {
    encoding: 'utf8',
    timeout: 25_000,
  })
  const { code, before, during, warm, kept, after } = JSON.parse(text)
  const well = [
    { kind: 'failed', error: { kind: 'exit_code', message: 'exit code 3', exit_code: 3 } },
    { kind: 'ok', output: { well: true } },
  ]
  expect(code).toBe('EMFILE')
  expect(before).toEqual(well)
  const kinds = during.map(({ error }: { error: { kind: string } }) => error.kind)
  expect(kinds[0]).toBe('spawn_failed')
  expect(during[0].error.message).toMatch(/too many files open.*ulimit -n.*EMFILE/)
  expect(kinds.filter((kind: string) => kind !== 'spawn_failed' && kind !== 'exit_code')).toEqual([])
  expect(warm).toEqual(well[1])
  expect(kept).toEqual({ kind: 'ok', output: { n: 1 } })
  expect(after).toEqual(well)
})
