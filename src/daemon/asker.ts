// The asker: has the conditions of open slots answered by the world, and puts the answers into the inbox.
//
//   K1. It acts only on durable state: the daemon calls it after each append. What the state says is to be asked is under way
//       once, or has been answered.
//   K2. A slot waits for its own questions only. They are asked at once; the probe keeps their time limits.
//   K3. What is decided meanwhile is not asked any longer. After a restart everything that was open is asked anew.

import { questionsOf } from '../core/condition/condition.ts'
import type { Definitions } from '../core/schedule/definitions.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import type { Command } from '../core/state-machine/command.ts'
import { openSlotOf, slotKeyText } from '../core/state-machine/open-slot.ts'
import type { SlotKey, State } from '../core/state-machine/state.ts'
import { formatSlot } from '../core/time/instant.ts'
import type { ConditionProbe } from '../ports/condition-probe.ts'

export interface AskerOptions {
  readonly state: State
  readonly probe: ConditionProbe
  readonly definitions: () => Definitions
  readonly submit: (command: Command) => Promise<unknown>
}

export class Asker {
  readonly #options: AskerOptions
  /** Slots whose questions are under way, each with what calls them off. */
  readonly #asked = new Map<string, AbortController>()
  #seenVersion = -1
  #closed = false

  constructor(options: AskerOptions) {
    this.#options = options
  }

  /** Compares and acts. Costs nothing when nothing has changed. */
  sync(): void {
    const { state } = this.#options
    if (this.#closed || state.askingVersion === this.#seenVersion) return
    this.#seenVersion = state.askingVersion
    for (const [text, controller] of this.#asked) {
      if (state.asking.has(text)) continue
      this.#asked.delete(text)
      controller.abort()
    }
    for (const key of state.asking.values()) if (!this.#asked.has(slotKeyText(key))) this.#begin(key)
  }

  /** Nothing is asked or answered any more. */
  close(): void {
    this.#closed = true
    for (const controller of this.#asked.values()) controller.abort()
    this.#asked.clear()
  }

  #begin(key: SlotKey): void {
    const { state, definitions } = this.#options
    const schedule = definitions().schedules.get(key.scheduleId)
    const open = openSlotOf(state, key)
    if (schedule === undefined || open === undefined) return
    const controller = new AbortController()
    this.#asked.set(slotKeyText(key), controller)
    void this.#ask(key, open.asks, schedule, controller)
  }

  async #ask(
    key: SlotKey,
    ask: number,
    { id, tenantId, dagName, timing, conditions = [] }: Schedule,
    controller: AbortController,
  ): Promise<void> {
    const { probe, submit } = this.#options
    const { timezone } = timing
    const occasion = { scheduleId: id, tenantId, dagName, slot: formatSlot(key.slot), timezone }
    const answers = await Promise.all(
      questionsOf(conditions).map(question => probe.ask(question, occasion, controller.signal)),
    )
    if (controller.signal.aborted) return
    const submitted = submit({ type: 'answered', ...key, ask, conditions, answers })
    const taken = await submitted.then(
      () => true,
      () => false,
    )
    if (this.#asked.get(slotKeyText(key)) === controller) this.#asked.delete(slotKeyText(key))
    // A loop that takes nothing any more has no use for another try.
    if (!taken) return
    // An answer that decided nothing, because the definitions have changed: it is asked anew.
    this.#seenVersion = -1
    this.sync()
  }
}
