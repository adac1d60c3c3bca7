// The grammar of the command line: commands, arguments, flags, help. What a command does is commands/<verb>.ts, loaded
// only when it is called, so that `--help` costs nothing but this.
//
//   G1. `--serve` and `--once` are flags of the root (DESIGN §2); the last one said wins. A command beside them is refused.
//   G2. Every wrong call ends with 2, and a word that is close to an existing one is answered with it.

import { Command, type CommanderError, Option } from 'commander'
import { type FlagValues, SETTING_SPECS } from '../config.ts'
import { findNearest } from '../core/nearest.ts'
import type { CommandContext } from './context.ts'
import type {
  AuditFlags,
  CalendarFlags,
  EventFlags,
  ExplainFlags,
  LintFlags,
  LogFlags,
  PauseFlags,
  RunFlags,
  RunsFlags,
  SimulateFlags,
  SkipFlags,
  TriggerFlags,
} from './flags.ts'
import { UsageError } from './usage.ts'

/** What the parser found: which module to call and with what. */
export interface Invocation {
  readonly flags: FlagValues
  readonly json: boolean
  readonly headers: boolean
  run(context: CommandContext): Promise<number>
}

type Words = { write(text: string): unknown }

const collect = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value]

/**
 * Reads the words after `scheduler`.
 * @returns undefined when help or the version was printed
 * @throws UsageError (exit 2), with the parser's message
 */
export async function parse(
  words: readonly string[],
  version: string,
  streams: { stdout: Words; stderr: Words },
): Promise<Invocation | undefined> {
  let found: ((context: CommandContext) => Promise<number>) | undefined
  let mode: 'serve' | 'once' | undefined
  let parserSaid = ''

  const program = new Command('scheduler')
    .description('Cron scheduler and DAG orchestrator in one process.')
    .usage('--serve | --once [--dir <dir>] | <command> …')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .argument('[command...]')
    .exitOverride()
    .configureOutput({
      writeOut: text => streams.stdout.write(text),
      writeErr: text => {
        parserSaid += text
      },
    })

  program.optionsGroup('Scheduler:')
  program
    .option('--serve', 'schedule until SIGINT or SIGTERM, then drain and stop')
    .option('--once', 'one tick: enqueue what is due, run it, report, exit')
  program.on('option:serve', () => {
    mode = 'serve'
  })
  program.on('option:once', () => {
    mode = 'once'
  })

  program.optionsGroup('Output:')
  program
    .option('--json', 'print JSON (JSON lines for streams)')
    .option('--no-headers', 'leave out the header line of tables')

  program.optionsGroup('Settings (flag > environment > dagbok.yaml > default):')
  for (const spec of SETTING_SPECS) {
    const option = new Option(
      `${spec.flag}${spec.argument ? ` ${spec.argument}` : ''}`,
      `${spec.about} [${spec.env}]`,
    )
    if (spec.name === 'scheduleDirs') option.argParser(collect)
    program.addOption(option)
  }
  program.addHelpText('after', EXAMPLES)

  /** Adds a command whose module is loaded when it is called. */
  function add<Args extends unknown[]>(
    syntax: string,
    about: string,
    load: (context: CommandContext, ...args: Args) => Promise<number>,
  ): Command {
    return program
      .command(syntax)
      .description(about)
      .helpOption('-h, --help', 'show help')
      .action((...given: unknown[]) => {
        // The last one is the command itself, which is nobody's business.
        const args = given.slice(0, -1) as Args
        found = context => load(context, ...args)
      })
  }

  program.commandsGroup('Run:')
  add<[string, RunFlags]>(
    'run <dag>',
    'run a DAG (its name, or a file) now and wait for its end',
    async (context, dag, flags) => (await import('./commands/run.ts')).run(context, dag, flags),
  )
    .option('--dry-run', 'print the execution plan and stop')
    .option('--param <key=value>', 'a param for every task; may be repeated', collect)
    .option('--params-file <file>', 'params from a YAML or JSON file')
  add<[string, TriggerFlags]>(
    'trigger <dag>',
    'ask for a run of a DAG, or of a slot of a schedule, and do not wait',
    async (context, dag, flags) => (await import('./commands/trigger.ts')).run(context, dag, flags),
  )
    .option('--param <key=value>', 'a param for every task; may be repeated', collect)
    .option('--params-file <file>', 'params from a YAML or JSON file')
    .option('--slot <slot>', 'the word names a schedule: run this slot of it now, or once more')
  add<[string, { reason?: string }]>('cancel <run>', 'end a run', async (context, run, flags) =>
    (await import('./commands/cancel.ts')).run(context, run, flags),
  ).option('--reason <text>', 'why, for the record')

  program.commandsGroup('Steer:')
  add<[string | undefined, PauseFlags]>(
    'pause [schedule]',
    'skip the slots of a schedule, or of every one, from now on',
    async (context, id, flags) => (await import('./commands/pause.ts')).run(context, id, flags),
  )
    .option('--all', 'every schedule')
    .option('--until <when>', 'the end: a date and time, local in the zone of the schedule or with an offset')
    .option('--for <duration>', 'the length instead: 2h')
    .option('--reason <text>', 'why, for the record')
  add<[string | undefined, PauseFlags]>('resume [schedule]', 'end a pause', async (context, id, flags) =>
    (await import('./commands/resume.ts')).run(context, id, flags),
  )
    .option('--all', 'the pause of everything')
    .option('--reason <text>', 'why, for the record')
  add<[string, string | undefined, SkipFlags]>(
    'skip <schedule> [slot]',
    'leave out one slot to come: this one, or the next',
    async (context, id, slot, flags) => (await import('./commands/skip.ts')).run(context, id, slot, flags),
  )
    .option('--undo', 'take that back: of this slot, or of the next one that is to be skipped')
    .option('--reason <text>', 'why, for the record')

  program.commandsGroup('Write:')
  add<[string[]]>(
    'validate [files...]',
    'check the definitions, or only these files',
    async (context, files) => (await import('./commands/validate.ts')).run(context, files),
  )
  add<[string[], LintFlags]>(
    'lint [files...]',
    'what is legal in the definitions and rarely meant',
    async (context, files, flags) => (await import('./commands/lint.ts')).run(context, files, flags),
  )
    .option('--strict', 'exit 3 if there is anything to say')
    .option('--crowd <n>', 'tell of minutes with more schedules than this (default: 20)')
  add<[string, { expanded?: boolean }]>(
    'show <dag>',
    'what a DAG (its name, or a file) is: how its runs come about, its files, its tasks',
    async (context, dag, flags) => (await import('./commands/show.ts')).run(context, dag, flags),
  ).option('--expanded', 'as YAML that says everything: vars, defaults, the tasks that a manifest brings')
  add<[string | undefined, { count?: string }]>(
    'next [schedule]',
    'when schedules are due next',
    async (context, id, flags) => (await import('./commands/next.ts')).run(context, id, flags),
  ).option('-n, --count <n>', 'how many slots of each (default: 1; 10 for one schedule)')

  add<[string, string | undefined, CalendarFlags]>(
    'calendar <action> [name]',
    'list, show <name>, or import the holidays of a country',
    async (context, action, name, flags) =>
      (await import('./commands/calendar.ts')).run(context, action, name, flags),
  )
    .option('--year <year>', 'show: this year (default: the current one)')
    .option('--from <date>', 'show: from this day on, with --to')
    .option('--to <date>', 'show: up to this day')
    .option('--country <code>', 'import: of this country, or a part of it, such as US or US-CA')
    .option('--years <years>', 'import: these years, such as 2026-2030')
    .option('--types <types>', 'import: public, bank, optional, school, observance (default: public)')
    .option('--name <name>', 'import: name of the calendar (default: us_ca)')
    .option('--out <file>', 'import: write to this file')
    .option('--force', 'import: replace the file')

  program.commandsGroup('Look ahead:')
  add<[string[], ExplainFlags]>(
    'explain <cron-or-schedule...>',
    'a cron text or a schedule in words, its slots and clock changes',
    async (context, words, flags) => (await import('./commands/explain.ts')).run(context, words, flags),
  )
    .option('--timezone <zone>', 'the zone of a cron text (default: its own, or UTC)')
    .option('--dialect <dialect>', 'how a cron text is read: unix or quartz (default: unix)')
    .option('--dst <rule>', 'what it does when clocks change: cron, skip or both (default: cron)')
    .option('--seed <text>', 'what an H of a cron text gets its value from; of a schedule it is the id')
    .option('-n, --count <n>', 'how many slots (default: 5)')
  add<[string[], SimulateFlags]>(
    'simulate [schedules...]',
    'what the scheduler would record over a span, without running or writing anything',
    async (context, ids, flags) => (await import('./commands/simulate.ts')).run(context, ids, flags),
  )
    .option('--from <instant>', 'the start: a date, or ISO 8601 with an offset (default: now)')
    .option('--to <instant>', 'the end, not included (default: a week later)')
    .option('--duration <duration>', 'what a run takes that has never run (default: 1m)')
    .option(
      '--assume <answer...>',
      'what conditions that must be asked say: yes, no or error; of one kind or schedule: http=no (default: yes)',
    )
    .option('--assert <file>', 'expectations in YAML or JSON; exit 1 if one does not hold')
    .option('--slots', 'print each decision about a slot instead of the summary')
  add<[{ exitCode?: boolean }]>(
    'plan',
    'what the definitions as they are now would change',
    async (context, flags) => (await import('./commands/plan.ts')).run(context, flags),
  ).option('--exit-code', 'exit 1 if they would change anything')

  program.commandsGroup('Look:')
  add<[]>('status', 'what the running scheduler is doing', async context =>
    (await import('./commands/status.ts')).run(context),
  )
  add<[{ count?: string }]>(
    'notifications',
    'what is to be told, and what became of the last that was',
    async (context, flags) => (await import('./commands/notifications.ts')).run(context, flags),
  ).option('--count <n>', 'so many that ended (default: 20)')
  add<[]>('stages', 'where the files of each DAG lie, and how many were worked on', async context =>
    (await import('./commands/stages.ts')).run(context),
  )
  add<[string | undefined, RunsFlags]>(
    'runs [run]',
    'the latest runs, or one run and its tasks',
    async (context, run, flags) => (await import('./commands/runs.ts')).run(context, run, flags),
  )
    .option('--dag <name>', 'only of this DAG')
    .option('--schedule <id>', 'only of this schedule')
    .option('--status <status>', 'only with this status; may be repeated', collect)
    .option('--since <instant>', 'only enqueued at or after: ISO 8601, or an age such as 2h')
    .option('-n, --count <n>', 'at most so many (default: 20)')
  add<[string, string | undefined, LogFlags]>(
    'logs <run> [task]',
    'what a run printed',
    async (context, run, task, flags) => (await import('./commands/logs.ts')).run(context, run, task, flags),
  )
    .option('-f, --follow', 'go on until the run or the task has ended')
    .option('--attempt <n>', 'of this attempt (default: the last)')
  add<[EventFlags]>('events', 'the events of the journal', async (context, flags) =>
    (await import('./commands/events.ts')).run(context, flags),
  )
    .option('-f, --follow', 'go on with each new one')
    .option('--run <run>', 'only of this run')
    .option('--event <name>', 'only of this name')
    .option('--after <seq>', 'only after this position')
    .option('-n, --count <n>', 'only the last so many (default with -f: 10)')

  add<[string, string[]]>(
    'why <schedule> [slot...]',
    'why a slot of a schedule ended as it did, or where a run stands',
    async (context, name, slot) => (await import('./commands/why.ts')).run(context, name, slot),
  )
  add<[AuditFlags]>('audit', 'whether every slot was decided exactly once', async (context, flags) =>
    (await import('./commands/audit.ts')).run(context, flags),
  )
    .option('--from <instant>', 'slots from it on: ISO 8601, a date, or an age (default: a day before --to)')
    .option('--to <instant>', 'slots before it (default: now)')
    .option('--schedule <id>', 'only of this schedule')
    .option('--allow-missed', 'slots that are recorded as missed are no failure')
    .option('--strict', 'slots that are still open are a failure')

  program.commandsGroup('Administer:')
  add<[]>('reload', 'have the scheduler read its definitions again', async context =>
    (await import('./commands/reload.ts')).run(context),
  )
  add<[string, string[]]>(
    'record <event> [fields...]',
    'write an event of your own, with key=value fields',
    async (context, event, fields) => (await import('./commands/record.ts')).run(context, event, fields),
  )
  add<[string]>('journal <action>', 'verify, rebuild-index, or print the path', async (context, action) =>
    (await import('./commands/journal.ts')).run(context, action),
  )
  add<[string, string]>(
    'notify <action> <channel>',
    'test: send a test message to a channel now',
    async (context, action, channel) => (await import('./commands/notify.ts')).run(context, action, channel),
  )
  add<[]>('config', 'every setting, its value and where it came from', async context =>
    (await import('./commands/config.ts')).run(context),
  )

  program.action((extra: string[]) => {
    const [word] = extra
    if (word !== undefined) throw unknownCommand(program, word)
    if (mode === 'serve') found = async context => (await import('./commands/serve.ts')).run(context)
    else if (mode === 'once') found = async context => (await import('./commands/once.ts')).run(context)
    else
      throw new UsageError(
        'nothing was asked for',
        'give --serve, --once or a command; `scheduler --help` lists them',
      )
  })

  try {
    await program.parseAsync(words as string[], { from: 'user' })
  } catch (error) {
    const { code, exitCode, message } = error as CommanderError
    if (!code?.startsWith('commander.')) throw error
    if (exitCode === 0) return undefined
    const [said, suggestion] = (parserSaid || message)
      .replace(/^error: /, '')
      .trim()
      .split(/\n\(Did you mean (.*)\?\)$/)
    const meant = suggestion === undefined ? '' : `did you mean ${suggestion}? `
    throw new UsageError(said!, `${meant}\`scheduler --help\` lists what there is`)
  }
  if (!found) return undefined
  const [command] = program.args
  if (mode !== undefined && command !== undefined) {
    throw new UsageError(
      `--${mode} and ${command} cannot be combined`,
      `leave one of them out; in a checkout it is \`npm run scheduler -- ${command} …\``,
    )
  }
  const said = program.opts()
  return {
    flags: readFlags(program),
    json: said['json'] === true,
    headers: said['headers'] !== false,
    run: found,
  }
}

/** Commander takes an unknown command for an argument of the root, and so does not suggest. */
function unknownCommand(program: Command, word: string): UsageError {
  const nearest = findNearest(
    word,
    program.commands.map(command => command.name()),
  )
  const suggestion = nearest === undefined ? '' : `did you mean ${JSON.stringify(nearest)}? `
  return new UsageError(
    `unknown command ${JSON.stringify(word)}`,
    `${suggestion}\`scheduler --help\` lists the commands`,
  )
}

function readFlags(program: Command): FlagValues {
  const said = program.opts()
  const flags: FlagValues = {}
  for (const { name, flag } of SETTING_SPECS) {
    const option = program.options.find(candidate => candidate.long === flag)
    const value = option === undefined ? undefined : said[option.attributeName()]
    if (value !== undefined) flags[name] = value
  }
  return flags
}

const EXAMPLES = `
Examples:
  scheduler --serve                                      schedule until it is stopped
  scheduler --once --dir configs/schedules               one tick, for CI
  scheduler run configs/dags/weekly_ops_chain.min.yaml --dry-run
  scheduler next                                         what is due when
  scheduler events -f --event run_finished               follow what happens

Exit codes: 0 ok · 1 a run failed · 2 usage · 3 definitions invalid · 4 not found · 5 another scheduler holds the state ·
6 no scheduler to reach · 74 journal I/O · 78 journal damaged · 124 timeout · 130/143 stopped by a signal`
