// The files of a bucket's prefix, page by page.
//
//   1. Each page is waited for `PAGE_MS` at most, slow bodies included, and no longer than the caller's signal allows.
//   2. `folder/` objects of size 0, which consoles make, are no files.
//   3. Nothing is left open: the client of a listing goes with it.

import type { ListObjectsV2CommandOutput, _Object as S3Object } from '@aws-sdk/client-s3'
import { StageError } from '../../ports/stage-reader.ts'
import { isIgnoredKey } from './ignored-keys.ts'
import { type BucketLocation, describeS3Failure, loadS3, nameBucket, openBucket } from './s3-library.ts'
import type { FoundFile } from './selection.ts'
import { withinLimit } from './waiting.ts'

/** A thousand keys: with four tries of a slow server it takes this long at most. */
const PAGE_MS = 60_000

export interface BucketWalk {
  readonly location: BucketLocation
  found(file: FoundFile): void
  readonly signal: AbortSignal
  /** Default: a minute. */
  readonly pageMs?: number | undefined
}

/** @throws StageError; DagbokError S3_UNAVAILABLE; whatever `signal` was aborted with */
export async function walkBucket({ location, found, signal, pageMs = PAGE_MS }: BucketWalk): Promise<void> {
  const library = await loadS3()
  const client = openBucket(library, location)
  try {
    let token: string | undefined
    do {
      const command = new library.ListObjectsV2Command({
        Bucket: location.bucket,
        Prefix: location.prefix,
        // Keys may hold characters that XML cannot.
        EncodingType: 'url',
        ContinuationToken: token,
      })
      const page: ListObjectsV2CommandOutput = await withinLimit(pageMs, signal, stop =>
        client.send(command, { abortSignal: stop }),
      )
      for (const object of page.Contents ?? []) {
        const file = readObject(object, location.prefix, page.EncodingType === 'url')
        if (file !== undefined) found(file)
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  } catch (error) {
    signal.throwIfAborted()
    throw new StageError(`${nameBucket(location)} cannot be listed: ${describeS3Failure(error)}`, {
      cause: error,
    })
  } finally {
    client.destroy()
  }
}

function readObject(object: S3Object, prefix: string, isEncoded: boolean): FoundFile | undefined {
  const whole = isEncoded ? decodeKey(object.Key ?? '') : (object.Key ?? '')
  const size = object.Size ?? 0
  if (!whole.startsWith(prefix) || whole === prefix || (size === 0 && whole.endsWith('/'))) return undefined
  const key = whole.slice(prefix.length)
  if (isIgnoredKey(key)) return undefined
  const modifiedMs = object.LastModified?.getTime() ?? 0
  const etag = (object.ETag ?? '').replaceAll('"', '')
  const version = `${etag}:${size}:${modifiedMs}`
  return {
    key,
    version,
    size,
    modifiedNs: BigInt(modifiedMs) * 1_000_000n,
    changedMs: modifiedMs,
    appearance: version,
  }
}

/** As forms encode: `+` is a space. */
function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
