// The lines that a command writes.
//
//   1. It runs in a process group of its own, which ends with it: nothing that it left in the group goes on. It also ends
//      when the scheduler does, whatever that ends of.
//   2. Its environment is that of a `shell` task: no secret that the scheduler was started with is in it.
//   3. An exit code other than 0, too long or too much is an error: half a list would leave clients out.

import { type ChildProcess, spawn } from 'node:child_process'
import { pickBase } from '../../core/attempt/environment.ts'
import { clip } from '../../core/json.ts'

const SHELL = '/bin/sh'
/** Runs "$@" with nothing on its stdin, and kills the group when the scheduler's end of the pipe is closed. */
const GUARD = 'trap : TERM; exec 3<&0 </dev/null; (read -r _ <&3; kill -KILL 0) & "$@" 3<&-'
/** Output that is still on its way when the command has ended. Somebody outside the group may hold the pipe. */
const DRAIN_MS = 200
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000
const TIME_LIMIT_MS = 60_000
const OUTPUT_BYTES_MAX = 2 * 1024 * 1024
const COMPLAINT_BYTES = 4_096
const LINE_CHARACTERS = 500

export interface CommandPlace {
  readonly root: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number
}

/** Not empty, without the spaces around them. */
export async function listLines(
  command: string | readonly string[],
  { tenantId }: { readonly tenantId: string },
  { root, environment = process.env, timeoutMs = TIME_LIMIT_MS }: CommandPlace,
  signal: AbortSignal,
): Promise<string[]> {
  const argv = typeof command === 'string' ? [SHELL, '-c', command] : command
  const env = { ...pickBase(environment), DAGBOK_TENANT: tenantId }
  const text = await run(
    spawn(SHELL, ['-c', GUARD, 'sh', ...argv], { cwd: root, env, detached: true, stdio: 'pipe' }),
    {
      timeoutMs,
      signal,
    },
  )
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}

function run(
  child: ReturnType<typeof spawn> & {
    stdout: NonNullable<ChildProcess['stdout']>
    stderr: NonNullable<ChildProcess['stderr']>
  },
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string> {
  const output: Buffer[] = []
  let bytes = 0
  let complaint = Buffer.alloc(0)
  let refusal: Error | undefined
  let killer: NodeJS.Timeout | undefined
  let drain: NodeJS.Timeout | undefined
  const end = (why: Error) => {
    if (refusal !== undefined) return
    refusal = why
    killGroup(child, 'SIGTERM')
    killer = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS)
  }
  const stop = () => end(signal.reason instanceof Error ? signal.reason : new Error('called off'))
  const timer = setTimeout(
    () => end(new Error(`the command that lists clients did not end within ${timeoutMs / 1_000}s`)),
    timeoutMs,
  )
  signal.addEventListener('abort', stop, { once: true })
  child.stdin?.on('error', () => {
    // Nothing is written to it: its end is what counts.
  })
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= OUTPUT_BYTES_MAX) output.push(chunk)
    else end(new Error('the command that lists clients writes more than 2 MiB'))
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = Buffer.concat([complaint, chunk]).subarray(-COMPLAINT_BYTES)
  })
  return new Promise((resolve, reject) => {
    child.once('error', error => {
      refusal ??= new Error(`no command can be started: ${error.message}`)
      finish(null, null)
    })
    // The group goes first: whoever it left behind may hold the pipes.
    child.once('exit', () => {
      killGroup(child, 'SIGKILL')
      drain = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, DRAIN_MS)
    })
    child.once('close', (code, ended) => finish(code, ended))
    const finish = (code: number | null, ended: NodeJS.Signals | null) => {
      clearTimeout(timer)
      clearTimeout(killer)
      clearTimeout(drain)
      signal.removeEventListener('abort', stop)
      child.stdin?.destroy()
      if (refusal !== undefined) return reject(refusal)
      if (code === 0) return resolve(Buffer.concat(output).toString('utf8'))
      const said = clip(complaint.toString('utf8').trimEnd().split('\n').at(-1)!.trim(), LINE_CHARACTERS)
      const how = ended === null ? `with exit code ${code}` : `by ${ended}`
      reject(new Error(`the command that lists clients ended ${how}${said === '' ? '' : `: ${said}`}`))
    }
  })
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}
