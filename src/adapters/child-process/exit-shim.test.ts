// The exit file: a code only when it is complete, a signal only when there was one; also by other shells.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { parseExit, readExit, SHIM } from './exit-shim.ts'

describe('the text of an exit file', () => {
  test.each([
    ['0\n', { kind: 'code', code: 0 }],
    ['143\n', { kind: 'code', code: 143 }],
    ['Terminated\n143\n', { kind: 'signal', signal: 'SIGTERM' }],
    ['sh: line 1: 4711 Killed  ( exec "$@" 2>&3 3>&- )\n137\n', { kind: 'signal', signal: 'SIGKILL' }],
    ['130\n', { kind: 'signal', signal: 'SIGINT' }],
    ['141\n', { kind: 'signal', signal: 'SIGPIPE' }],
    ['255\n', { kind: 'code', code: 255 }],
    ['', undefined],
    ['1', undefined],
    ['Killed\n', undefined],
    ['Killed\n13', undefined],
    ['1234\n', undefined],
    ['-1\n', undefined],
    ['\0\0\0', undefined],
  ])('%j', (text, exit) => {
    expect(parseExit(text)).toEqual(exit)
  })

  test('no beginning of a complete file is complete', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom('', 'Killed\n', 'Aborted (core dumped)\n'),
        (code, note) => {
          const text = `${note}${code}\n`
          expect(parseExit(text)).toBeDefined()
          for (let length = 0; length < text.length; length++)
            expect(parseExit(text.slice(0, length))).toBeUndefined()
        },
      ),
    )
  })

  test('a missing file is no exit', () => {
    expect(readExit('/no/such/file')).toBeUndefined()
  })
})

describe.each(['/bin/sh', '/bin/bash'])('the shim in %s', shell => {
  const folder = mkdtempSync(join(tmpdir(), 'dagbok-shim-'))
  const exitFile = join(folder, 'exit')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each([
    ['exit 0', { kind: 'code', code: 0 }],
    ['exit 7', { kind: 'code', code: 7 }],
    ['exit 137', { kind: 'code', code: 137 }],
    ['kill -KILL $$', { kind: 'signal', signal: 'SIGKILL' }],
    ['kill -HUP $$', { kind: 'signal', signal: 'SIGHUP' }],
    ['kill -ABRT $$', { kind: 'signal', signal: 'SIGABRT' }],
  ])('%s', (command, exit) => {
    const { stderr } = spawnSync(shell, ['-c', SHIM, exitFile, 'sh', '-c', `echo word >&2; ${command}`], {
      encoding: 'utf8',
    })
    expect(readExit(exitFile)).toEqual(exit)
    // What the command says and what the shim knows do not mix.
    expect(stderr).toBe('word\n')
    expect(readFileSync(exitFile, 'utf8')).not.toContain('word')
  })
})
