// The lock: one writer per state, held by the operating system, gone with the process.

export interface LockHolder {
  pid: number
  host: string
  boot_id: string
  start_ticks: number
  started_at: string
  version: string
  mode: string
}

export interface Lock {
  /** True while the lock file on disk is still the one that is held. Cheap: called before every batch. */
  isHeld(): boolean
  release(): void
}
