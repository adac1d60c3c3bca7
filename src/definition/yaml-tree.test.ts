import { describe, expect, it } from 'vitest'
import { ProblemList } from './problem.ts'
import { SourceText } from './source-text.ts'
import { readYaml } from './yaml-tree.ts'

async function read(text: string) {
  const problems = new ProblemList(new SourceText('x.yaml', text))
  const tree = await readYaml(problems)
  return {
    tree,
    said: problems.finish().map(each => `${each.line}:${each.column} ${each.message} | ${each.help}`),
  }
}

describe('readYaml', () => {
  it.each([
    [
      'unquoted template as a value',
      'a: {{ vars.x }}\n',
      '1:4 expected a value, got {{ vars.x }}, which YAML reads as a mapping | quote the template: "{{ vars.x }}"',
    ],
    [
      'unquoted template with a tail',
      'b: 1\nd: {{ds}}-x\n',
      '2:4 expected a value, got {{ds}}-x, which YAML reads as a mapping | quote the template: "{{ds}}-x"',
    ],
    [
      'unquoted template in a list',
      '- {{ds}}\n',
      '1:3 expected a value, got {{ds}}, which YAML reads as a mapping | quote the template: "{{ds}}"',
    ],
    ['tab as indentation', 'a:\n\t- b\n', '2:1 a tab is used as indentation | indent with spaces'],
    ['tab that breaks a mapping', 'a: b\n \tc: d\n', '2:2 a tab is used as indentation | indent with spaces'],
    [
      'several documents',
      'a: 1\n---\nb: 2\n',
      '2:1 expected one YAML document in the file, got another one | remove the "---" line, or move what follows into a file of its own',
    ],
    ['duplicate keys', 'a: 1\nb: 2\na: 3\n', '3:1 duplicate key "a", first on line 1 | keep one of them'],
    [
      '__proto__',
      'a:\n  __proto__: {polluted: 1}\n',
      '2:3 the key "__proto__" is not allowed anywhere | choose another name',
    ],
    [
      'constructor',
      'constructor: 1\n',
      '1:1 the key "constructor" is not allowed anywhere | choose another name',
    ],
    [
      'merge key',
      'a: &x {q: 1}\nb:\n  <<: *x\n',
      '3:3 merge keys ("<<") are not supported | write the keys out; an alias can stand as a whole value',
    ],
    [
      'custom tag',
      'a: !foo bar\n',
      '1:4 the tag !foo is not supported | remove the tag; values are text, numbers, true, false, null, lists and mappings',
    ],
    [
      'binary',
      'a: !!binary aGk=\n',
      '1:4 the tag !!binary is not supported | remove the tag; values are text, numbers, true, false, null, lists and mappings',
    ],
    [
      'unknown anchor',
      'a: *x\n',
      '1:4 unknown anchor "x": nothing above is marked with &x | write the value out',
    ],
    ['anchor in itself', 'a: &x [*x]\n', '1:8 the anchor "x" contains itself | write the value out'],
    [
      'cron without quotes',
      'cron: */5 * * * *  # often\n',
      '1:7 expected a value, got */5 * * * *, which begins with a "*" that means something else in YAML | quote the text: "*/5 * * * *"',
    ],
    [
      'open quote',
      'a: "x\nb: 1\n',
      '1:4 YAML syntax: a quote is not closed | close it on the line that it begins on',
    ],
    [
      'two colons',
      'a: b: c\n',
      '1:4 YAML syntax: a ": " inside a value looks like another key | quote the value',
    ],
    [
      'indented too far',
      '- id: a\n   cron: x\n',
      '1:7 YAML syntax: the next line is indented further, as if it went on with this value | indent the next line like the keys beside it',
    ],
    ['YAML 1.1', '%YAML 1.1\n---\na: yes\n', '1:1 expected YAML 1.2, got YAML 1.1 | remove the %YAML line'],
    [
      'control character',
      'a: b\u0007\n',
      '1:5 expected text, got the control character U+0007 | remove it; inside double quotes it can be written as an escape',
    ],
    ['NaN', 'a: .nan\n', '1:4 expected a finite number, got .nan | quote it if it is text: ".nan"'],
    [
      'inexact integer',
      'a: 12345678901234567890\n',
      '1:4 the number 12345678901234567890 is too large to be exact | quote it: "12345678901234567890"',
    ],
    [
      'list as a key',
      '? [a]\n: 1\n',
      '1:3 expected a plain key, got a list, a mapping or an alias | write the key as text',
    ],
    ['empty key', 'a: 1\n: 2\n', '2:1 expected a key before ":", got nothing | write the key'],
    [
      'deep brackets',
      `a: ${'['.repeat(5_000)}\n`,
      '1:102 nested deeper than 100 levels | a definition needs about six; is a bracket or a quote missing?',
    ],
    [
      'deep lists',
      `${'- '.repeat(5_000)}x\n`,
      '1:199 nested deeper than 100 levels | a definition needs about six; is a bracket or a quote missing?',
    ],
  ])('%s', async (_, text, expected) => {
    expect((await read(text)).said).toEqual([expected])
  })

  it('warns where zeros get lost', async () => {
    const { tree, said } = await read('mode: 0777\n')
    expect(said).toEqual(['1:7 0777 is read as the number 777 | quote it to keep the zeros: "0777"'])
    expect(tree?.value).toEqual({ mode: 777 })
  })

  it('keeps the first of duplicate keys, and pollutes nothing', async () => {
    const { tree } = await read('a: 1\na: 2\n__proto__: {polluted: 1}\nx: {prototype: 1, ok: 1}\n')
    expect(tree?.value).toEqual({ a: 1, x: { ok: 1 } })
    expect(Object.getPrototypeOf(tree?.value)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('takes aliases, numbers as keys, CRLF, a byte order mark and an empty value', async () => {
    const { tree, said } = await read('\uFEFFa: &x {k: [1, true]}\r\nb: *x\r\n5: five\r\nc:\r\n')
    expect(said).toEqual([])
    expect(tree?.value).toEqual({ a: { k: [1, true] }, b: { k: [1, true] }, '5': 'five', c: null })
  })

  it('stops an alias bomb before it is expanded', async () => {
    let bomb = '- &a [x,x,x,x,x,x,x,x,x]\n'
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh']) {
      bomb += `- &${to} [${Array(9).fill(`*${from}`).join(',')}]\n`
    }
    const before = performance.now()
    const { tree, said } = await read(bomb)
    expect(said).toEqual(['6:7 aliases expand to more than 100000 values | write out what is meant'])
    expect(tree).toBeUndefined()
    expect(performance.now() - before).toBeLessThan(1_000)
  })

  it('counts long texts: aliases cannot multiply them without limit', async () => {
    const { said } = await read(`a: &x "${'y'.repeat(40_000)}"\nb: [${Array(200).fill('*x').join(', ')}]\n`)
    expect(said).toEqual([expect.stringContaining('aliases expand to more than 100000 values')])
  })

  it('reads a large text without aliases whole: it is the aliases that are limited', async () => {
    const { tree, said } = await read(`[${'a, '.repeat(150_000)}]`)
    expect(said).toEqual([])
    expect(tree?.value).toHaveLength(150_000)
  })

  it('takes a hundred thousand syntax errors in bounded time', async () => {
    const before = performance.now()
    const { said } = await read(']'.repeat(100_000))
    expect(said).toEqual(['1:1 YAML syntax: unexpected flow-seq-end token in YAML document: "]" | undefined'])
    const { said: many } = await read('- *\n'.repeat(50_000))
    expect(many).toHaveLength(101)
    expect(many[100]).toContain('49900 more problems in this file')
    // Measured: 1 s. Explaining each, or taking a stack trace of each, needs minutes.
    expect(performance.now() - before).toBeLessThan(10_000)
  })

  it('reads 20,000 keys of one mapping in linear time', async () => {
    const before = performance.now()
    const { tree } = await read(Array.from({ length: 20_000 }, (_, i) => `k${i}: ${i}`).join('\n'))
    expect(tree?.value).toHaveProperty('k19999', 19_999)
    // The library's own pairwise comparison of keys needs 6 s for this.
    expect(performance.now() - before).toBeLessThan(3_000)
  })

  it('lets others have a turn while it reads a large text', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await read(Array.from({ length: 20_000 }, (_, i) => `- {id: t${i}, x: [1, 2]}`).join('\n'))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
  })

  it('finds places: of values, of keys, of what is missing, behind an alias', async () => {
    const { tree } = await read('- &a {id: one, deps: [x, y]}\n- id: two\n  more:\n- *a\n')
    const at = (path: (string | number)[]) => tree!.locate(path)
    expect(at([0, 'deps', 1])).toEqual({ start: 25, end: 26 })
    expect(at([1])).toEqual({ start: 31, end: 33 })
    expect(at([1, 'nothing'])).toEqual({ start: 31, end: 33 })
    expect(at([1, 'more'])).toEqual({ start: 41, end: 45 })
    expect(at([2, 'id'])).toEqual(at([0, 'id']))
    expect(tree!.locateKey([1], 'more')).toEqual({ start: 41, end: 45 })
    expect(tree!.textOffset([1, 'id'])).toBe(35)
  })

  it('knows where a text stands between its quotes, and when it does not', async () => {
    const { tree } = await read('a: "b c"\nd: \'e\'\nf: "g\\u0041"\nh: >\n  folded\n  text\n')
    expect(tree!.textOffset(['a'])).toBe(4)
    expect(tree!.textOffset(['d'])).toBe(13)
    expect(tree!.textOffset(['f'])).toBeUndefined()
    expect(tree!.textOffset(['h'])).toBeUndefined()
  })
})
