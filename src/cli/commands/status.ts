// `scheduler status`: what the running scheduler is doing; without one, when the last one stopped (exit 6).

import type { StatusAnswer } from '../../api/control.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { Event } from '../../core/state-machine/event.ts'
import { isUserEvent } from '../../core/state-machine/event.ts'
import { parseInstant } from '../../core/time/instant.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../house.ts'
import { plain, writeJson } from '../output.ts'
import { isAbsent } from '../reach.ts'
import { renderTable } from '../render/table.ts'
import { formatSpan, formatStamp } from '../render/time.ts'

export async function run(context: CommandContext): Promise<number> {
  let status: StatusAnswer
  try {
    status = await (await context.connect()).status()
  } catch (error) {
    if (isAbsent(error)) return describeAbsence(context)
    throw error
  }
  if (context.json) writeJson(context.out.data, 'Status', status)
  else describePresence(context, status)
  return EXIT.ok
}

function describePresence({ out, headers, now }: CommandContext, status: StatusAnswer): void {
  const line = (name: string, value: string) => out.data.line(`${name.padEnd(11)} ${value}`)
  const colour = status.state === 'running' ? 'green' : 'yellow'
  const upFor = formatSpan(now() - parseInstant(status.started_at))
  line(
    'scheduler',
    `${out.data.style(colour, status.state)} for ${upFor}, ${status.mode}, version ${status.version}`,
  )
  line('process', `pid ${status.pid} on ${plain(status.host)}, epoch ${status.epoch}`)
  line('definitions', `${status.schedules} schedules, ${status.dags} dags`)
  for (const error of status.definition_errors) line('', out.data.style('red', plain(error)))
  line('journal', `${status.journal.path}, seq ${status.seq}, ${status.journal.bytes} bytes`)
  if (status.lag.index > 0 || status.lag.feed > 0) {
    line('lag', `index ${status.lag.index}, feed ${status.lag.feed} events`)
  }
  line('runs', `${status.running_runs} running, ${status.queued_runs} queued; ${status.running_tasks} tasks`)
  const [next] = status.next_slots
  line('next', next ? `${next.slot} ${next.schedule_id}` : 'nothing is scheduled')
  for (const { name, slots, held, waiting } of status.pools) {
    const room = slots === undefined ? `${held} held, not defined any more` : `${held} of ${slots} slots held`
    line('pool', `${plain(name)}: ${room}, ${waiting} waiting`)
  }
  for (const { schedule_id, until, reason } of status.paused) {
    const what = schedule_id === undefined ? 'every schedule' : plain(schedule_id)
    line(
      'paused',
      out.data.style('yellow', `${what} ${until === undefined ? '' : `until ${until} `}(${plain(reason)})`),
    )
  }
  for (const { schedule_id, slot, asked, retry_at } of status.open_slots) {
    const again = retry_at === undefined ? 'being asked' : `asked ${asked} times, again at ${retry_at}`
    line('waits', `${plain(schedule_id)} ${slot} for its conditions: ${again}`)
  }
  if (status.runs.length === 0) return
  out.data.line('')
  const rows = status.runs.map(({ run_id, dag_name, status: state, started_at, tasks }) => [
    run_id,
    dag_name,
    state,
    formatStamp(started_at),
    Object.entries(tasks)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
  ])
  const columns = ['RUN', 'DAG', 'STATUS', 'STARTED', 'TASKS'].map(title => ({ title }))
  for (const text of renderTable(columns, rows, headers)) out.data.line(text)
}

async function describeAbsence(context: CommandContext): Promise<number> {
  const { settings, out, json } = context
  const house = await context.house()
  const { holder, alive } = await house.readHolder(settings)
  const last = await findLastStop(context)
  if (json) {
    writeJson(out.data, 'Status', {
      state: alive ? 'unreachable' : 'stopped',
      ...(alive && holder ? { holder } : {}),
      ...(last === undefined ? {} : { last_event: last.event, last_event_at: last.timestamp }),
      journal: { path: settings.statePath },
    })
    return EXIT.daemonUnreachable
  }
  if (alive) {
    const who = holder ? `${holder.mode} with pid ${holder.pid} on ${plain(holder.host)}` : 'someone unknown'
    out.data.line(`no scheduler listens at ${settings.socketPath}, but the state is held: ${who}`)
    return EXIT.daemonUnreachable
  }
  out.data.line('no scheduler is running')
  if (last === undefined) out.data.line(`nothing is in the journal yet (${settings.statePath})`)
  else if (last.event === 'scheduler_stopped') out.data.line(`the last one stopped at ${last.timestamp}`)
  else if (last.event === 'scheduler_stopping') {
    out.data.line(`the last one was stopping at ${last.timestamp} and did not end in order`)
  } else out.data.line(`the last one started at ${last.timestamp} and did not end in order`)
  out.note.line('start one with: scheduler --serve')
  return EXIT.daemonUnreachable
}

/** The newest word of a scheduler about itself. */
async function findLastStop({ house, settings }: CommandContext): Promise<Event | undefined> {
  let reader: Reader
  try {
    reader = await (await house()).openReader(settings)
  } catch (error) {
    if (error instanceof DagbokError && error.code === 'JOURNAL_MISSING') return undefined
    throw error
  }
  try {
    const found = ['scheduler_stopped', 'scheduler_stopping', 'scheduler_started']
      .flatMap(event => reader.index.events({ event, limit: 5 }))
      .filter(event => !isUserEvent(event))
    return found.sort((a, b) => b.seq - a.seq)[0]
  } finally {
    await reader.close()
  }
}
