// A page of memory that two threads share: one notes where it is, the other reads that after the first has died of it.

const PAGE_BYTES = 4_096

/** A page with nothing on it. */
export function createPlace(): SharedArrayBuffer {
  return new SharedArrayBuffer(PAGE_BYTES)
}

/** Replaces what stands on the page; a text that is too long is cut. */
export function notePlace(page: SharedArrayBuffer, text: string): void {
  const bytes = Buffer.from(page)
  bytes.writeUInt32LE(0)
  bytes.writeUInt32LE(bytes.write(text, 4), 0)
}

/** What was noted last; undefined if nothing was. */
export function readPlace(page: SharedArrayBuffer): string | undefined {
  const bytes = Buffer.from(page)
  const length = bytes.readUInt32LE(0)
  return length === 0 ? undefined : bytes.toString('utf8', 4, 4 + length)
}
