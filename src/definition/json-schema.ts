// The JSON Schemas of the authored forms, for editors: made from the zod schemas that the loader itself uses, so that
// both say the same. draft-07, because editors' YAML support knows no newer one (docs/guides/definitions.md).

import { z } from 'zod'
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
    'manifest.schema.json': formatSchema(ManifestFile),
    'pools.schema.json': formatSchema(PoolFile),
    'schedule.schema.json': formatSchema(ScheduleFile),
  }
}

function formatSchema(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }), null, 2)}\n`
}
