import { describe, expect, it } from 'vitest'
import { joinVars } from './load-vars.ts'
import { SourceText } from './source-text.ts'
import { overlay } from './vars.ts'
import { checkVarsFile } from './vars-file.ts'

const check = (text: string, name = 'configs/vars/default.yaml') => checkVarsFile(new SourceText(name, text))

async function join(files: Record<string, string>, environment = 'default', someIsUnreadable = false) {
  const checked = []
  for (const [name, text] of Object.entries(files)) checked.push(await check(text, `configs/vars/${name}`))
  const { vars, problems } = joinVars(checked, { environment, folder: 'configs/vars', someIsUnreadable })
  return { vars, said: problems.map(({ file, message, help }) => `${file}: ${message} | ${help}`) }
}

describe('overlay', () => {
  it('lays mappings over mappings, and puts anything else in the place of what was there', () => {
    expect(overlay({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 3 }, d: [2], e: null })).toEqual({
      a: { b: 3, c: 2 },
      d: [2],
      e: null,
    })
    expect(overlay({ a: { b: 1 } }, { a: 2 })).toEqual({ a: 2 })
  })
})

describe('checkVarsFile', () => {
  it('names every wrong name and every mark of a var, all at once', async () => {
    const { problems, values } = await check('a.b: 1\nc:\n  "d e": 2\n  f: "{{vars.g}}"\n  h: ["{{ds}}"]\n')
    expect(values).toBeUndefined()
    expect(
      problems.finish().map(each => `${each.line}:${each.column} ${each.message} | ${each.help}`),
    ).toEqual([
      '1:1 expected a name (letters, digits, "_", "-"; a letter or "_" first), got "a.b" | write a mapping in the mapping for a name with dots',
      '3:3 expected a name (letters, digits, "_", "-"; a letter or "_" first), got "d e" | rename it',
      '4:6 "{{vars.g}}" is not filled in here: vars hold no other vars | write the value out',
    ])
  })

  it.each([
    ['', '1:1 the file is empty: expected vars (a mapping of names to values)'],
    ['[1]', '1:1 expected vars (a mapping of names to values), got a list'],
  ])('refuses %j', async (text, problem) => {
    const { problems } = await check(text)
    expect(problems.finish().map(each => `${each.line}:${each.column} ${each.message}`)).toEqual([problem])
  })

  it('takes none as none', async () => {
    expect((await check('{}')).values).toEqual({})
  })
})

describe('joinVars', () => {
  const FILES = { 'default.yaml': 'a: 1\nb: {c: 2, d: 3}\n', 'production.yaml': 'b: {c: 9}\n' }

  it('lays an environment over the default', async () => {
    expect((await join(FILES)).vars.values).toEqual({ a: 1, b: { c: 2, d: 3 } })
    const { vars, said } = await join(FILES, 'production')
    expect([vars.values, said, vars.areKnown]).toEqual([{ a: 1, b: { c: 9, d: 3 } }, [], true])
    expect(vars.files).toEqual(['configs/vars/default.yaml', 'configs/vars/production.yaml'])
  })

  it('has another key for other values, and for another environment with the same ones', async () => {
    const keys = [
      (await join(FILES)).vars.key,
      (await join(FILES, 'production')).vars.key,
      (await join({ 'default.yaml': 'a: 1\nb: {c: 9, d: 3}\n', 'x.yaml': '{}' }, 'x')).vars.key,
    ]
    expect(new Set(keys).size).toBe(3)
    expect((await join({ ...FILES, 'other.yaml': 'z: 1' })).vars.key).toBe(keys[0])
  })

  it('misses the file of an environment where others have one', async () => {
    expect((await join(FILES, 'prodution')).said).toEqual([
      'configs/vars/prodution.yaml: there are no vars of the environment "prodution" | did you mean "production"? if not, create the file, {} if it changes nothing',
    ])
    expect((await join({}, 'production')).said).toEqual([])
    expect((await join(FILES, 'prodution', true)).said).toEqual([])
  })

  it('knows when it does not know', async () => {
    expect((await join({ ...FILES, 'default.yaml': '[]' })).vars.areKnown).toBe(false)
    expect((await join({ ...FILES, 'production.yaml': '[]' })).vars.areKnown).toBe(true)
    expect((await join(FILES, 'default', true)).vars.areKnown).toBe(false)
  })

  it('refuses two files of one environment, and a name that is none', async () => {
    expect((await join({ ...FILES, 'default.yml': '{}', 'a b.yaml': '{}' })).said).toEqual([
      'configs/vars/default.yml: the environment "default" has two files, the other one is configs/vars/default.yaml | rename or remove one of them',
      'configs/vars/a b.yaml: its name is that of no environment: " " is not allowed in it | rename the file',
    ])
  })
})
