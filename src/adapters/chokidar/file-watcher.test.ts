import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDefinitionSource, DEFAULT_FOLDERS } from '../filesystem/definition-source.ts'
import { createFileWatch } from './file-watcher.ts'

let root = ''
const stops: (() => Promise<void>)[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dagbok-watch-'))
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  rmSync(root, { recursive: true, force: true })
})

/** Calls that can be awaited one by one. */
function makeCalls() {
  let count = 0
  const waiting: (() => void)[] = []
  return {
    changed: () => {
      count++
      waiting.shift()?.()
    },
    get count() {
      return count
    },
    next: () => new Promise<void>(done => waiting.push(done)),
  }
}

async function watch(paths: string[], settleMs = 100) {
  const calls = makeCalls()
  const watched = await createFileWatch({ settleMs })(paths, calls.changed)
  stops.push(() => watched.close())
  return { calls, watched }
}

describe('createFileWatch', () => {
  it.each<[string, (folder: string) => void]>([
    ['a new file', folder => writeFileSync(join(folder, 'new.yaml'), 'x')],
    ['a changed file', folder => writeFileSync(join(folder, 'a.yaml'), 'changed')],
    ['a deleted file', folder => rmSync(join(folder, 'a.yaml'))],
    [
      'an atomic save: write beside, then rename',
      folder => {
        writeFileSync(join(folder, '.a.yaml.swp'), 'changed')
        renameSync(join(folder, '.a.yaml.swp'), join(folder, 'a.yaml'))
      },
    ],
    [
      'delete and create',
      folder => {
        rmSync(join(folder, 'a.yaml'))
        writeFileSync(join(folder, 'a.yaml'), 'again')
      },
    ],
    [
      'a new folder with a file',
      folder => {
        mkdirSync(join(folder, 'sub'))
        writeFileSync(join(folder, 'sub/b.yaml'), 'x')
      },
    ],
  ])('calls back after %s', async (_, act) => {
    const folder = join(root, 'configs')
    mkdirSync(folder)
    writeFileSync(join(folder, 'a.yaml'), 'first')
    const { calls } = await watch([folder])
    const next = calls.next()
    act(folder)
    await next
    expect(calls.count).toBeGreaterThanOrEqual(1)
  })

  it('makes one call of a hundred changes', async () => {
    const { calls } = await watch([root], 300)
    const next = calls.next()
    for (let i = 0; i < 100; i++) writeFileSync(join(root, `f${i}.yaml`), 'x')
    await next
    expect(calls.count).toBe(1)
  })

  it('notices a folder that comes into being later', async () => {
    const { calls } = await watch([join(root, 'configs/schedules')])
    const next = calls.next()
    mkdirSync(join(root, 'configs/schedules'), { recursive: true })
    writeFileSync(join(root, 'configs/schedules/a.yaml'), 'x')
    await next
    expect(calls.count).toBeGreaterThanOrEqual(1)
  })

  it('notices the swap of a ConfigMap', async () => {
    mkdirSync(join(root, '..v1'))
    mkdirSync(join(root, '..v2'))
    writeFileSync(join(root, '..v1/a.yaml'), 'one')
    writeFileSync(join(root, '..v2/a.yaml'), 'two')
    symlinkSync('..v1', join(root, '..data'))
    symlinkSync('..data/a.yaml', join(root, 'a.yaml'))
    const { calls } = await watch([root])
    const next = calls.next()
    symlinkSync('..v2', join(root, '..data_tmp'))
    renameSync(join(root, '..data_tmp'), join(root, '..data'))
    await next
    expect(calls.count).toBeGreaterThanOrEqual(1)
  })

  it('watches a folder that is hidden itself, and a file that was added', async () => {
    mkdirSync(join(root, '.hidden'))
    writeFileSync(join(root, 'far.yaml'), 'x')
    const { calls, watched } = await watch([join(root, '.hidden')])
    const first = calls.next()
    writeFileSync(join(root, '.hidden/a.yaml'), 'x')
    await first
    watched.add([join(root, 'far.yaml')])
    const second = calls.next()
    // The added path is ready at an unknown moment: keep changing it until one change is noticed.
    let turn = 0
    const timer = setInterval(() => writeFileSync(join(root, 'far.yaml'), `x${turn++}`), 250)
    await second
    clearInterval(timer)
    expect(calls.count).toBeGreaterThanOrEqual(2)
  })

  it('calls back under changes that never pause', async () => {
    const { calls } = await watch([root], 40)
    const next = calls.next()
    let turn = 0
    const timer = setInterval(() => writeFileSync(join(root, 'busy.yaml'), `x${turn++}`), 10)
    await next
    clearInterval(timer)
    expect(turn).toBeGreaterThan(1)
  })

  it('is silent after close', async () => {
    const { calls, watched } = await watch([root])
    const next = calls.next()
    writeFileSync(join(root, 'a.yaml'), 'x')
    await next
    await watched.close()
    const before = calls.count
    const other = await watch([root])
    const seen = other.calls.next()
    writeFileSync(join(root, 'b.yaml'), 'x')
    await seen
    expect(calls.count).toBe(before)
  })
})

describe('hot reload', () => {
  it('goes from good to broken to good, by files alone', async () => {
    mkdirSync(join(root, 'configs/schedules'), { recursive: true })
    mkdirSync(join(root, 'configs/dags'), { recursive: true })
    writeFileSync(
      join(root, 'configs/dags/d.yaml'),
      'name: d\ntasks:\n  - {id: a, workflow_ref: shell, params: {command: x}}\n',
    )
    const file = join(root, 'configs/schedules/s.yaml')
    writeFileSync(file, '- {id: one, cron: "@daily", dag: d}\n')
    const source = createDefinitionSource({ root, ...DEFAULT_FOLDERS }, createFileWatch({ settleMs: 100 }))
    const calls = makeCalls()
    stops.push(await source.watch(calls.changed))
    const idsAfter = async (text: string) => {
      const next = calls.next()
      writeFileSync(file, text)
      await next
      const result = await source.load()
      return result.ok ? [...result.definitions.schedules.keys()] : result.problems.map(each => each.message)
    }
    expect(await source.load()).toMatchObject({ ok: true })
    expect(await idsAfter('- {id: two, cron: "@daily", dag: d}\n')).toEqual(['two'])
    expect(await idsAfter('- {id: two, cron: "61 * * * *", dag: d}\n')).toEqual([
      'minute 61 is out of range 0-59',
    ])
    expect(await idsAfter('- {id: three, cron: "@daily", dag: d}\n')).toEqual(['three'])
  })
})
