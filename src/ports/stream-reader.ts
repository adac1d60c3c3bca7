// Streams as a run reads them: a bounded batch on from a position.
//
//   R1. `to` says exactly how far: read again from `from` gives the same records as long as the source keeps them, and
//       from `to` the ones after them. A record that is not whole yet (no line feed) is not read.
//   R2. A rotated file is read to its end before the new one is begun. A source that was replaced or truncated underneath
//       is said, never passed over in silence.
//   R3. What is no record (not JSON, no object, too large) is in `dead` with its error and its place, and counts as read.

import type { JsonObject } from '../core/json.ts'
import type { Stream, StreamPosition } from '../core/stream/stream.ts'

export interface DeadRecord extends JsonObject {
  /** Where it stood, in words: `orders.jsonl:120` */
  place: string
  error: string
  /** As much of it as is worth keeping. */
  text: string
}

export interface StreamBatch {
  readonly records: JsonObject[]
  readonly dead: DeadRecord[]
  readonly to: StreamPosition
  /** There is more behind `to`. */
  readonly more: boolean
}

export interface StreamReader {
  /** @param from undefined: from the beginning */
  read(stream: Stream, from: StreamPosition | undefined, signal: AbortSignal): Promise<StreamBatch>
  /** True if there is anything behind the position. */
  hasMore(stream: Stream, from: StreamPosition | undefined, signal: AbortSignal): Promise<boolean>
}
