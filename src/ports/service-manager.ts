// Who started us as a service and wants to hear how it goes: systemd, or nobody. Never fails: a deaf service manager is
// no reason to stop.

export interface ServiceManager {
  /** Milliseconds within which `alive` must be called again, or it restarts us; undefined: nobody watches. */
  readonly watchdogMs: number | undefined
  /** Start-up is done. */
  ready(status: string): void
  /** One line about what goes on, shown by `systemctl status`. */
  describe(status: string): void
  /** The loop has turned since the last time. */
  alive(): void
  /** A stop has begun; it may take up to `withinMs` from now. */
  stopping(withinMs: number): void
}
