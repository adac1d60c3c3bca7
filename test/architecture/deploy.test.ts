// What is shipped to run Dagbok somewhere is true: the image copies what exists, starts what it copies, and every flag,
// variable and setting that the units and the image use is one that the scheduler knows.
//
// No container can be built here, so the Dockerfile is read instead: each rule is one that a build would have found.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveSettings, SETTING_SPECS } from '../../src/config.ts'
import { ROOT } from './source-file.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Words of the command line that are no settings. */
const OTHER_WORDS = ['--serve', '--once', '--json', 'status', 'reload']
const knownFlags = new Set([...SETTING_SPECS.map(({ flag }) => flag), ...OTHER_WORDS])
const knownVariables = new Set(SETTING_SPECS.map(({ env }) => env))

interface Instruction {
  readonly verb: string
  readonly rest: string
  readonly stage: string
}

/** Instructions with the name (or number) of their stage; continued lines are joined, comments dropped. */
function readDockerfile(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter(line => !line.trimStart().startsWith('#'))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(line => line.trim() !== '')
  let stages = 0
  let stage = ''
  return lines.map(line => {
    const [, verb = '', rest = ''] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (verb === 'FROM') stage = / AS (\S+)$/.exec(rest)?.[1] ?? String(stages++)
    return { verb, rest: rest.trim(), stage }
  })
}

describe('Dockerfile', () => {
  const instructions = readDockerfile(read('Dockerfile'))
  const last = instructions.at(-1)!.stage
  const shipped = instructions.filter(({ stage }) => stage === last)
  const of = (verb: string) => shipped.filter(instruction => instruction.verb === verb)

  test('every line is an instruction', () => {
    const verbs = 'FROM WORKDIR COPY RUN ENV USER VOLUME STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD'.split(' ')
    expect(instructions.filter(({ verb }) => !verbs.includes(verb))).toEqual([])
  })

  test('what is copied from here exists, is in git and is not ignored', () => {
    // A source tarball has no repository; a clone has.
    const tracked = existsSync(join(ROOT, '.git'))
      ? new Set(execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n'))
      : undefined
    const ignore = read('.dockerignore').split('\n')
    const wanted = instructions
      .filter(({ verb, rest }) => verb === 'COPY' && !rest.includes('--from='))
      .flatMap(({ rest }) =>
        rest
          .split(/\s+/)
          .filter(word => !word.startsWith('--'))
          .slice(0, -1),
      )
    expect(wanted.length).toBeGreaterThan(5)
    for (const path of wanted) {
      expect(existsSync(join(ROOT, path)), `${path} exists`).toBe(true)
      const inGit =
        tracked === undefined || tracked.has(path) || [...tracked].some(file => file.startsWith(`${path}/`))
      expect(inGit, `${path} is in git`).toBe(true)
      expect(ignore, `.dockerignore lets ${path} in`).toContain(`!${path.split('/')[0]}`)
    }
  })

  test('what is copied from a stage is made there', () => {
    const stages = new Set(instructions.map(({ stage }) => stage))
    for (const { rest } of of('COPY').filter(copy => copy.rest.includes('--from='))) {
      const [, stage = '', path = ''] = /--from=(\S+) (\S+)/.exec(rest) ?? []
      expect(stages).toContain(stage)
      const makes = { '/app/node_modules': /npm ci/, '/app/dist': /tsc -p tsconfig\.build\.json/ }[path]
      expect(makes, `${path} has a maker`).toBeDefined()
      expect(
        instructions.some(one => one.stage === stage && one.verb === 'RUN' && makes!.test(one.rest)),
      ).toBe(true)
    }
  })

  test('dist is what the build settings write, and what the door opens', () => {
    const { compilerOptions } = JSON.parse(read('tsconfig.build.json'))
    expect(compilerOptions).toMatchObject({ outDir: 'dist', rootDir: 'src', noEmit: false })
    expect(read('bin/scheduler.js')).toContain('../dist/cli/main.js')
    // src/version.ts and dist/version.js both read the manifest one folder up.
    expect(read('src/version.ts')).toContain('../package.json')
    expect(shipped.some(({ verb, rest }) => verb === 'COPY' && /package\.json .*\.\/$/.test(rest))).toBe(true)
  })

  test('the command, the entry point and the health check parse and say what the scheduler knows', () => {
    const list = (rest: string) => JSON.parse(rest) as string[]
    const entry = list(of('ENTRYPOINT')[0]!.rest)
    expect(entry).toEqual(['tini', '--', 'scheduler'])
    const words = [
      ...list(of('CMD')[0]!.rest),
      ...list(of('HEALTHCHECK')[0]!.rest.replace(/^.*CMD /, '')).slice(1),
    ]
    expect(words.filter(word => !knownFlags.has(word))).toEqual([])
    const setUp = of('RUN')
      .map(({ rest }) => rest)
      .join('\n')
    expect(setUp).toMatch(/install -y --no-install-recommends .*\btini\b/)
    expect(setUp).toContain('ln -s /app/bin/scheduler.js /usr/local/bin/scheduler')
    expect(
      of('COPY').some(({ rest }) => /--chmod=0755 bin\/scheduler\.js \.\/bin\/scheduler\.js/.test(rest)),
    ).toBe(true)
  })

  test('the variables are settings, and point where the user may write', () => {
    const words = [...of('ENV')[0]!.rest.matchAll(/(\w+)=(\S+)/g)]
    const variables = Object.fromEntries(words.map(([, name, value]) => [name, value]))
    expect(Object.keys(variables).filter(name => name !== 'NODE_ENV' && !knownVariables.has(name))).toEqual(
      [],
    )
    const { settings } = resolveSettings({ flags: {}, env: variables, cwd: '/etc/scheduler' })
    const [volume] = JSON.parse(of('VOLUME')[0]!.rest) as string[]
    for (const path of [settings.statePath, settings.eventsPath, settings.socketPath]) {
      expect(posix.relative(volume!, path).startsWith('..'), path).toBe(false)
    }
    expect(of('USER').at(-1)?.rest).toBe('node')
    expect(of('RUN')[0]?.rest).toContain(`install -d -o node -g node -m 0700 ${volume}`)
  })

  test('no compiler and nothing for development is shipped', () => {
    expect(shipped.map(({ rest }) => rest).join('\n')).not.toMatch(
      /\b(?:gcc|g\+\+|make|python3?|build-essential)\b/,
    )
    const source = instructions.find(({ stage, rest }) => stage === 'dependencies' && rest.includes('npm ci'))
    expect(source?.rest).toContain('--omit=dev')
    const { scripts = {} } = JSON.parse(read('node_modules/better-sqlite3/package.json'))
    expect(Object.keys(scripts)).not.toContain('install')
  })

  test('the stages have the Node that package.json asks for', () => {
    const { engines } = JSON.parse(read('package.json'))
    expect(engines.node).toBe('>=22.22')
    const images = instructions.filter(({ verb }) => verb === 'FROM').map(({ rest }) => rest.split(' ')[0])
    expect(new Set(images)).toEqual(new Set(['node:24-bookworm-slim']))
  })
})

describe('compose file', () => {
  const { services } = parse(read('deploy/compose.yaml'))

  test('is hardened, and stops later than the scheduler does', () => {
    const { scheduler } = services
    expect(scheduler).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    expect(Number.parseInt(scheduler.stop_grace_period, 10) * 1000).toBeGreaterThan(longestStopMs())
    expect(existsSync(join(ROOT, 'deploy', scheduler.build.context, 'Dockerfile'))).toBe(true)
    for (const volume of scheduler.volumes as string[]) {
      const [from = ''] = volume.split(':')
      expect(from.startsWith('.') ? existsSync(join(ROOT, 'deploy', from)) : from === 'state').toBe(true)
    }
  })
})

describe('systemd units', () => {
  const unit = (name: string) => {
    const entries = [...read(`deploy/${name}`).matchAll(/^(\w+)=(.*)$/gm)]
    return (key: string) => entries.filter(([, name]) => name === key).map(([, , value]) => value!)
  }

  test.each(['scheduler.service', 'scheduler-once.service'])(
    '%s says only what the scheduler knows',
    name => {
      const get = unit(name)
      const words = [...get('ExecStart'), ...get('ExecReload')].flatMap(line => line.split(' ').slice(1))
      expect(words.length).toBeGreaterThan(1)
      expect(words.filter(word => !word.startsWith('/') && !knownFlags.has(word))).toEqual([])
    },
  )

  test.each(['scheduler.service', 'scheduler-once.service'])('%s is hardened (S83)', name => {
    const get = unit(name)
    for (const key of ['NoNewPrivileges', 'PrivateTmp', 'ProtectHome']) expect(get(key)).toEqual(['yes'])
    expect(get('ProtectSystem')).toEqual(['strict'])
    expect(get('ReadWritePaths')).toEqual(['/var/lib/scheduler'])
    expect(get('MemoryDenyWriteExecute')).toEqual([])
  })

  test('the service keeps commands alive, is watched, and does not restart what a restart cannot cure', () => {
    const get = unit('scheduler.service')
    expect(get('Type')).toEqual(['notify'])
    expect(get('NotifyAccess')).toEqual(['all'])
    expect(get('KillMode')).toEqual(['process'])
    expect(get('WatchdogSec')).toEqual(['30'])
    expect(get('Restart')).toEqual(['on-failure'])
    expect(get('RestartPreventExitStatus')).toEqual(['2 3 78'])
    expect(Number(get('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(longestStopMs())
  })

  test('its settings are settings, and lie where the unit may write', () => {
    const file = parse(read('deploy/dagbok.yaml')) as Record<string, unknown>
    const known = SETTING_SPECS.map(({ key }) => key)
    expect(Object.keys(file).filter(key => !known.includes(key))).toEqual([])
    const entries = new Map(Object.entries(file).map(([key, value]) => [key, { value, line: 1, column: 1 }]))
    const { settings } = resolveSettings({
      flags: {},
      env: {},
      cwd: '/',
      file: { name: 'dagbok.yaml', entries },
    })
    expect(settings.stateDir).toBe('/var/lib/scheduler/state.d')
    expect(settings.eventsPath).toBe('/var/lib/scheduler/events.jsonl')
  })

  test('systemd itself has nothing to say against them', () => {
    const root = mkdtempSync(join(tmpdir(), 'dagbok-units-'))
    try {
      const units = join(root, 'etc/systemd/system')
      mkdirSync(join(units, 'scheduler.service.d'), { recursive: true })
      for (const name of ['scheduler.service', 'scheduler-once.service', 'scheduler-once.timer']) {
        cpSync(join(ROOT, 'deploy', name), join(units, name))
      }
      cpSync(join(ROOT, 'deploy/scheduler-jobs.conf'), join(units, 'scheduler.service.d/jobs.conf'))
      mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
      writeFileSync(join(root, 'usr/local/bin/scheduler'), '#!/bin/sh\n')
      chmodSync(join(root, 'usr/local/bin/scheduler'), 0o755)
      if (existsSync('/usr/lib/systemd/system')) {
        cpSync('/usr/lib/systemd/system', join(root, 'usr/lib/systemd/system'), {
          recursive: true,
          verbatimSymlinks: true,
        })
      }
      const names = ['scheduler.service', 'scheduler-once.service', 'scheduler-once.timer']
      const { error, status, stdout, stderr } = spawnSync(
        'systemd-analyze',
        ['verify', `--root=${root}`, ...names],
        {
          encoding: 'utf8',
        },
      )
      // A machine without systemd cannot ask it; .ci/run says so, and the rules above hold there too.
      if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
        expect(existsSync('/usr/bin/systemd-analyze')).toBe(false)
        return
      }
      expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' })
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
})

function longestStopMs(): number {
  const { settings } = resolveSettings({ flags: {}, env: {}, cwd: '/' })
  return settings.drainTimeoutMs + settings.killGraceMs
}
