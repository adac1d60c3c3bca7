import { describe, expect, test } from 'vitest'
import type { PostgresSession } from '../../ports/database.ts'
import { FenceKeeper } from './postgres-fence.ts'

/** A table whose writers come and go with each look at them. */
function tableOf(looks: string[][]): PostgresSession {
  return {
    async query() {
      const writers = looks.length > 1 ? looks.shift()! : looks[0]!
      return { columns: [], rows: writers.map(id => [id]) }
    },
  }
}

const never = new AbortController().signal
const at = (key: string, from?: string) => ({ stream: 's', table: '"t"', from, key })

describe('up to which key a table can be read', () => {
  test('nobody writes: up to the last', async () => {
    expect(await new FenceKeeper().settle(tableOf([[]]), at('7'), 0, never)).toBe('7')
  })

  test('who writes is waited for; who came later is not', async () => {
    const looks = [['a', 'b'], ['b', 'c'], ['c']]
    expect(await new FenceKeeper().settle(tableOf(looks), at('7'), 1_000, never)).toBe('7')
  })

  test('who writes for long: nothing yet, later what was seen then, however many came meanwhile', async () => {
    const fences = new FenceKeeper()
    expect(await fences.settle(tableOf([['a']]), at('7'), 60, never)).toBeUndefined()
    expect(await fences.settle(tableOf([['a', 'b']]), at('8'), 60, never)).toBeUndefined()
    expect(await fences.settle(tableOf([['b', 'c']]), at('9'), 60, never)).toBe('7')
    expect(await fences.settle(tableOf([['c', 'd']]), at('10', '7'), 60, never)).toBeUndefined()
    expect(await fences.settle(tableOf([['e']]), at('11', '7'), 60, never)).toBe('10')
  })

  test('what was seen behind another position says nothing', async () => {
    const fences = new FenceKeeper()
    expect(await fences.settle(tableOf([['a']]), at('7'), 0, never)).toBeUndefined()
    expect(await fences.settle(tableOf([['b']]), at('9', '8'), 0, never)).toBeUndefined()
  })
})
