import { describe, expect, it } from 'vitest'
import { renderFrame } from './frame.ts'
import {
  makeFileProblem,
  makeProblem,
  ProblemList,
  renderProblem,
  renderProblems,
  sortProblems,
} from './problem.ts'
import { SourceText } from './source-text.ts'

const nightly = new SourceText(
  'nightly.yaml',
  'name: nightly\n\n\n\n\n\n    tasks:\n      - id: a\n        runn: echo hi\n',
)
const place = (source: SourceText, text: string) => {
  const start = source.text.indexOf(text)
  return { start, end: start + text.length }
}

describe('renderFrame', () => {
  it('shows the place as promised', () => {
    const problem = makeProblem(nightly, place(nightly, 'runn'), 'unknown key "runn"', {
      help: 'did you mean "run"?',
    })
    expect(renderProblem(problem)).toBe(
      [
        'nightly.yaml:9:9 error: unknown key "runn"',
        '    7 |     tasks:',
        '    8 |       - id: a',
        ' >  9 |         runn: echo hi',
        '      |         ^^^^',
        '   help: did you mean "run"?',
      ].join('\n'),
    )
  })

  it('shows two lines before and two after, and pads the numbers', () => {
    const source = new SourceText('x', Array.from({ length: 101 }, (_, i) => `l${i + 1}`).join('\n'))
    expect(renderFrame(source, place(source, 'l99'), undefined)).toBe(
      ['    97 | l97', '    98 | l98', ' >  99 | l99', '       | ^^^', '   100 | l100', '   101 | l101'].join(
        '\n',
      ),
    )
  })

  it('shows an empty text, and a place behind the end', () => {
    const empty = new SourceText('x', '')
    expect(renderFrame(empty, { start: 0, end: 0 }, 'write something')).toBe(
      ' >  1 |\n      | ^\n   help: write something',
    )
    const one = new SourceText('x', 'a\n')
    expect(renderFrame(one, { start: 99, end: 120 }, undefined)).toBe('    1 | a\n >  2 |\n      | ^')
  })

  it('underlines to the end of the first line of a place over several', () => {
    const source = new SourceText('x', 'ab: cd\nef\n')
    expect(renderFrame(source, { start: 4, end: 9 }, undefined)).toBe(
      ' >  1 | ab: cd\n      |     ^^\n    2 | ef',
    )
  })

  it('shows no control characters, no tabs, no CR, and keeps the caret in place', () => {
    const source = new SourceText('x', 'a:\t\u001b[31mred \u202etxt\r\nb: 1\r\n')
    expect(renderFrame(source, place(source, 'red'), undefined)).toBe(
      ' >  1 | a:→·[31mred ·txt\n      |         ^^^\n    2 | b: 1',
    )
  })

  it('counts wide characters as two columns and marks that combine as none', () => {
    const source = new SourceText('x', '漢字: e\u0301x bad')
    expect(renderFrame(source, place(source, 'bad'), undefined)).toBe(
      ' >  1 | 漢字: e\u0301x bad\n      |          ^^^',
    )
  })

  it('cuts long lines around the place', () => {
    const source = new SourceText('x', `${'a'.repeat(5_000)}BAD${'z'.repeat(5_000)}\n${'y'.repeat(900)}`)
    const [line, carets] = renderFrame(source, place(source, 'BAD'), undefined).split('\n')
    expect(line!.length).toBeLessThan(175)
    expect(line!.slice(carets!.indexOf('^'), carets!.indexOf('^') + 3)).toBe('BAD')
    expect(carets).toMatch(/\| +\^\^\^$/)
  })
})

describe('SourceText', () => {
  it('counts lines and columns from 1, with LF and CRLF', () => {
    const source = new SourceText('x', 'ab\r\n\r\ncd')
    expect(source.positionAt(0)).toEqual({ line: 1, column: 1 })
    expect(source.positionAt(4)).toEqual({ line: 2, column: 1 })
    expect(source.positionAt(7)).toEqual({ line: 3, column: 2 })
    expect(source.lineText(1)).toBe('ab')
    expect(source.lineText(3)).toBe('cd')
    expect(source.lineText(9)).toBe('')
    expect(source.lineCount).toBe(3)
  })

  it('passes over a byte order mark', () => {
    expect(new SourceText('x', '\uFEFFid: a').positionAt(4)).toEqual({ line: 1, column: 5 })
  })
})

describe('problems', () => {
  it('sorts by file and place, and sums up', () => {
    const b = new SourceText('b.yaml', 'x\ny\n')
    const problems = [
      makeProblem(b, { start: 2, end: 3 }, 'second'),
      makeProblem(b, { start: 0, end: 1 }, 'careful', { severity: 'warning' }),
      makeProblem(b, { start: 0, end: 1 }, 'first'),
      makeFileProblem('a.yaml', 'no such file', { help: 'create it' }),
    ]
    const sorted = sortProblems(problems)
    expect(sorted.map(each => each.message)).toEqual(['no such file', 'first', 'careful', 'second'])
    const text = renderProblems(sorted)
    expect(
      text.startsWith('a.yaml:1:1 error: no such file\n   help: create it\n\nb.yaml:1:1 error: first\n'),
    ).toBe(true)
    expect(text.endsWith('\n\n3 errors, 1 warning in 2 files')).toBe(true)
    expect(renderProblems([])).toBe('')
  })

  it('stops listing after a hundred of one file, and says how many are left', () => {
    const list = new ProblemList(nightly)
    for (let i = 0; i < 130; i++) list.add({ start: 0, end: 1 }, `p${i}`)
    expect(list.errorCount).toBe(130)
    expect(list.finish()).toHaveLength(101)
    expect(list.finish().at(-1)!.message).toBe('30 more problems in this file')
  })
})
