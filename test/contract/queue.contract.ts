// What every queue promises (ports/queue.ts), as tests that any implementation runs.

import { describe, expect, test } from 'vitest'
import type { Queue } from '../../src/ports/queue.ts'

/** A piece of work that begins when it is called and ends when `end` is. */
function createWork() {
  let end = () => {}
  let begun = false
  const done = new Promise<void>(resolve => {
    end = resolve
  })
  const work = () => {
    begun = true
    return done
  }
  return {
    work,
    end: () => end(),
    get begun() {
      return begun
    },
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

export function describeQueue(label: string, make: (concurrency: number) => Queue): void {
  describe(`queue contract: ${label}`, () => {
    test('so many at once, in the order put', async () => {
      const queue = make(2)
      const all = Array.from({ length: 4 }, createWork)
      for (const { work } of all) queue.put(work)
      await turn()
      expect(all.map(({ begun }) => begun)).toEqual([true, true, false, false])
      expect(queue.size).toBe(4)
      all[1]!.end()
      await turn()
      expect(all.map(({ begun }) => begun)).toEqual([true, true, true, false])
      expect(queue.size).toBe(3)
      for (const { end } of all) end()
      await queue.idle()
      expect(all[3]!.begun).toBe(true)
      expect(queue.size).toBe(0)
    })

    test('an idle queue is idle at once', async () => {
      await make(1).idle()
    })

    test('work that fails or throws gives its place back', async () => {
      const queue = make(1)
      const after = createWork()
      queue.put(() => Promise.reject(new Error('rejected')))
      queue.put(() => {
        throw new Error('thrown')
      })
      queue.put(after.work)
      after.end()
      await queue.idle()
      expect(after.begun).toBe(true)
    })

    test('close drops what has not begun and waits for what has', async () => {
      const queue = make(1)
      const [first, second] = [createWork(), createWork()]
      queue.put(first.work)
      queue.put(second.work)
      await turn()
      let closed = false
      const closing = queue.close().then(() => {
        closed = true
      })
      await turn()
      expect(closed).toBe(false)
      first.end()
      await closing
      await turn()
      expect(second.begun).toBe(false)
    })

    test('nothing is dropped and nothing overtakes, a thousand deep', async () => {
      const queue = make(3)
      const order: number[] = []
      let most = 0
      let now = 0
      for (let n = 0; n < 1_000; n++)
        queue.put(async () => {
          order.push(n)
          most = Math.max(most, ++now)
          await null
          now -= 1
        })
      await queue.idle()
      expect(order).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
      expect(most).toBe(3)
    })
  })
}
