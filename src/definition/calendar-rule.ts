// A rule of a calendar file: which kind it is, whether it has what its kind needs, and whether its day can exist.

import { isJsonObject } from '../core/json.ts'
import { checkMonthDay, type EntryCheck, refuseKeys } from './calendar-entry.ts'
import type { Path } from './yaml-tree.ts'

/** The key that makes a rule what it is → the keys that it needs, and those that say nothing beside it. */
const KINDS: Readonly<Record<string, { needs: readonly string[]; refuses: readonly string[] }>> = {
  day: { needs: [], refuses: ['weekday', 'month', 'orthodox'] },
  nth: { needs: ['weekday', 'month'], refuses: ['orthodox'] },
  easter: { needs: [], refuses: ['weekday', 'month'] },
  on_or_after: { needs: ['weekday'], refuses: ['month', 'orthodox'] },
  on_or_before: { needs: ['weekday'], refuses: ['month', 'orthodox'] },
}

const EXAMPLES: Readonly<Record<string, string>> = { weekday: 'weekday: MON', month: 'month: 11' }

/** Adds what is wrong with a rule beyond its form. */
export function checkRule(entry: unknown, path: Path, check: EntryCheck): void {
  if (!isJsonObject(entry)) return
  const { tree, problems } = check
  const kinds = Object.keys(KINDS).filter(key => Object.hasOwn(entry, key))
  const [kind] = kinds
  if (kind === undefined) {
    problems.add(tree.locate(path), 'missing key: a rule has day, nth, easter, on_or_after or on_or_before', {
      help: 'for example {day: 12-25, name: Christmas Day}',
    })
    return
  }
  if (kinds.length > 1) {
    problems.add(tree.locate(path), `expected one of ${kinds.join(', ')}, got ${kinds.length} of them`, {
      help: 'make it a rule for each',
    })
    return
  }
  const { needs, refuses } = KINDS[kind]!
  for (const key of needs)
    if (!Object.hasOwn(entry, key))
      problems.add(tree.locate(path), `missing key "${key}" beside "${kind}"`, {
        help: `add ${EXAMPLES[key]}`,
      })
  refuseKeys(entry, refuses, kind, 'remove it, or make it a rule of its own', path, check)
  if (entry['nth'] === 0)
    problems.add(tree.locate([...path, 'nth']), 'expected a number from -5 to 5 other than 0, got 0', {
      help: '1 is the first one, -1 the last one',
    })
  for (const key of ['day', 'on_or_after', 'on_or_before']) checkMonthDay(entry[key], [...path, key], check)
  const { from_year: from, until_year: until } = entry
  if (typeof from === 'number' && typeof until === 'number' && from > until)
    problems.add(tree.locate([...path, 'until_year']), `the years are empty: ${until} is before ${from}`, {
      help: 'swap from_year and until_year',
    })
}
