// What every command is given: settings, words in and out, the way to a scheduler.

import type { Control } from '../api/control.ts'
import type { ResolvedSettings } from '../config.ts'
import type { Instant } from '../core/time/instant.ts'
import type { House } from './house.ts'
import type { Interrupts } from './interrupts.ts'
import type { Environment, Output } from './output.ts'

export interface CommandContext extends ResolvedSettings {
  readonly out: Output
  readonly env: Environment
  /** Where relative paths that a person typed as arguments count from. */
  readonly cwd: string
  /** `--json` was asked for. */
  readonly json: boolean
  /** False with `--no-headers`. */
  readonly headers: boolean
  readonly interrupts: Interrupts
  now(): Instant
  /** The composition; loaded when it is first asked for. */
  house(): Promise<House>
  /** Control of the scheduler that runs on this state, if one does: ask it something to find out. */
  connect(): Promise<Control>
}
