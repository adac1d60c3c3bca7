// Four schedulers start at the same moment on the same state (R18): one gets it, the others say who has it and end with
// 5; when it is killed the next one gets in without waiting for anything to expire.

import { afterEach, expect, test } from 'vitest'
import { type Served, Site, until } from './harness.ts'

const ROUNDS = 3
const RIVALS = 4

let site: Site | undefined

afterEach(async () => {
  await site?.remove()
})

async function race(here: Site): Promise<{ holder: Served; refused: number[]; words: string[] }> {
  const rivals = Array.from({ length: RIVALS }, () => here.launch())
  const refused: number[] = []
  const words: string[] = []
  const alive = new Set(rivals)
  for (const rival of rivals) {
    void rival.ended.then(code => {
      alive.delete(rival)
      refused.push(Number(code))
      words.push(rival.said())
    })
  }
  await until('one holder', 40_000, async () => {
    if (alive.size !== 1) return false
    const [holder] = alive
    return holder!.control.status().then(
      ({ pid }) => pid === holder!.pid,
      () => false,
    )
  })
  return { holder: [...alive][0]!, refused, words }
}

test('there is one holder, ever', { timeout: 180_000 }, async () => {
  site = await Site.create()
  for (let round = 0; round < ROUNDS; round++) {
    const { holder, refused, words } = await race(site)
    expect(refused).toEqual(Array.from({ length: RIVALS - 1 }, () => 5))
    for (const said of words) expect(said).toContain(String(holder.pid))
    holder.kill('SIGKILL')
    await holder.ended
  }
  const last = await site.serve()
  await site.settle(last)
  expect(await site.judge(true)).toEqual([])
  const starts = (await site.lines()).filter(({ event }) => event === 'scheduler_started')
  expect(starts.map(line => line['epoch'])).toEqual(starts.map((_, index) => index + 1))
  expect(starts.length).toBe(ROUNDS + 1)
})
