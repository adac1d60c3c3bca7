// A probe over a folder of its own, for the tests of the questions it answers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConditionProbeOptions, createConditionProbe } from '../../src/adapters/condition-probe/probe.ts'
import type { Answer, Occasion, Question } from '../../src/core/condition/question.ts'

export const OCCASION: Occasion = {
  scheduleId: 'nightly',
  tenantId: 'acme',
  dagName: 'load',
  slot: '2026-01-04T23:30Z',
  timezone: 'Europe/Berlin',
}

export interface ProbeBench {
  readonly root: string
  ask(question: Question, signal?: AbortSignal): Promise<Answer>
  /** Resolves when nothing that a question started is left. */
  idle(): Promise<void>
  close(): void
}

export function openProbe(options: Partial<ConditionProbeOptions> = {}): ProbeBench {
  const root = mkdtempSync(join(tmpdir(), 'dagbok-probe-'))
  const probe = createConditionProbe({
    root,
    now: () => Date.now(),
    lastRun: async () => undefined,
    lastSignal: async () => undefined,
    ...options,
  })
  return {
    root,
    ask: (question, signal = new AbortController().signal) => probe.ask(question, OCCASION, signal),
    idle: () => probe.idle(),
    close: () => rmSync(root, { recursive: true, force: true }),
  }
}
