// Settings: every one of them, from where it was said, checked. Flag > environment > `dagbok.yaml` in the root > default.
//
// Floor 1: nothing of Dagbok but core/ is imported, and no zod, since each command pays for this file at its start.
//
//   S1. Every wrong value is reported at once, each with its place, what was expected and what was got; exit 2.
//   S2. Relative paths count from the root, wherever they were said.
//   S3. A variable that is set but empty counts as not set.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DagbokError, EXIT } from './core/error.ts'
import { checkId } from './core/ids.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** All paths are absolute. */
export interface Settings {
  readonly root: string
  readonly scheduleDirs: readonly string[]
  readonly dagsDir: string
  readonly calendarsDir: string
  readonly poolsFile: string
  readonly notificationsFile: string
  readonly workflowsDir: string
  readonly varsDir: string
  /** Whose vars are filled into manifests. */
  readonly environment: string
  /** The active segment of the journal. */
  readonly statePath: string
  /** The task-event feed. */
  readonly eventsPath: string
  /** The longest sleep of the loop. */
  readonly tickMs: number
  /** Runs at once. */
  readonly maxParallel: number
  /** Task attempts at once, over all runs. */
  readonly maxTasks: number
  /** How long a stop waits for running attempts. */
  readonly drainTimeoutMs: number
  /** Between asking an attempt to end and killing it. */
  readonly killGraceMs: number
  /** Of each stream of each attempt. */
  readonly logLimitBytes: number
  /** Of each worker process that runs user functions. */
  readonly memoryLimitMb: number
  /** The journal rolls when its active segment has passed this. */
  readonly segmentBytes: number
  /** Sealed segments older than this are deleted. 0: never. */
  readonly keepDays: number
  /** At most so many sealed segments are kept. 0: no limit. */
  readonly keepSegments: number
  readonly logLevel: LogLevel
  readonly unsafeNetworkFs: boolean
  /** The control socket. */
  readonly socketPath: string
  /** `host:port` to serve HTTP on; undefined: not at all. */
  readonly httpListen: string | undefined
  /** Derived: the folder beside the journal, `<statePath without .jsonl>.d`. */
  readonly stateDir: string
  /** Derived: a schedule folder that somebody named must exist; the default one need not. */
  readonly scheduleDirsGiven: boolean
}

export type SettingName = Exclude<keyof Settings, 'stateDir' | 'scheduleDirsGiven'>

/** What was said on the command line: text as typed, a list for repeatable flags, true for a bare flag. */
export type FlagValues = Partial<Record<SettingName, string | readonly string[] | boolean>>

/** Where a value came from. `name` is the flag, the variable, or `dagbok.yaml:3`. */
export interface SettingSource {
  readonly from: 'flag' | 'environment' | 'file' | 'default' | 'derived'
  readonly name?: string
}
export type SettingSources = Readonly<Record<SettingName, SettingSource>>

/** The config file, read. Positions count from 1. */
export interface ConfigFile {
  /** As it is shown. */
  readonly name: string
  readonly entries: ReadonlyMap<string, { value: unknown; line: number; column: number }>
}

export interface ResolvedSettings {
  readonly settings: Settings
  readonly sources: SettingSources
}

export class SettingsError extends DagbokError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'a setting is' : `${problems.length} settings are`
    super('SETTINGS_INVALID', `${count} not valid:\n${problems.map(line => `  ${line}`).join('\n')}`, {
      exitCode: EXIT.usage,
      hint: 'docs/guides/cli.md lists every setting with its flag, variable, key and default',
    })
    this.problems = problems
  }
}

type Reader = (raw: unknown) => unknown

export interface SettingSpec {
  readonly name: SettingName
  /** `--dir`, without its argument. */
  readonly flag: string
  /** The argument in the help; undefined for a bare flag. */
  readonly argument?: string
  readonly env: string
  /** Key in `dagbok.yaml`; the root has none, since the file is found by it. */
  readonly key?: string
  readonly fallback: unknown
  readonly expected: string
  readonly about: string
  /** Undefined: not valid. Text comes from flags and variables, anything from the file. */
  readonly read: Reader
}

const DAY_MS = 86_400_000
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS }
const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

function wholeNumber(min: number, max: number): Reader {
  return raw => {
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw.trim()) ? Number(raw) : raw
    return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : undefined
  }
}

/** A duration such as `90s` or `1h30m`; a bare whole number is milliseconds. */
function duration(min: number, max: number): Reader {
  const inRange = wholeNumber(min, max)
  return raw => {
    if (typeof raw !== 'string' || /^\s*\d+\s*$/.test(raw)) return inRange(raw)
    if (!/^\s*(?:\d{1,12}(?:ms|s|m|h|d))+\s*$/.test(raw)) return undefined
    let ms = 0
    for (const [, digits, unit] of raw.matchAll(/(\d+)(ms|s|m|h|d)/g)) ms += Number(digits) * UNIT_MS[unit!]!
    return inRange(ms)
  }
}

function bytes(min: number, max: number): Reader {
  const inRange = wholeNumber(min, max)
  return raw => {
    const match = typeof raw === 'string' ? /^\s*(\d{1,15})\s*(KiB|MiB|GiB|)\s*$/.exec(raw) : null
    return inRange(match ? Number(match[1]) * UNIT_BYTES[match[2]!]! : raw)
  }
}

const path: Reader = raw =>
  typeof raw === 'string' && raw.trim() !== '' && !raw.includes('\0') ? raw : undefined

const paths: Reader = raw => {
  const list = typeof raw === 'string' ? raw.split(':').filter(part => part !== '') : raw
  return Array.isArray(list) && list.length > 0 && list.every(item => path(item) !== undefined)
    ? list
    : undefined
}

const flag: Reader = raw => {
  if (typeof raw === 'boolean') return raw
  if (typeof raw !== 'string') return undefined
  if (/^(?:1|true|yes|on)$/i.test(raw)) return true
  return /^(?:0|false|no|off)$/i.test(raw) ? false : undefined
}

function oneOf(...choices: string[]): Reader {
  return raw => (typeof raw === 'string' && choices.includes(raw) ? raw : undefined)
}

const MIB = 1024 ** 2

/** Every setting, in the order in which `scheduler config` shows them. */
export const SETTING_SPECS: readonly SettingSpec[] = [
  {
    name: 'root',
    flag: '--root',
    argument: '<dir>',
    env: 'SCHED_ROOT',
    fallback: '.',
    expected: 'a folder',
    about: 'where relative paths and dagbok.yaml are looked for',
    read: path,
  },
  {
    name: 'scheduleDirs',
    flag: '--dir',
    argument: '<dir>',
    env: 'SCHED_DIRS',
    key: 'schedule_dirs',
    fallback: ['configs/schedules'],
    expected: 'a folder, or a list of them',
    about: 'folder of schedule files; may be repeated',
    read: paths,
  },
  {
    name: 'dagsDir',
    flag: '--dags-dir',
    argument: '<dir>',
    env: 'SCHED_DAGS_DIR',
    key: 'dags_dir',
    fallback: 'configs/dags',
    expected: 'a folder',
    about: 'folder of DAG files',
    read: path,
  },
  {
    name: 'calendarsDir',
    flag: '--calendars-dir',
    argument: '<dir>',
    env: 'SCHED_CALENDARS_DIR',
    key: 'calendars_dir',
    fallback: 'configs/calendars',
    expected: 'a folder',
    about: 'folder of calendar files',
    read: path,
  },
  {
    name: 'poolsFile',
    flag: '--pools-file',
    argument: '<file>',
    env: 'SCHED_POOLS_FILE',
    key: 'pools_file',
    fallback: 'configs/pools.yaml',
    expected: 'a file',
    about: 'file of the pools',
    read: path,
  },
  {
    name: 'notificationsFile',
    flag: '--notifications-file',
    argument: '<file>',
    env: 'SCHED_NOTIFICATIONS_FILE',
    key: 'notifications_file',
    fallback: 'configs/notifications.yaml',
    expected: 'a file',
    about: 'file of the channels',
    read: path,
  },
  {
    name: 'workflowsDir',
    flag: '--workflows-dir',
    argument: '<dir>',
    env: 'SCHED_WORKFLOWS_DIR',
    key: 'workflows_dir',
    fallback: 'workflows',
    expected: 'a folder',
    about: 'folder of your workflow functions',
    read: path,
  },
  {
    name: 'varsDir',
    flag: '--vars-dir',
    argument: '<dir>',
    env: 'SCHED_VARS_DIR',
    key: 'vars_dir',
    fallback: 'configs/vars',
    expected: 'a folder',
    about: 'folder of the vars of manifests, a file for each environment',
    read: path,
  },
  {
    name: 'environment',
    flag: '--environment',
    argument: '<name>',
    env: 'SCHED_ENVIRONMENT',
    key: 'environment',
    fallback: 'default',
    expected: 'a name (letters, digits, ".", "_", "-")',
    about: 'whose vars are laid over those of default.yaml',
    read: raw => (typeof raw === 'string' && checkId(raw) === undefined ? raw : undefined),
  },
  {
    name: 'statePath',
    flag: '--state',
    argument: '<file>',
    env: 'STATE_STORE_PATH',
    key: 'state_path',
    fallback: 'logs/orchestrator_state.jsonl',
    expected: 'the path of a file',
    about: 'the state journal',
    read: path,
  },
  {
    name: 'eventsPath',
    flag: '--events',
    argument: '<file>',
    env: 'ORCH_EVENTS_PATH',
    key: 'events_path',
    fallback: 'logs/orchestrator_events.jsonl',
    expected: 'the path of a file',
    about: 'the task-event feed',
    read: path,
  },
  {
    name: 'tickMs',
    flag: '--tick-ms',
    argument: '<ms>',
    env: 'SCHED_TICK_MS',
    key: 'tick_ms',
    fallback: 1_000,
    expected: 'a whole number of milliseconds from 10 to 60000',
    about: 'the longest sleep of the loop',
    read: wholeNumber(10, 60_000),
  },
  {
    name: 'maxParallel',
    flag: '--max-parallel',
    argument: '<n>',
    env: 'SCHED_MAX_PARALLEL',
    key: 'max_parallel',
    fallback: 3,
    expected: 'a whole number from 1 to 1000',
    about: 'runs at once',
    read: wholeNumber(1, 1_000),
  },
  {
    name: 'maxTasks',
    flag: '--max-tasks',
    argument: '<n>',
    env: 'SCHED_MAX_TASKS',
    key: 'max_tasks',
    fallback: 16,
    expected: 'a whole number from 1 to 1000',
    about: 'task attempts at once, over all runs',
    read: wholeNumber(1, 1_000),
  },
  {
    name: 'drainTimeoutMs',
    flag: '--drain-timeout',
    argument: '<duration>',
    env: 'SCHED_DRAIN_TIMEOUT_MS',
    key: 'drain_timeout',
    fallback: 60_000,
    expected: 'a duration from 0 to 24h such as 90s, or milliseconds',
    about: 'how long a stop waits for running tasks',
    read: duration(0, DAY_MS),
  },
  {
    name: 'killGraceMs',
    flag: '--kill-grace',
    argument: '<duration>',
    env: 'SCHED_KILL_GRACE_MS',
    key: 'kill_grace',
    fallback: 10_000,
    expected: 'a duration from 0 to 1h such as 10s, or milliseconds',
    about: 'between asking a task to end and killing it',
    read: duration(0, 3_600_000),
  },
  {
    name: 'logLimitBytes',
    flag: '--log-limit',
    argument: '<size>',
    env: 'SCHED_LOG_LIMIT_BYTES',
    key: 'log_limit',
    fallback: 16 * MIB,
    expected: 'a size from 4KiB to 64GiB such as 16MiB, or bytes',
    about: 'of each output stream of each attempt',
    read: bytes(4096, 64 * 1024 * MIB),
  },
  {
    name: 'memoryLimitMb',
    flag: '--memory-limit-mb',
    argument: '<MiB>',
    env: 'SCHED_MEMORY_LIMIT_MB',
    key: 'memory_limit_mb',
    fallback: 512,
    expected: 'a whole number of MiB from 32 to 1048576',
    about: 'of each process that runs workflow functions',
    read: wholeNumber(32, 1_048_576),
  },
  {
    name: 'segmentBytes',
    flag: '--segment-size',
    argument: '<size>',
    env: 'SCHED_SEGMENT_BYTES',
    key: 'segment_size',
    fallback: 64 * MIB,
    expected: 'a size from 64KiB to 4GiB such as 64MiB, or bytes',
    about: 'the journal rolls to a new segment after this',
    read: bytes(65_536, 4 * 1024 * MIB),
  },
  {
    name: 'keepDays',
    flag: '--keep-days',
    argument: '<n>',
    env: 'SCHED_KEEP_DAYS',
    key: 'keep_days',
    fallback: 0,
    expected: 'a whole number of days from 0 (for ever) to 36500',
    about: 'age at which sealed journal segments are deleted; 0 keeps all',
    read: wholeNumber(0, 36_500),
  },
  {
    name: 'keepSegments',
    flag: '--keep-segments',
    argument: '<n>',
    env: 'SCHED_KEEP_SEGMENTS',
    key: 'keep_segments',
    fallback: 0,
    expected: 'a whole number from 0 (no limit) to 1000000',
    about: 'how many sealed journal segments are kept; 0 keeps all',
    read: wholeNumber(0, 1_000_000),
  },
  {
    name: 'logLevel',
    flag: '--log-level',
    argument: '<level>',
    env: 'SCHED_LOG_LEVEL',
    key: 'log_level',
    fallback: 'info',
    expected: 'debug, info, warn, error or silent',
    about: 'what the scheduler says about itself on stderr',
    read: oneOf('debug', 'info', 'warn', 'error', 'silent'),
  },
  {
    name: 'unsafeNetworkFs',
    flag: '--unsafe-network-fs',
    env: 'SCHED_UNSAFE_NETWORK_FS',
    key: 'unsafe_network_fs',
    fallback: false,
    expected: 'true or false',
    about: 'allow the journal on a network file system, where locks and syncs may lie',
    read: flag,
  },
  {
    name: 'socketPath',
    flag: '--socket',
    argument: '<path>',
    env: 'SCHED_SOCKET_PATH',
    key: 'socket_path',
    fallback: undefined,
    expected: 'the path of a Unix socket, at most 100 bytes',
    about: 'the control socket (default: beside the journal)',
    read: raw => (Buffer.byteLength(String(raw)) <= MAX_SOCKET_PATH_BYTES ? path(raw) : undefined),
  },
  {
    name: 'httpListen',
    flag: '--http',
    argument: '<host:port>',
    env: 'SCHED_HTTP',
    key: 'http',
    fallback: undefined,
    expected: 'an address and a port such as 127.0.0.1:8080',
    about: 'serve HTTP there: runs are triggered with the token of SCHED_HTTP_TOKEN (default: no HTTP)',
    read: listenAddress,
  },
]

function listenAddress(raw: unknown): string | undefined {
  const [, host, port] = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(String(raw)) ?? []
  return host !== undefined && Number(port) <= 65_535 ? String(raw) : undefined
}

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, one of them a NUL. */
const MAX_SOCKET_PATH_BYTES = 100

export const CONFIG_FILE_NAME = 'dagbok.yaml'

export interface SettingsInput {
  readonly flags: FlagValues
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** What `readConfigFile` gave for the root. */
  readonly file?: ConfigFile | undefined
}

function show(raw: unknown): string {
  const text = typeof raw === 'string' ? JSON.stringify(raw) : (JSON.stringify(raw) ?? String(raw))
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** The folder that the other paths count from: `--root`, else `SCHED_ROOT`, else the working directory. */
export function resolveRoot({ flags, env, cwd }: SettingsInput): string {
  const said = flags.root ?? (env['SCHED_ROOT'] || '.')
  return resolve(cwd, typeof said === 'string' ? said : '.')
}

/** `<statePath without .jsonl>.d`: segments, blobs, lock, index, logs of attempts. */
export function stateDirectoryOf(statePath: string): string {
  return `${statePath.replace(/\.jsonl$/, '')}.d`
}

/** Beside the journal, or, since a socket's path is limited, under a name made from it in a folder of this user. */
function deriveSocketPath(stateDir: string, env: SettingsInput['env']): string {
  const beside = join(stateDir, 'control.sock')
  if (Buffer.byteLength(beside) <= MAX_SOCKET_PATH_BYTES) return beside
  const name = `${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}.sock`
  const runtime = env['XDG_RUNTIME_DIR']
  if (runtime?.startsWith('/')) {
    const inRuntime = join(runtime, 'dagbok', name)
    if (Buffer.byteLength(inRuntime) <= MAX_SOCKET_PATH_BYTES) return inRuntime
  }
  return join('/tmp', `dagbok-${process.getuid?.() ?? 'user'}`, name)
}

/**
 * Settles every setting.
 * @throws SettingsError (exit 2) with all problems at once
 */
export function resolveSettings(input: SettingsInput): ResolvedSettings {
  const { flags, env, file } = input
  const root = resolveRoot(input)
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  const sources: Record<string, SettingSource> = {}

  for (const spec of SETTING_SPECS) {
    const said = find(spec)
    const value = said.raw === undefined ? undefined : spec.read(said.raw)
    if (said.raw !== undefined && value === undefined) {
      problems.push(`${said.place}: expected ${spec.expected}, got ${show(said.raw)}`)
    }
    values[spec.name] = value
    sources[spec.name] = said.source
  }
  for (const [key, { line, column }] of file?.entries ?? []) {
    if (SETTING_SPECS.some(spec => spec.key === key)) continue
    const known = SETTING_SPECS.flatMap(spec => spec.key ?? []).join(', ')
    problems.push(`${file?.name}:${line}:${column} unknown key ${JSON.stringify(key)}; known are ${known}`)
  }
  if (problems.length > 0) throw new SettingsError(problems)

  const single = [
    'dagsDir',
    'calendarsDir',
    'poolsFile',
    'notificationsFile',
    'workflowsDir',
    'varsDir',
    'statePath',
    'eventsPath',
    'socketPath',
  ] as const
  for (const name of single) {
    if (typeof values[name] === 'string') values[name] = resolve(root, values[name])
  }
  values['root'] = root
  values['scheduleDirs'] = (values['scheduleDirs'] as string[]).map(dir => resolve(root, dir))
  values['scheduleDirsGiven'] = sources['scheduleDirs']?.from !== 'default'
  values['stateDir'] = stateDirectoryOf(values['statePath'] as string)
  if (Buffer.byteLength(String(values['socketPath'] ?? '')) > MAX_SOCKET_PATH_BYTES) {
    throw new SettingsError([
      `socketPath: expected at most ${MAX_SOCKET_PATH_BYTES} bytes, got ${show(values['socketPath'])}`,
    ])
  }
  if (values['eventsPath'] === values['statePath']) {
    throw new SettingsError([
      `ORCH_EVENTS_PATH: expected another file than STATE_STORE_PATH, got ${show(values['eventsPath'])} for both`,
    ])
  }
  if (values['socketPath'] === undefined) {
    values['socketPath'] = deriveSocketPath(values['stateDir'] as string, env)
    sources['socketPath'] = { from: 'derived' }
  }
  return { settings: Object.freeze(values) as unknown as Settings, sources: sources as SettingSources }

  function find(spec: SettingSpec): { raw: unknown; place: string; source: SettingSource } {
    const flagged = flags[spec.name]
    if (flagged !== undefined) {
      return { raw: flagged, place: spec.flag, source: { from: 'flag', name: spec.flag } }
    }
    const variable = env[spec.env]
    if (variable !== undefined && variable !== '') {
      return { raw: variable, place: spec.env, source: { from: 'environment', name: spec.env } }
    }
    const entry = spec.key === undefined ? undefined : file?.entries.get(spec.key)
    if (entry !== undefined && file !== undefined) {
      const place = `${file.name}:${entry.line}`
      return {
        raw: entry.value,
        place: `${place}:${entry.column} ${spec.key}`,
        source: { from: 'file', name: place },
      }
    }
    return { raw: spec.fallback, place: spec.name, source: { from: 'default' } }
  }
}

/**
 * Reads `dagbok.yaml` of a root; undefined if there is none.
 * @throws SettingsError (exit 2) if it cannot be read or is not a YAML mapping
 */
export async function readConfigFile(root: string): Promise<ConfigFile | undefined> {
  const fullPath = join(root, CONFIG_FILE_NAME)
  let text: string
  try {
    text = readFileSync(fullPath, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new SettingsError([`${fullPath}: expected a file that can be read, got ${code ?? String(error)}`])
  }
  // Only a root that has the file pays for the parser.
  const { parseDocument, LineCounter, isMap, isScalar } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  if (document.errors.length > 0) {
    throw new SettingsError(
      document.errors.map(error => {
        const { line, column } = where(error.pos[0])
        return `${CONFIG_FILE_NAME}:${line}:${column} ${error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '')}`
      }),
    )
  }
  const entries = new Map<string, { value: unknown; line: number; column: number }>()
  if (document.contents === null) return { name: CONFIG_FILE_NAME, entries }
  if (!isMap(document.contents)) {
    throw new SettingsError([`${CONFIG_FILE_NAME}:1:1 expected a mapping of settings, got something else`])
  }
  let plain: Record<string, unknown>
  try {
    plain = document.toJS({ maxAliasCount: 100 }) as Record<string, unknown>
  } catch (error) {
    throw new SettingsError([`${CONFIG_FILE_NAME}:1:1 ${(error as Error).message}`])
  }
  for (const pair of document.contents.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
    const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0
    entries.set(key, { value: plain[key], ...where(offset) })
  }
  return { name: CONFIG_FILE_NAME, entries }
}

/**
 * Reads the config file and settles every setting.
 * @throws SettingsError (exit 2)
 */
export async function loadSettings(input: Omit<SettingsInput, 'file'>): Promise<ResolvedSettings> {
  return resolveSettings({ ...input, file: await readConfigFile(resolveRoot(input)) })
}
