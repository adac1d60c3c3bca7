// `scheduler --once`: one tick, what it enqueued run to its end, a summary. Exit 1 if a run did not succeed.

import type { OnceReport } from '../../api/session.ts'
import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { logTo } from '../log-lines.ts'
import { type Channel, plain, writeJson } from '../output.ts'
import { endedWell, quoteWord } from '../render/run-summary.ts'
import { renderTable } from '../render/table.ts'
import { formatSeconds } from '../render/time.ts'
import { stopOnSignal } from '../stopping.ts'

export async function run(context: CommandContext): Promise<number> {
  const { settings, out, json } = context
  const session = await (await context.house()).openSession(settings, 'once')
  session.onEvent(logTo(out.note, settings.logLevel))
  const stopping = stopOnSignal(context, session)
  try {
    const report = await session.once()
    const cutShort = await stopping.finish('the tick is done')
    if (json) writeJson(out.data, 'OnceReport', report)
    else writeReport(out.data, report)
    if (cutShort !== undefined) return cutShort
    return report.runs.every(({ status }) => endedWell(status)) ? EXIT.ok : EXIT.runFailed
  } catch (error) {
    await session.stop({ now: true, reason: 'it failed' }).catch(() => undefined)
    throw error
  } finally {
    stopping.release()
  }
}

function writeReport(channel: Channel, { enqueued, skipped, missed, runs, unfinished }: OnceReport): void {
  channel.line(`Slots: ${enqueued} enqueued, ${skipped} skipped, ${missed} missed`)
  const rows = [
    ...runs.map(run => [
      '',
      run.run_id,
      channel.style(endedWell(run.status) ? 'green' : 'red', run.status),
      formatSeconds(run.duration_ms),
      run.error === undefined ? '' : plain(run.error),
    ]),
    ...unfinished.map(runId => [
      '',
      runId,
      channel.style('yellow', 'unfinished'),
      '',
      'the next start goes on with it',
    ]),
  ]
  const columns = [
    { title: '' },
    { title: '' },
    { title: '' },
    { title: '', align: 'right' },
    { title: '' },
  ] as const
  for (const line of renderTable(columns, rows, false)) channel.line(line)
  const count = (status: string) => runs.filter(run => run.status === status).length
  const totals = [`${count('success')} succeeded`, `${count('failed')} failed`]
  for (const status of ['partial', 'skipped', 'cancelled'])
    if (count(status) > 0) totals.push(`${count(status)} ${status}`)
  if (unfinished.length > 0) totals.push(`${unfinished.length} unfinished`)
  channel.line(`Runs: ${totals.join(', ')}`)
  const failed = runs.find(({ status }) => status === 'failed' || status === 'partial')
  if (failed) channel.line(`see: scheduler logs ${quoteWord(failed.run_id)}`)
}
