// Who is told of a DAG's runs, as authored: `notification_type notify late_after failures_in_row`, at the top of a DAG file
// or under `dag:`. Whether a channel exists is another file's to say.

import { z } from 'zod'
import {
  DEFAULT_NOTIFICATION_TYPE,
  NOTIFICATION_TYPES,
  type Notification,
  type NotificationType,
} from '../core/dag/notification.ts'
import { ID_PATTERN, ID_WORDS } from '../core/ids.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { formatDuration, parseDuration } from '../core/time/duration.ts'
import { checkLength, DURATION_PATTERN, DURATION_WORDS } from './duration-text.ts'
import type { FieldWords } from './expected-words.ts'
import type { ProblemList } from './problem.ts'
import type { Span } from './source-text.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

const CHANNELS_MAX = 20
const FAILURES_MAX = 1_000

const NotificationKind = z.enum(NOTIFICATION_TYPES)
const Channel = z.string().regex(ID_PATTERN)

export const NOTIFICATION_FIELDS = {
  notification_type: z
    .union([NotificationKind, z.array(NotificationKind).min(1).max(NOTIFICATION_TYPES.length)])
    .optional()
    .meta({
      description: `Of which ends of a run \`notify\` is told, one or a list. Default: ${DEFAULT_NOTIFICATION_TYPE}.`,
      examples: ['ON_ERROR', ['ON_ERROR', 'ON_RECOVERY']],
    }),
  notify: z
    .array(Channel)
    .min(1)
    .max(CHANNELS_MAX)
    .optional()
    .meta({ description: 'Channels that are told, by their names.', examples: [['SUPPORT']] }),
  late_after: z
    .string()
    .regex(DURATION_PATTERN)
    .optional()
    .meta({
      description: 'Of ON_LATE: a run that has not ended so long after its slot is late.',
      examples: ['1h'],
    }),
  failures_in_row: z
    .int()
    .min(1)
    .max(FAILURES_MAX)
    .optional()
    .meta({
      description: 'ON_ERROR is told from so many failures in a row on. Default: 1.',
      examples: [3],
    }),
}

const TYPES = NOTIFICATION_TYPES.join(', ').replace(/, ([^,]*)$/, ' or $1')

/** @param prefix `` or `dag.` */
export function notificationWords(prefix: string): FieldWords {
  return {
    [`${prefix}notification_type`]: {
      expected: TYPES,
      example: 'notification_type: ON_ERROR',
      aliases: ['notification_types', 'notify_on', 'notify_when', 'on'],
    },
    [`${prefix}notification_type[]`]: { expected: TYPES, example: '- ON_ERROR' },
    [`${prefix}notify`]: {
      expected: `a list of channels (1 to ${CHANNELS_MAX})`,
      example: 'notify: [SUPPORT]',
      aliases: ['channels', 'notifications', 'alert', 'recipients'],
    },
    [`${prefix}notify[]`]: { expected: ID_WORDS, example: '- SUPPORT' },
    [`${prefix}late_after`]: {
      expected: DURATION_WORDS,
      example: 'late_after: 1h',
      aliases: ['sla', 'deadline', 'late'],
    },
    [`${prefix}failures_in_row`]: {
      expected: `a number of failures (1 to ${FAILURES_MAX})`,
      example: 'failures_in_row: 3',
      aliases: ['failures_in_a_row', 'failures', 'threshold'],
    },
  }
}

/** Every channel that is named, with its place. */
export function channelsOf(entry: JsonObject, path: Path, tree: YamlTree): { name: string; place: Span }[] {
  return listOf(entry['notify']).flatMap((name, index) =>
    typeof name === 'string' ? [{ name, place: tree.locate([...path, 'notify', index]) }] : [],
  )
}

/** Adds what the schema cannot see. Fields of a wrong type are skipped. */
export function checkNotification(
  entry: JsonObject,
  path: Path,
  tree: YamlTree,
  problems: ProblemList,
): void {
  const { notification_type: types, notify, late_after: lateAfter } = entry
  checkLength(lateAfter, [...path, 'late_after'], tree, problems)
  if (notify === undefined)
    for (const key of ['notification_type', 'late_after', 'failures_in_row'])
      if (entry[key] !== undefined)
        problems.add(tree.locateKey(path, key), `"${key}" is of no use: nobody is told`, {
          help: 'add notify: [SUPPORT], or remove it',
        })
  const asksLate = listOf(types).includes('ON_LATE')
  if (asksLate && lateAfter === undefined)
    problems.add(tree.locateKey(path, 'notification_type'), 'ON_LATE needs late_after: when is a run late?', {
      help: 'add late_after: 1h',
    })
  if (!asksLate && lateAfter !== undefined && notify !== undefined)
    problems.add(tree.locateKey(path, 'late_after'), '"late_after" is of no use without ON_LATE', {
      help: 'write notification_type: [ON_ERROR, ON_LATE], or remove it',
    })
}

interface AuthoredNotification {
  readonly notification_type?: NotificationType | NotificationType[] | undefined
  readonly notify?: string[] | undefined
  readonly late_after?: string | undefined
  readonly failures_in_row?: number | undefined
}

/** Of a checked entry. Undefined: nobody is told. */
export function notificationOf(entry: AuthoredNotification): Notification | undefined {
  const { notification_type: types, notify, late_after: lateAfter, failures_in_row: failures = 1 } = entry
  if (notify === undefined) return undefined
  return {
    types: types === undefined ? [DEFAULT_NOTIFICATION_TYPE] : [...new Set([types].flat())],
    channels: [...new Set(notify)],
    ...(lateAfter !== undefined && { lateAfterMs: parseDuration(lateAfter) }),
    failuresInRow: failures,
  }
}

/** The other way: what `notificationOf` makes the same of. */
export function authorNotification(notification: Notification | undefined): JsonObject {
  if (notification === undefined) return {}
  const { types, channels, lateAfterMs, failuresInRow } = notification
  return {
    notification_type: types.length === 1 ? types[0]! : [...types],
    notify: [...channels],
    ...(lateAfterMs !== undefined && { late_after: formatDuration(lateAfterMs) }),
    ...(failuresInRow !== 1 && { failures_in_row: failuresInRow }),
  }
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
