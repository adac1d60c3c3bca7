import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('wakes at the instant asked for, never before it', async () => {
  for (let offset = 0; offset < 20; offset++) {
    const instant = Date.now() + offset
    await new Promise<void>(resolve => systemClock.at(instant, resolve))
    expect(Date.now()).toBeGreaterThanOrEqual(instant)
  }
})

test('an instant that has passed wakes soon, and not before the call has returned', async () => {
  let hasReturned = false
  await new Promise<void>(resolve => {
    systemClock.at(Date.now() - 5_000, () => {
      expect(hasReturned).toBe(true)
      resolve()
    })
    hasReturned = true
  })
})

test('a wake-up that was called off does not come, neither before its timer nor in the last milliseconds', async () => {
  const wake = vi.fn()
  const instant = Date.now() + 10
  systemClock.at(instant, wake)()
  // A clock that stands still one millisecond before: the timer comes, then it turns the event loop and looks.
  const clock = vi.spyOn(Date, 'now').mockReturnValue(instant - 1)
  const callOff = systemClock.at(instant, wake)
  await new Promise<void>(resolve => setTimeout(resolve, 5))
  callOff()
  clock.mockRestore()
  await new Promise<void>(resolve => systemClock.at(instant + 10, resolve))
  expect(wake).not.toHaveBeenCalled()
})

test('wakes when the wall clock was set back meanwhile, so that its owner looks again', async () => {
  const realNow = Date.now
  const instant = realNow() + 30
  const woken = new Promise<void>(resolve => systemClock.at(instant, resolve))
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 3_600_000)
  await woken
  expect(Date.now()).toBeLessThan(instant)
})
