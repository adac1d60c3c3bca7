// The guides tell the truth: every setting with its flag, variable, key and default; every example is a call that the
// command line takes; every exit code.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { SETTING_SPECS } from '../config.ts'
import { EXIT } from '../core/error.ts'
import { parse } from './program.ts'

const read = (name: string) => readFileSync(new URL(`../../docs/guides/${name}`, import.meta.url), 'utf8')
const guide = read('cli.md')
const silent = { stdout: { write() {} }, stderr: { write() {} } }

test('the table of settings is the one in the code', () => {
  const told = [
    ...guide.matchAll(/^\| `(--[a-z-]+)` \| `(\w+)`[^|]*\|(?: `(\w+)`)? \| (?:`([^`]+)`|[^|]*) \|/gm),
  ]
  const inMs: Record<string, string> = {
    drainTimeoutMs: '60s',
    killGraceMs: '10s',
    logLimitBytes: '16MiB',
    segmentBytes: '64MiB',
  }
  expect(told.map(([, flag, env, key, fallback]) => [flag, env, key, fallback])).toEqual(
    SETTING_SPECS.map(({ name, flag, env, key, fallback }) => [
      flag,
      env,
      key,
      fallback === undefined ? undefined : (inMs[name] ?? String(fallback)),
    ]),
  )
  for (const spec of SETTING_SPECS) {
    const text = inMs[spec.name]
    if (text !== undefined) expect(spec.read(text)).toBe(spec.fallback)
  }
})

describe('every example is understood', () => {
  const blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text = '']) => text).join('')
  const calls = [...blocks.matchAll(/(?:^|\$\()(?:[A-Z_]+=\S+ )?scheduler ([^|)\n]*)/gm)].map(
    ([, words = '']) => words.trim(),
  )

  test('there are examples of every command', () => {
    const verbs = new Set(calls.map(call => call.split(' ')[0]))
    for (const verb of 'run trigger cancel pause resume skip validate lint show next explain simulate plan calendar status stages notifications runs logs events why audit reload record journal notify config --serve --once'.split(
      ' ',
    )) {
      expect(verbs).toContain(verb)
    }
  })

  test.each(calls)('scheduler %s', async call => {
    const words = [...call.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
    expect(await parse(words, '0', silent)).toBeDefined()
  })
})

test('every exit code is told', () => {
  const told = [...read('exit-codes.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  expect(told).toEqual(Object.values(EXIT).toSorted((a, b) => a - b))
})
