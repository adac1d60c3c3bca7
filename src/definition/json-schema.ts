// The JSON Schemas of the authored forms, for editors: made from the zod schemas that the loader itself uses, so that
// both say the same. draft-07, because editors' YAML support knows no newer one (docs/guides/definitions.md).

import { z } from 'zod'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { CalendarFile } from './calendar-schema.ts'
import { NotificationFile } from './channel-schema.ts'
import { DagFile } from './dag-schema.ts'
import { ManifestFile } from './manifest-schema.ts'
import { PoolFile } from './pool-schema.ts'
import { ScheduleFile } from './schedule-schema.ts'

/** File name under schemas/ → its text, newline at the end. */
export function makeJsonSchemas(): Record<string, string> {
  return {
    'calendar.schema.json': formatSchema(CalendarFile),
    'dag.schema.json': formatSchema(DagFile),
    'notifications.schema.json': formatSchema(NotificationFile),
    'manifest.schema.json': formatSchema(ManifestFile, allowVars),
    'pools.schema.json': formatSchema(PoolFile),
    'schedule.schema.json': formatSchema(ScheduleFile),
  }
}

function formatSchema(schema: z.ZodType, change: (schema: JsonObject) => Json = same => same): string {
  const made = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) as JsonObject
  return `${JSON.stringify(change(made), null, 2)}\n`
}

/** What an editor may see in the place of a value: the loader has filled vars in before it looks. */
const VARS = { type: 'string', pattern: '\\{\\{\\s*vars\\.' }

/** The same schema, with `{{vars.name}}` allowed wherever a single value is held to more than being a text. */
function allowVars(schema: JsonObject): JsonObject {
  const changed: JsonObject = {}
  for (const [key, value = null] of Object.entries(schema)) {
    if (key === 'properties' || key === 'definitions') changed[key] = mapValues(value as JsonObject)
    else if (key === 'items' || key === 'not') changed[key] = allowVars(value as JsonObject)
    else if (key === 'anyOf' && Array.isArray(value))
      changed[key] = value.map(each => (isJsonObject(each) ? allowVars(each) : each))
    else changed[key] = value
  }
  const { type } = schema
  const isHeld = schema['pattern'] !== undefined || schema['enum'] !== undefined
  if (!(type === 'integer' || type === 'boolean' || (type === 'string' && isHeld))) return changed
  const { description, examples, default: usual, ...held } = changed
  return {
    ...(description !== undefined && { description }),
    ...(examples !== undefined && { examples }),
    ...(usual !== undefined && { default: usual }),
    anyOf: [held, VARS],
  }
}

function mapValues(schemas: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      isJsonObject(schema) ? allowVars(schema) : schema,
    ]),
  )
}
