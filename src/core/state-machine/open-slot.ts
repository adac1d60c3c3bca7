// Open slots in the state: due, and not decided before the world has answered their conditions. Where they are kept, and how
// they come and go.
//
//   S1 of state.ts holds: only `evolve` changes facts here. `ask` moves a slot between two lines, which is order.

import { type Instant, parseInstant } from '../time/instant.ts'
import type { SlotDeferred } from './event.ts'
import { type OpenSlot, type SlotKey, type State, scheduleOf } from './state.ts'

/** One text per (schedule, slot). */
export function slotKeyText({ scheduleId, slot }: SlotKey): string {
  return `${scheduleId}\n${slot}`
}

/** Puts an open slot where its schedule and the asker find it. */
export function addOpenSlot(state: State, scheduleId: string, open: OpenSlot): void {
  const schedule = scheduleOf(state, scheduleId)
  if (schedule.open === undefined) schedule.open = [open]
  else schedule.open.push(open)
  const key = { scheduleId, slot: open.slot }
  if (open.retryAt === undefined) ask(state, key)
  else state.reasks.put(open.retryAt, key)
}

/** The asker is to ask the conditions of this slot. */
export function ask(state: State, key: SlotKey): void {
  state.asking.set(slotKeyText(key), key)
  state.askingVersion += 1
}

/** The open slot, if it is one. */
export function openSlotOf(state: State, { scheduleId, slot }: SlotKey): OpenSlot | undefined {
  return state.schedules.get(scheduleId)?.open?.find(open => open.slot === slot)
}

/** True if the slot was open; it is not any more. */
export function closeSlot(state: State, scheduleId: string, slot: Instant): boolean {
  const schedule = scheduleOf(state, scheduleId)
  if (schedule.open === undefined) return false
  const left = schedule.open.filter(open => open.slot !== slot)
  if (left.length === schedule.open.length) return false
  schedule.open = left.length === 0 ? undefined : left
  if (state.asking.delete(slotKeyText({ scheduleId, slot }))) state.askingVersion += 1
  return true
}

/** Its conditions did not decide it. @throws Error if it is not open */
export function deferSlot(state: State, event: SlotDeferred): void {
  const key = { scheduleId: event.schedule_id, slot: parseInstant(event.slot) }
  const open = openSlotOf(state, key)
  if (open === undefined) throw new Error(`the slot ${event.slot} of ${event.schedule_id} is not open`)
  open.asks = event.ask
  open.retryAt = parseInstant(event.retry_at)
  if (state.asking.delete(slotKeyText(key))) state.askingVersion += 1
  state.reasks.put(open.retryAt, key)
}
