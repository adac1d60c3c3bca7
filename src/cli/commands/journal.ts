// `scheduler journal verify|rebuild-index|path`.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { writeJson } from '../output.ts'
import { renderTable } from '../render/table.ts'
import { UsageError } from '../usage.ts'

export async function run(context: CommandContext, action: string): Promise<number> {
  switch (action) {
    case 'path':
      return showPath(context)
    case 'verify':
      return verify(context)
    case 'rebuild-index':
      return rebuild(context)
    default:
      throw new UsageError(
        `journal: expected verify, rebuild-index or path, got ${JSON.stringify(action)}`,
        '`scheduler journal verify` checks every line of the journal',
      )
  }
}

function showPath({ settings, out, json }: CommandContext): number {
  if (json) {
    const { statePath, stateDir, eventsPath, socketPath } = settings
    writeJson(out.data, 'JournalPath', {
      path: statePath,
      directory: stateDir,
      events: eventsPath,
      socket: socketPath,
    })
  } else out.data.line(settings.statePath)
  return EXIT.ok
}

async function verify({ settings, out, json, headers, house }: CommandContext): Promise<number> {
  const report = await (await house()).verifyJournal(settings)
  const good = report.problems.length === 0 && report.segments.every(segment => segment.ok)
  if (json) {
    writeJson(out.data, 'JournalReport', { ok: good, segments: report.segments, problems: report.problems })
    return good ? EXIT.ok : EXIT.journalDamaged
  }
  const columns = [
    { title: 'SEGMENT' },
    { title: 'LINES', align: 'right' },
    { title: 'FIRST', align: 'right' },
    { title: 'LAST', align: 'right' },
    { title: 'BYTES', align: 'right' },
    { title: 'STATE' },
  ] as const
  const rows = report.segments.map(({ file, lines, firstSeq, lastSeq, bytes, ok }) => [
    file,
    ...[lines, firstSeq, lastSeq, bytes].map(String),
    out.data.style(ok ? 'green' : 'red', ok ? 'ok' : 'damaged'),
  ])
  for (const line of renderTable(columns, rows, headers)) out.data.line(line)
  for (const { file, line, offset, reason } of report.problems) {
    out.data.line(`${file}:${line} (byte ${offset}): ${reason}`)
  }
  if (report.segments.length === 0 && good) out.note.line(`there is no journal at ${settings.statePath} yet`)
  return good ? EXIT.ok : EXIT.journalDamaged
}

async function rebuild({ settings, out, json, house }: CommandContext): Promise<number> {
  const result = await (await house()).rebuildIndex(settings)
  if (json) writeJson(out.data, 'IndexRebuilt', { ...result })
  else {
    const rate =
      result.durationMs > 0 ? Math.round((result.events * 1000) / result.durationMs) : result.events
    out.data.line(
      `run index built again: ${result.events} events in ${Math.round(result.durationMs)} ms (${rate} events/s)`,
    )
  }
  return EXIT.ok
}
