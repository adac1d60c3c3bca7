// A function worker: a process that runs user functions, one at a time, for as long as each leaves it clean.
//
//   1. stdout and stderr are the attempt's own log files while a function runs: the descriptors themselves are opened
//      anew, so that console, native code and child processes all write there, and no byte passes through the scheduler.
//   2. It is reusable only if the function left nothing: no child process, no thread, no timer, socket or request under
//      way, no handler on `process`. Else it says so, and the scheduler ends it with everything it started.
//   3. It ends when the channel does: a scheduler that died leaves no worker.

import childProcess from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { closeSync, openSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import { format } from 'node:util'
import type { JsonObject } from '../../core/json.ts'
import { describeThrown, describeUnloadable, loadFunction } from './function-module.ts'
import { readOutput } from './function-output.ts'
import { CHANNEL_FD, LineSplitter, type RunRequest, type WorkerRequest } from './worker-protocol.ts'

const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true })
const home = process.cwd()
const environment = process.env
const exit = process.exit.bind(process)

interface Current {
  readonly token: string
  readonly abort: AbortController
}

let current: Current | undefined
let startedOthers = false

const splitter = new LineSplitter(Number.POSITIVE_INFINITY)
channel.on('data', chunk => {
  for (const line of splitter.push(chunk) ?? []) receive(JSON.parse(line) as WorkerRequest)
})
channel.on('close', () => exit(0))
channel.on('error', () => exit(0))

noticeProcesses()
process.on('uncaughtException', error => failStray(error))
process.on('unhandledRejection', error => failStray(error))
const ownListeners = new Map(
  process.eventNames().map(name => [name, new Set(process.listeners(name as 'exit'))]),
)

function receive(request: WorkerRequest): void {
  if (request.type === 'run') void run(request)
  else if (current?.token === request.token) {
    answer({ type: 'aborting', token: request.token })
    current.abort.abort(new DOMException(request.reason, 'AbortError'))
  }
}

async function run(request: RunRequest): Promise<void> {
  const { token, file, version } = request
  const abort = new AbortController()
  current = { token, abort }
  startedOthers = false
  redirect(request.stdout, request.stderr)
  setEnvironment(request.env)
  const before = countResources()
  let loaded: Awaited<ReturnType<typeof loadFunction>>
  try {
    loaded = await loadFunction({ file, version })
  } catch (error) {
    console.error(error)
    return settle(before, 'import_failed', describeUnloadable(file, error))
  }
  if (loaded === undefined) {
    const expected = 'expected: export default function (args, ctx) { … }'
    return settle(before, 'no_function', `${file} has no function as its default export; ${expected}`)
  }
  try {
    const context = {
      ...request.context,
      signal: abort.signal,
      log: (...values: unknown[]) => console.log(format(...values)),
    }
    const output = readOutput(await loaded(request.args, context))
    if (current?.token !== token) return
    if (output.ok === 'skip') {
      const { why } = output
      return settleWith(before, reusable =>
        JSON.stringify({ type: 'skip', token, why: why.slice(0, 4_000), reusable }),
      )
    }
    if (!output.ok) return settle(before, output.kind, output.message)
    await settleWith(before, reusable => {
      const flag = reusable ? 'true' : 'false'
      return `{"type":"done","token":${JSON.stringify(token)},"reusable":${flag},"output":${output.json}}`
    })
  } catch (error) {
    console.error(error)
    if (current?.token === token) await settle(before, 'threw', describeThrown(error))
  }
}

function settle(before: Map<string, number>, kind: string, message: string): Promise<void> {
  const token = current!.token
  return settleWith(before, reusable =>
    JSON.stringify({ type: 'failed', token, kind, message: message.slice(0, 4_000), reusable }),
  )
}

/** Cleans up, looks whether anything is left, and answers last. */
async function settleWith(before: Map<string, number>, write: (reusable: boolean) => string): Promise<void> {
  const token = current!.token
  // What the function awaited last may still be closing in this turn.
  await new Promise(resolve => setImmediate(resolve))
  if (current?.token !== token) return
  const reusable = isClean(before)
  if (reusable) {
    for (const name of process.eventNames())
      for (const listener of process.listeners(name as 'exit'))
        if (!ownListeners.get(name)?.has(listener)) process.off(name as 'exit', listener)
    process.chdir(home)
    redirect('/dev/null', '/dev/null')
  }
  current = undefined
  channel.write(`${write(reusable)}\n`)
}

/** An exception or a rejection that nobody awaited: the function that runs is the only one it can come from. */
function failStray(error: unknown): void {
  if (current === undefined) exit(1)
  console.error(error)
  const { token } = current!
  current = undefined
  const message = `not awaited: ${describeThrown(error)}`
  channel.write(
    `${JSON.stringify({ type: 'failed', token, kind: 'threw', message: message.slice(0, 4_000), reusable: false })}\n`,
  )
}

function answer(message: JsonObject): void {
  channel.write(`${JSON.stringify(message)}\n`)
}

/** Opens descriptors 1 and 2 anew: `open` takes the lowest free number, which is the one that was just closed. */
function redirect(stdout: string, stderr: string): void {
  for (const [fd, path] of [
    [1, stdout],
    [2, stderr],
  ] as const) {
    closeSync(fd)
    if (openSync(path, 'a', 0o600) !== fd) exit(70)
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function isClean(before: Map<string, number>): boolean {
  if (startedOthers || process.stdout.writableEnded || process.stderr.writableEnded) return false
  for (const [name, count] of countResources()) if (count > (before.get(name) ?? 0)) return false
  return true
}

/** From here on it is known whether a function started a process or a thread: what it left behind cannot be seen. */
function noticeProcesses(): void {
  const notice = () => {
    startedOthers = true
  }
  subscribe('child_process', notice)
  subscribe('worker_threads', notice)
  // The waiting kind announces nothing, and may leave something in the background all the same.
  for (const name of ['spawnSync', 'execSync', 'execFileSync'] as const) {
    const original = childProcess[name] as (...values: unknown[]) => unknown
    const noticed = (...values: unknown[]) => {
      startedOthers = true
      return original(...values)
    }
    ;(childProcess as Record<string, unknown>)[name] = noticed
  }
  syncBuiltinESMExports()
}

/** In place, so that the C library sees it too (`TZ`). */
function setEnvironment(variables: Readonly<Record<string, string>>): void {
  process.env = environment
  for (const name of Object.keys(environment)) if (!(name in variables)) delete environment[name]
  Object.assign(environment, variables)
}
