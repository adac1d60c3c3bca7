// `scheduler notify test <channel>`: sends a test message now, from this process, and says what the other side answered.
// Nothing is recorded, and no scheduler is needed.

import { DagbokError, EXIT } from '../../core/error.ts'
import { findNearest } from '../../core/nearest.ts'
import { makeMessage } from '../../core/notification/message.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { CommandContext } from '../context.ts'
import { loadGoodDefinitions } from '../definitions.ts'
import { plain, writeJson } from '../output.ts'
import { UsageError } from '../usage.ts'

/** @throws DagbokError CHANNEL_NOT_FOUND (exit 4), NOTIFICATION_NOT_SENT (exit 1) */
export async function run(context: CommandContext, action: string, name: string): Promise<number> {
  if (action !== 'test') throw new UsageError(`unknown action "${action}"`, 'scheduler notify test <channel>')
  const { channels } = await loadGoodDefinitions(context)
  const channel = channels.get(name)
  if (channel === undefined) {
    const near = findNearest(name, [...channels.keys()])
    throw new DagbokError('CHANNEL_NOT_FOUND', `no channel has the name "${name}"`, {
      hint:
        near !== undefined
          ? `did you mean "${near}"?`
          : channels.size === 0
            ? `write ${context.settings.notificationsFile}`
            : `channels: ${[...channels.keys()].join(', ')}`,
      exitCode: EXIT.notFound,
    })
  }
  const now = context.now()
  const message = makeMessage(
    name,
    [
      {
        id: `test-${now}`,
        channel: name,
        type: 'TEST',
        outcome: 'test',
        subject: 'Dagbok: a test',
        summary: `somebody asked at ${formatInstant(now)} whether the channel ${name} works: it does`,
        queuedAt: now,
        giveUpAt: now,
      },
    ],
    'test',
  )
  const notifier = (await context.house()).createNotifier(context.settings)
  const { detail, ...result } = await notifier.send(message, channel, new AbortController().signal)
  if (result.kind !== 'sent')
    throw new DagbokError('NOTIFICATION_NOT_SENT', `the channel ${name} did not take it: ${result.error}`, {
      ...(detail === undefined ? {} : { hint: plain(detail) }),
      exitCode: EXIT.runFailed,
    })
  if (context.json) writeJson(context.out.data, 'NotificationTest', { channel: name, sent: true })
  else context.out.data.line(`sent to ${name} (${channel.target.kind})`)
  return EXIT.ok
}
