// Payload passing: what a task gets is its own params, the run's params over them, and each direct upstream's output
// under `<task>__<key>`. The upstream's word is the last: a param of that name is its default.

import type { JsonObject } from '../json.ts'

/**
 * @param outputs outputs of the direct upstream tasks, by task id
 * @returns a new object; the arguments are not changed
 */
export function mergePayload(
  own: JsonObject,
  ofRun: JsonObject | undefined,
  outputs: ReadonlyMap<string, JsonObject>,
): JsonObject {
  const merged: JsonObject = { ...own, ...ofRun }
  for (const [taskId, output] of outputs) {
    for (const [key, value] of Object.entries(output)) merged[`${taskId}__${key}`] = value
  }
  return merged
}
