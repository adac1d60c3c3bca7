// Definitions for commands that need good ones: all problems are printed, then the command ends with 3.

import type { Definitions } from '../core/schedule/definitions.ts'
import type { CommandContext } from './context.ts'

/** @throws DefinitionsInvalidError (exit 3), with every problem */
export async function loadGoodDefinitions({ house, settings }: CommandContext): Promise<Definitions> {
  const result = await (await house()).loadDefinitions(settings)
  if (result.ok) return result.definitions
  const { DefinitionsInvalidError } = await import('../definition/problem.ts')
  throw new DefinitionsInvalidError(result.problems)
}
