// Signals that ask this process to end. The first asks, the second insists: what that means is the command's.

export type InterruptSignal = 'SIGINT' | 'SIGTERM'

export interface Interrupts {
  /** Calls back with the signal and how many there have been, from 1. While nobody listens, the first one ends the process. */
  listen(listener: (signal: InterruptSignal, count: number) => void): () => void
  /** Calls back when systemd or a person asks to read the configuration again (SIGHUP). */
  listenForReload(listener: () => void): () => void
}

/** Exit code of a process that a signal stopped before it was done. */
export function exitCodeOf(signal: InterruptSignal): 130 | 143 {
  return signal === 'SIGINT' ? 130 : 143
}

interface SignalSource {
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

/** The signals of a process. */
export function openInterrupts(source: SignalSource): Interrupts {
  return {
    listen(listener) {
      let count = 0
      const onInt = () => listener('SIGINT', ++count)
      const onTerm = () => listener('SIGTERM', ++count)
      source.on('SIGINT', onInt)
      source.on('SIGTERM', onTerm)
      return () => {
        source.off('SIGINT', onInt)
        source.off('SIGTERM', onTerm)
      }
    },
    listenForReload(listener) {
      source.on('SIGHUP', listener)
      return () => source.off('SIGHUP', listener)
    },
  }
}
