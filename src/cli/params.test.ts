// key=value words and files of params.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readPairs, readParams } from './params.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dagbok-params-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a value that is JSON is that, anything else is text', () => {
  const words = [
    'n=3',
    'f=-1.5',
    't=true',
    'z=null',
    's="3"',
    'l=[1,{"a":2}]',
    'text=hello world',
    'eq=a=b',
    'empty=',
    'n=4',
  ]
  expect(readPairs('--param', words)).toEqual({
    n: 4,
    f: -1.5,
    t: true,
    z: null,
    s: '3',
    l: [1, { a: 2 }],
    text: 'hello world',
    eq: 'a=b',
    empty: '',
  })
})

test('a number that would come back as another text stays text', () => {
  const words = ['a=007', 'b=1.10', 'c=12345678901234567890', 'd=1e3', 'e=2025-10-01']
  expect(readPairs('--param', words)).toEqual({
    a: '007',
    b: '1.10',
    c: '12345678901234567890',
    d: '1e3',
    e: '2025-10-01',
  })
})

test('any JSON value comes through', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = JSON.stringify(value)
      const read = readPairs('--param', [`k=${text}`])['k']
      if (typeof value === 'number') expect(String(read)).toBe(String(Number(text)))
      else expect(read).toEqual(JSON.parse(text))
    }),
  )
})

test.each(['novalue', '=x', '__proto__=1'])('%s is refused', word => {
  expect(() => readPairs('--param', [word])).toThrow(expect.objectContaining({ code: 'USAGE', exitCode: 2 }))
})

test('flags go over the file', async () => {
  writeFileSync(join(folder, 'p.yaml'), 'a: 1\nb: [x]\nday: 2025-10-01\n')
  writeFileSync(join(folder, 'p.json'), '{"a":1}')
  expect(await readParams(folder, { param: ['a=2'], paramsFile: 'p.yaml' })).toEqual({
    a: 2,
    b: ['x'],
    day: '2025-10-01',
  })
  expect(await readParams(folder, { paramsFile: 'p.json' })).toEqual({ a: 1 })
  expect(await readParams(folder, {})).toBeUndefined()
})

test.each([
  ['list.yaml', '- 1\n', /expected a mapping in list\.yaml/],
  ['empty.yaml', '', /expected a mapping in empty\.yaml, got nothing/],
  ['bad.json', '{', /bad\.json cannot be read/],
  ['bad.yaml', 'a: [', /bad\.yaml cannot be read/],
])('a file of something else is refused: %s', async (name, text, words) => {
  writeFileSync(join(folder, name), text)
  await expect(readParams(folder, { paramsFile: name })).rejects.toThrow(words)
})

test('a file that is not there is refused', async () => {
  await expect(readParams(folder, { paramsFile: 'none.yaml' })).rejects.toThrow(
    '--params-file: none.yaml cannot be read: ENOENT',
  )
})
