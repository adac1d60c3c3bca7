// The library that speaks S3, loaded when the first stage needs it: it takes 20 MB on disk and 35 MB of memory, and most
// schedulers have no bucket. It is an optional peer dependency.

import type * as Library from '@aws-sdk/client-s3'
import { DagbokError, EXIT } from '../../core/error.ts'
import type { StageLocation } from '../../core/stage/stage.ts'

export type BucketLocation = Extract<StageLocation, { kind: 's3' }>

/** Tries of one request, the first included: 503 SlowDown, a broken connection. The library waits longer each time. */
const TRIES = 4
/** One try: until the connection stands, and until something comes. Whole requests are limited by who makes them. */
const CONNECTION_MS = 5_000
const SILENCE_MS = 20_000

/** Amazon's default, which other servers take for granted. */
const DEFAULT_REGION = 'us-east-1'

/** @throws DagbokError S3_UNAVAILABLE (4) */
export async function loadS3(): Promise<typeof Library> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new DagbokError('S3_UNAVAILABLE', 'the library @aws-sdk/client-s3 is not installed', {
      exitCode: EXIT.notFound,
      hint: 'npm install @aws-sdk/client-s3 where the scheduler is installed, and start it again',
    })
  }
}

/** A client of its own for each listing: `destroy` leaves no connection behind, and rotated credentials are seen. */
export function openBucket({ S3Client }: typeof Library, { endpoint, region }: BucketLocation) {
  return new S3Client({
    maxAttempts: TRIES,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECTION_MS,
      requestTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
    },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(region !== undefined ? { region } : endpoint === undefined ? {} : { region: DEFAULT_REGION }),
  })
}

export function nameBucket({ bucket, prefix, endpoint }: BucketLocation): string {
  return `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${endpoint}`}`
}

const WORDS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  NotFound: 'there is no such bucket',
  AccessDenied: 'the credentials do not allow it',
  Forbidden: 'the credentials do not allow it',
  InvalidAccessKeyId: 'the credentials are unknown there',
  SignatureDoesNotMatch: 'the secret key is not the one of that access key',
  CredentialsProviderError: 'no credentials were found: AWS_ACCESS_KEY_ID, a profile or a role gives them',
  SlowDown: `it asked to slow down, ${TRIES} times`,
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'its name is unknown',
  TimeoutError: 'it did not answer in time',
}

/** What went wrong, for people. */
export function describeS3Failure(error: unknown): string {
  const { name = '', message = '', code } = error as { name?: string; message?: string; code?: unknown }
  const key = WORDS[name] === undefined && typeof code === 'string' ? code : name
  const words = WORDS[key]
  return words === undefined ? message || key || String(error) : `${words} (${key})`
}
