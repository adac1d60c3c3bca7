// The shim: one `sh` between the scheduler and a command, so that its exit code is on disk when nobody waits for it.
//
//   1. `$0` is the exit file, the rest is the command. The shell starts it in one fork (`exec` in a subshell) and stays:
//      no process more than a bare shell would need, none at the end either.
//   2. The shim's own stderr is the exit file; the command's is the log (fd 3, closed for the command). A shell says
//      "Terminated" or "Killed" on its stderr when a signal ended what it waited for: that tells `exit 143` from SIGTERM.
//   3. The file is complete when its last line is a number and ends in a newline: that line is written last, in one
//      write. It need not survive a power cut: after one, no process of that boot is left to have a code.

import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

export const SHIM = 'exec 3>&2 2>"$0"; (exec "$@" 2>&3 3>&-); e=$?; echo $e >&2; exit $e'

export type CommandExit = { kind: 'code'; code: number } | { kind: 'signal'; signal: string }

/** A shell says nothing about these two: they are how a person or a closed pipe ends a command. */
const SILENT_SIGNALS = new Set(['SIGINT', 'SIGPIPE'])

/** Some numbers have two names (SIGABRT, SIGIOT): the first one is the usual one. */
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
)

/** How the command ended; undefined as long as it has not, or if the shim was killed with it. */
export function readExit(exitFile: string): CommandExit | undefined {
  let text: string
  try {
    text = readFileSync(exitFile, 'utf8')
  } catch {
    return undefined
  }
  return parseExit(text)
}

/** Reads the text of an exit file. */
export function parseExit(text: string): CommandExit | undefined {
  const match = /(?:^|\n)(\d{1,3})\n$/.exec(text)
  if (match === null) return undefined
  const code = Number(match[1])
  const signal = SIGNAL_NAMES.get(code - 128)
  const noted = text.length > match[0].length
  if (signal !== undefined && (noted || SILENT_SIGNALS.has(signal))) return { kind: 'signal', signal }
  return { kind: 'code', code }
}
