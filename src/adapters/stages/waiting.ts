// Waits that end: by the work, by a time limit, or because nobody wants the result any more. What does not end by itself
// (a file system that hangs) is left behind, and what it says later is dropped.

import { formatDuration } from '../../core/time/duration.ts'

/** @throws what `signal` was aborted with, as soon as it is */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/**
 * @param work gets a signal that fires when its time is up, or with `signal`
 * @throws Error that says the limit; what `signal` was aborted with
 */
export async function withinLimit<Result>(
  limitMs: number,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const tooLate = new AbortController()
  const timer = setTimeout(() => {
    tooLate.abort(new Error(`it did not answer within ${formatDuration(limitMs)}`))
  }, limitMs)
  const stop = AbortSignal.any([signal, tooLate.signal])
  try {
    return await orAborted(work(stop), stop)
  } finally {
    clearTimeout(timer)
  }
}
