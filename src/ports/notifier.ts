// The notifier: carries a message to a channel.
//
//   N1. `send` never rejects, and takes no longer than the channel's time limit by more than a moment: a channel that cannot
//       be reached, hangs or refuses is a result.
//   N2. Sent twice, a message is delivered twice: it carries its id, by which the receiver knows the repeat.
//   N3. No secret, URL or header is in `error`, which stands in the journal. `detail` is for whoever looks at it now.

import type { Channel } from '../core/notification/channel.ts'
import type { Message } from '../core/notification/message.ts'
import type { NotificationResult } from '../core/state-machine/command.ts'

export type SendResult = NotificationResult & {
  /** What the other side said, or what was wrong in full. */
  readonly detail?: string
}

export interface Notifier {
  /** @param signal aborted when the scheduler stops: nobody waits any more */
  send(message: Message, channel: Channel, signal: AbortSignal): Promise<SendResult>
}
