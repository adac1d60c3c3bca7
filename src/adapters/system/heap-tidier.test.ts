import { expect, test } from 'vitest'
import { createHeapTidier } from './heap-tidier.ts'

function openHeap(used: number) {
  const heap = { used, collected: [] as string[] }
  const tidy = createHeapTidier(
    options => {
      heap.collected.push(options!.type)
      if (options!.type === 'major') heap.used = 15_000_000
    },
    () => heap.used,
  )!
  return { heap, tidy }
}

test('the young are collected each time, all of it only when enough has gathered since', () => {
  const { heap, tidy } = openHeap(20_000_000)
  tidy()
  expect(heap.collected).toEqual(['minor', 'major'])
  heap.used += 2_900_000
  tidy()
  expect(heap.collected).toEqual(['minor', 'major', 'minor'])
  heap.used += 200_000
  tidy()
  expect(heap.collected.slice(3)).toEqual(['minor', 'major'])
})

test('a large heap is never stopped for a whole collection', () => {
  const { heap, tidy } = openHeap(300_000_000)
  tidy()
  heap.used += 100_000_000
  tidy()
  expect(heap.collected).toEqual(['minor', 'minor'])
})

test('without --expose-gc there is nothing to call', () => {
  const { gc } = globalThis
  globalThis.gc = undefined as never
  try {
    expect(createHeapTidier()).toBeUndefined()
  } finally {
    globalThis.gc = gc as never
  }
})
