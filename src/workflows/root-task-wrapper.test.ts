import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import type { AttemptSpec } from '../ports/executor.ts'
import { createRootTaskWrapper } from './root-task-wrapper.ts'

const run = (params: JsonObject) => {
  const spec: AttemptSpec = {
    runId: 'r',
    taskId: 'ROOT_TASK_WRAPPER',
    attempt: 1,
    dagName: 'd',
    tenantId: 't',
    workflowRef: 'root_task_wrapper',
    params,
    env: {},
    logicalDate: '2026-01-05T06:00Z',
  }
  return createRootTaskWrapper({ host: 'here' }).start(spec, { spawned: () => {} }).outcome
}

describe('the root of a manifest', () => {
  test.each([
    ['a stream with records', { CONSUME_STREAM__new_files: [{ id: 1 }], CONSUME_STREAM__dead: 0 }, 'ok'],
    ['a stream with dead letters only', { CONSUME_STREAM__new_files: [], CONSUME_STREAM__dead: 2 }, 'ok'],
    ['a stream with nothing', { CONSUME_STREAM__new_files: [], CONSUME_STREAM__dead: 0 }, 'skip'],
    ['a poll with nothing', { CONSUME_STREAM__new_files: [] }, 'skip'],
  ])('%s', async (_, given, kind) => {
    expect(await run({ mode: 'triggered', source: 'CONSUME_STREAM', ...given })).toMatchObject({ kind })
  })

  test('without a source there is always something to do', async () => {
    expect(await run({ mode: 'schedule' })).toMatchObject({
      kind: 'ok',
      output: { run_id: 'r', host: 'here' },
    })
  })
})
