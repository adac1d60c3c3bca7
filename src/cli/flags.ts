// The flags of the commands that have some, as commander hands them over: texts that nobody has checked yet.

export interface RunFlags {
  dryRun?: boolean
  param?: readonly string[]
  paramsFile?: string
}

export interface TriggerFlags extends RunFlags {
  slot?: string
}

export interface SkipFlags {
  readonly reason?: string
  readonly undo?: boolean
}

export interface PauseFlags {
  all?: boolean
  until?: string
  for?: string
  reason?: string
}

export interface RunsFlags {
  dag?: string
  schedule?: string
  status?: readonly string[]
  since?: string
  count?: string
}

export interface LogFlags {
  follow?: boolean
  attempt?: string
}

export interface EventFlags {
  follow?: boolean
  run?: string
  event?: string
  after?: string
  count?: string
}

export interface CalendarFlags {
  readonly year?: string
  readonly from?: string
  readonly to?: string
  readonly country?: string
  readonly years?: string
  readonly types?: string
  readonly name?: string
  readonly out?: string
  readonly force?: boolean
}

export interface ExplainFlags {
  timezone?: string
  dialect?: string
  dst?: string
  seed?: string
  count?: string
}

export interface SimulateFlags {
  from?: string
  to?: string
  duration?: string
  assert?: string
  slots?: boolean
  assume?: string[]
}

export interface AuditFlags {
  from?: string
  to?: string
  schedule?: string
  allowMissed?: boolean
  strict?: boolean
}

export interface LintFlags {
  strict?: boolean
  crowd?: string
}
