// Writes schemas/ for the authored forms: calendar, dag and schedule. Run it after a change of the authored forms:
//   node scripts/generate-schemas.ts

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeJsonSchemas } from '../src/definition/json-schema.ts'

for (const [name, text] of Object.entries(makeJsonSchemas())) {
  const path = fileURLToPath(new URL(`../schemas/${name}`, import.meta.url))
  writeFileSync(path, text)
  process.stdout.write(`${path}\n`)
}
