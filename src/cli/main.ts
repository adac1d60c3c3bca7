// The command line, from words to exit code. Floor 5: parse, ask, render; nothing is decided here.

import { loadSettings } from '../config.ts'
import { DagbokError, EXIT } from '../core/error.ts'
import { VERSION } from '../version.ts'
import type { CommandContext } from './context.ts'
import type { House } from './house.ts'
import { type Interrupts, openInterrupts } from './interrupts.ts'
import { Channel, type Environment, type Sink, writeJson } from './output.ts'
import { parse } from './program.ts'

/** The process around a command; a test gives its own. */
export interface Surroundings {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly env: Environment
  readonly cwd: string
  readonly interrupts: Interrupts
  now(): number
  house(): Promise<House>
}

/** Runs one command. Never throws: what went wrong is said on stderr and in the exit code. */
export async function runCommand(words: readonly string[], around: Surroundings): Promise<number> {
  const { env, cwd } = around
  const out = { data: new Channel(around.stdout, env), note: new Channel(around.stderr, env) }
  try {
    const invocation = await parse(words, VERSION, { stdout: out.data, stderr: out.note })
    if (!invocation) return EXIT.ok
    const { settings, sources } = await loadSettings({ flags: invocation.flags, env, cwd })
    const context: CommandContext = {
      settings,
      sources,
      out,
      env,
      cwd,
      json: invocation.json,
      headers: invocation.headers,
      interrupts: around.interrupts,
      now: around.now,
      house: around.house,
      connect: async () =>
        (await import('../api/client.ts')).createClient({ socketPath: settings.socketPath }),
    }
    const code = await invocation.run(context)
    // Errors of a stream come after the write that they belong to.
    await new Promise(resolve => setImmediate(resolve))
    const { failure } = out.data
    if (failure === undefined) return code
    throw new DagbokError(
      'OUTPUT_FAILED',
      `the output could not be written: ${failure.code ?? failure.message}`,
      {
        hint: 'what the command did, it did: only its words are lost',
        cause: failure,
      },
    )
  } catch (error) {
    const { writeError } = await import('./render/problem.ts')
    writeError(out.note, error)
    if (words.includes('--json')) {
      const { encodeError } = await import('../api/wire.ts')
      writeJson(out.data, 'Error', encodeError(error))
    }
    return error instanceof DagbokError ? error.exitCode : EXIT.runFailed
  }
}

/** Runs the words of this process's command line and ends it with the command's exit code. */
export async function main(words: readonly string[]): Promise<void> {
  const code = await runCommand(words, {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    interrupts: openInterrupts(process),
    now: Date.now,
    house: () => import('../compose.ts'),
  })
  process.exitCode = code
  // Nothing that was left open may keep a finished command alive; what is written goes out first.
  await new Promise(resolve => process.stdout.write('', resolve)).catch(() => undefined)
  process.exit(code)
}
