// `scheduler config`: every setting, its value, and where it came from.

import { SETTING_SPECS } from '../../config.ts'
import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { writeJsonList } from '../output.ts'
import { renderTable } from '../render/table.ts'

export async function run({ settings, sources, out, json, headers }: CommandContext): Promise<number> {
  const items = SETTING_SPECS.map(({ name, flag, env, key }) => ({
    name,
    value: settings[name],
    source: sources[name].from,
    ...(sources[name].name === undefined ? {} : { said_by: sources[name].name }),
    flag,
    env,
    ...(key === undefined ? {} : { key }),
  }))
  if (json) {
    writeJsonList(out.data, 'SettingList', items)
    return EXIT.ok
  }
  const rows = items.map(({ name, value, source, said_by, env }) => [
    name,
    Array.isArray(value) ? value.join(':') : String(value),
    said_by === undefined ? source : `${source} ${said_by}`,
    env,
  ])
  const columns = [{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'SOURCE' }, { title: 'VARIABLE' }]
  for (const line of renderTable(columns, rows, headers)) out.data.line(line)
  return EXIT.ok
}
