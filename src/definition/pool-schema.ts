// The authored form of pools: `configs/pools.yaml`, a mapping of names. The JSON Schema for editors is made from this.

import { z } from 'zod'
import { ID_PATTERN, ID_WORDS } from '../core/ids.ts'
import { POOL_LIMITS } from '../core/schedule/pool.ts'
import type { FieldWords } from './expected-words.ts'

const slots = z.int().min(1).max(POOL_LIMITS.slots)

const PoolEntry = z.union([
  slots,
  z.strictObject({
    slots: slots.meta({
      description: 'How much runs of this pool may hold at once, counted by their weights.',
      examples: [4],
    }),
    description: z
      .string()
      .max(2_000)
      .optional()
      .meta({ description: 'For people. Not evaluated.', examples: ['Connections to the warehouse'] }),
  }),
])

const MEANING = {
  title: 'Dagbok pools',
  description: 'Names of pools and their slots: configs/pools.yaml.',
  examples: [{ warehouse: 4, reports: { slots: 2, description: 'Licences of the report printer' } }],
}

export const PoolFile = z.record(z.string().regex(ID_PATTERN), PoolEntry).meta(MEANING)

/** The same, but for the names, which are checked one by one (definition/pool-file.ts). */
export const AnyNamePoolFile = z.record(z.string(), PoolEntry)

export const POOL_MAPPING = 'pools (a mapping of names to slots)'

/** What each field is, under the names that a file has. */
export function poolWords(names: readonly string[]): FieldWords {
  const words: Record<string, FieldWords[string]> = {
    '': { expected: POOL_MAPPING, example: 'warehouse: 4' },
  }
  for (const name of names) {
    words[name] = {
      expected: `a number of slots (1 to ${POOL_LIMITS.slots}), or a mapping with slots`,
      example: `${name}: 4`,
    }
    words[`${name}.slots`] = {
      expected: `a number of slots (1 to ${POOL_LIMITS.slots})`,
      example: 'slots: 4',
      aliases: ['size', 'limit', 'max', 'capacity', 'count'],
    }
    words[`${name}.description`] = {
      expected: 'a text (at most 2000 characters)',
      example: 'description: what it is for',
      aliases: ['comment', 'note'],
    }
  }
  return words
}

/** `pool` and `priority` of a schedule. */
export const SchedulePool = z.union([
  z.string().regex(ID_PATTERN),
  z.strictObject({
    name: z
      .string()
      .regex(ID_PATTERN)
      .meta({ description: 'The pool.', examples: ['warehouse'] }),
    weight: z
      .int()
      .min(1)
      .max(POOL_LIMITS.weight)
      .default(1)
      .meta({ description: 'How many of its slots each run holds.', examples: [1, 2] }),
  }),
])

export const Priority = z.int().min(-POOL_LIMITS.priority).max(POOL_LIMITS.priority)

export const SCHEDULE_POOL_WORDS: FieldWords = {
  '[].pool': {
    expected: 'the name of a pool, or a mapping with name and weight',
    example: 'pool: warehouse',
    aliases: ['pools', 'resource', 'resource_pool', 'concurrency_pool'],
  },
  '[].pool.name': { expected: ID_WORDS, example: 'name: warehouse', aliases: ['pool', 'id'] },
  '[].pool.weight': {
    expected: `a number of slots (1 to ${POOL_LIMITS.weight})`,
    example: 'weight: 2',
    aliases: ['slots', 'pool_slots', 'size', 'count'],
  },
  '[].priority': {
    expected: `a whole number (-${POOL_LIMITS.priority} to ${POOL_LIMITS.priority})`,
    example: 'priority: 10',
    aliases: ['priority_weight', 'prio', 'importance'],
  },
}
