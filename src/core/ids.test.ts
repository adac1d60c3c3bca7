import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkId, decodePathSegment, encodePathSegment } from './ids.ts'

describe('checkId', () => {
  it.each(['a', '7', 'weekly_ops_chain', 'local-dev', 'a.b', 'A'.repeat(100)])('takes %s', id => {
    expect(checkId(id)).toBeUndefined()
  })

  it.each([
    ['', 'it is empty'],
    ['a'.repeat(101), 'it has 101 characters, at most 100 are allowed'],
    ['a..b', 'it contains ".."'],
    ['../etc', 'it contains ".."'],
    ['a b', '" " is not allowed in it'],
    ['a/b', '"/" is not allowed in it'],
    ['a\0', '"\\u0000" is not allowed in it'],
    ['a\n', '"\\n" is not allowed in it'],
    ['∕etc', '"∕" is not allowed in it'],
    ['.hidden', 'it begins with "." instead of a letter or a digit'],
    ['-rf', 'it begins with "-" instead of a letter or a digit'],
  ])('refuses %j: %s', (id, reason) => {
    expect(checkId(id)).toBe(reason)
  })
})

describe('encodePathSegment', () => {
  it.each([
    ['weekly@2026-01-05T06:00Z', 'weekly@2026-01-05T06%3A00Z'],
    ['weekly@2026-01-05T06:00Z#2', 'weekly@2026-01-05T06%3A00Z%232'],
    ['ops@manual-01J9ZQ3C5V', 'ops@manual-01J9ZQ3C5V'],
    ['..', '%2E.'],
    ['.', '%2E'],
    ['', '%'],
    ['%', '%25'],
    ['a/b\\c', 'a%2Fb%5Cc'],
    ['ø', '%u00F8'],
    ['CON', '%43ON'],
    ['nul.txt', '%6Eul.txt'],
    ['-rf', '%2Drf'],
  ])('%j becomes %s', (text, segment) => {
    expect(encodePathSegment(text)).toBe(segment)
    expect(decodePathSegment(segment)).toBe(text)
  })

  it('gives every text a safe segment of its own, and the text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
        const segment = encodePathSegment(text)
        expect(segment).toMatch(/^[A-Za-z0-9_@%][A-Za-z0-9._@%-]*$/)
        expect(decodePathSegment(segment)).toBe(text)
      }),
    )
  })

  it('reads no segment that it would not write: one text, one name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), segment => {
        const text = decodePathSegment(segment)
        if (text !== undefined) expect(encodePathSegment(text)).toBe(segment)
      }),
    )
    for (const segment of [
      '..',
      '.',
      '',
      '%41',
      '%2f',
      '%u0041',
      'a/b',
      'CON',
      '%zz',
      'a%',
      '%25'.repeat(81),
    ])
      expect(decodePathSegment(segment)).toBeUndefined()
  })

  it('refuses what no file system takes, by name', () => {
    expect(() => encodePathSegment('/'.repeat(100))).toThrow(
      expect.objectContaining({
        code: 'ID_TOO_LONG',
        exitCode: 2,
        message: expect.stringContaining('needs 300 characters'),
      }),
    )
  })
})
