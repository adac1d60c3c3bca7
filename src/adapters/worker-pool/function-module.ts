// Finding a user function's module, loading it, and saying where it is wrong.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { checkId } from '../../core/ids.ts'
import { findNearest } from '../../core/nearest.ts'

const EXTENSIONS = ['.ts', '.js', '.mts', '.mjs']

export interface FunctionModule {
  readonly file: string
  /** Changes when the file does. */
  readonly version: string
}

/** The module of a workflow in a folder: `<name>.ts .js .mts .mjs`, the first that is there. */
export function findModule(directory: string, name: string): FunctionModule | undefined {
  if (checkId(name) !== undefined) return undefined
  for (const extension of EXTENSIONS) {
    const file = join(directory, name + extension)
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat?.isFile()) return { file, version: `${stat.mtimeMs}-${stat.size}-${stat.ino}` }
  }
  return undefined
}

/** Why there is no such workflow, and what was probably meant. */
export function describeMissing(directory: string, name: string, builtIns: readonly string[]): string {
  const known = [...builtIns, ...listModules(directory)]
  const near = findNearest(name, known)
  const remedy =
    near === undefined ? `create ${join(directory, `${name}.ts`)}` : `did you mean ${JSON.stringify(near)}?`
  return `unknown workflow ${JSON.stringify(name)}: no built-in and no ${name}.ts, .js, .mts or .mjs in ${directory}; ${remedy}`
}

function listModules(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter(
        file => EXTENSIONS.some(extension => file.endsWith(extension)) && !/\.(?:test|d)\.m?ts$/.test(file),
      )
      .map(file => file.replace(/\.m?[jt]s$/, ''))
  } catch {
    return []
  }
}

export type LoadedFunction = (args: unknown, context: unknown) => unknown

/** Imports a module (anew when its file has changed) and returns its function. @throws whatever the module throws */
export async function loadFunction({ file, version }: FunctionModule): Promise<LoadedFunction | undefined> {
  const url = `${pathToFileURL(file).href}?version=${encodeURIComponent(version)}`
  const module = (await import(url)) as { default?: unknown }
  const main = module.default
  if (typeof main === 'function') return main as LoadedFunction
  const inner = (main as { default?: unknown } | undefined)?.default
  return typeof inner === 'function' ? (inner as LoadedFunction) : undefined
}

/** One line for people: what was thrown, and where in the user's files. */
export function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error))
    return `threw ${typeof thrown === 'string' ? JSON.stringify(thrown) : inspect(thrown, { depth: 1, breakLength: 200 })}`
  const text = thrown.message.split('\n', 1)[0]!
  const place = findPlace(thrown.stack ?? '')
  const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message.split('\n', 1)[0]}` : ''
  return `${thrown.name}: ${text}${cause}${place === undefined ? '' : ` (${place})`}`
}

/** As `describeThrown`, for a module that cannot be loaded: a syntax error is shown with its file and line. */
export function describeUnloadable(file: string, thrown: unknown): string {
  const text = describeThrown(thrown)
  if (!(thrown instanceof SyntaxError) || / \([^()]+:\d+(?::\d+)?\)$/.test(text)) return text
  const head = /^(\/[^\n]*):(\d+)\n/.exec(thrown.stack ?? '')
  if (head !== null) return `${text} (${shorten(head[1]!)}:${head[2]})`
  // Node tells the place of a syntax error in an ES module only on the stderr of a process that dies of it.
  const script = 'await import(process.argv[1])'
  const check = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script, pathToFileURL(file).href],
    {
      encoding: 'utf8',
      timeout: 5_000,
    },
  )
  const place = /^(file:\/\/\/[^\n]*|\/[^\n]*):(\d+)\n/m.exec(check.stderr ?? '')
  if (place === null) return `${text} (in ${shorten(file)} or a module it imports)`
  const at = place[1]!.startsWith('file:') ? fileURLToPath(place[1]!) : place[1]!
  return `${text} (${shorten(at)}:${place[2]})`
}

/** The first frame of a stack that is in a file of the user's: `file:line:column`. */
function findPlace(stack: string): string | undefined {
  for (const [, path, line, column] of stack.matchAll(
    /(file:\/\/\/[^\s()?]+)(?:\?[^\s():]*)?:(\d+):(\d+)/g,
  )) {
    const file = fileURLToPath(path!)
    if (
      file.includes('/node_modules/') ||
      /^worker-entry\.[jt]s$|^function-module\.[jt]s$/.test(basename(file))
    )
      continue
    return `${shorten(file)}:${line}:${column}`
  }
  return undefined
}

function shorten(file: string): string {
  const short = relative(process.cwd(), file)
  return short.startsWith('..') ? file : short
}
