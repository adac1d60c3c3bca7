// One DAG file: text → the DAG in its normal form, and what is wrong with the file. Looks at nothing but this file;
// whether its workflows exist and its name is free is for definition/link.ts.
//
//   D1. Every problem of the file is found in one go; a DAG with any of them has no normal form.
//   D2. Equal meaning, equal hash: defaults are filled in, comments, order of keys and descriptions do not count.

import { findRefused } from '../core/attempt/environment.ts'
import type { Dag } from '../core/dag/dag.ts'
import type { Backoff, Task } from '../core/dag/task.ts'
import { explainCycle, findGraphProblems, type GraphFinding } from '../core/dag/validate.ts'
import { isJsonObject, type Json, type JsonObject, jsonBytes } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import { parseDuration } from '../core/time/duration.ts'
import { DAG_WORDS, DagFile, MAX_PARAMS_BYTES, MAX_TASK_BYTES, VARIABLE_PATTERN } from './dag-schema.ts'
import { checkLength } from './duration-text.ts'
import { describeValue } from './expected-words.ts'
import { hashDag } from './normal-form.ts'
import { ProblemList } from './problem.ts'
import { addSchemaProblems } from './schema-problems.ts'
import type { SourceText, Span } from './source-text.ts'
import { type Path, readYaml, type YamlTree } from './yaml-tree.ts'

export interface CheckedDagFile {
  readonly source: SourceText
  readonly problems: ProblemList
  /** Undefined if anything is wrong. */
  readonly dag: Dag | undefined
  /** The name, if it can be read, also of a DAG that has other problems. */
  readonly name: string | undefined
  readonly namePlace: Span
  /** Every workflow that is asked for, with its place. */
  readonly workflowRefs: readonly { name: string; place: Span }[]
  /** Every channel that is to be notified, with its place. */
  readonly channelRefs?: readonly { name: string; place: Span }[]
}

/** Checks one file. Never throws for what the text says. */
export async function checkDagFile(source: SourceText): Promise<CheckedDagFile> {
  const problems = new ProblemList(source)
  const nothing = { source, problems, dag: undefined, name: undefined, namePlace: { start: 0, end: 0 } }
  const tree = await readYaml(problems)
  if (!tree) {
    if (problems.errorCount === 0)
      problems.add(
        { start: 0, end: 0 },
        'the file is empty: expected a DAG (a mapping with name and tasks)',
        {
          help: 'write name and tasks, or delete the file',
        },
      )
    return { ...nothing, workflowRefs: [] }
  }
  const formIsRight = addSchemaProblems(DagFile, DAG_WORDS, tree, problems)
  const { value } = tree
  if (!isJsonObject(value)) return { ...nothing, workflowRefs: [] }
  const name = typeof value['name'] === 'string' ? value['name'] : undefined
  const tasks = Array.isArray(value['tasks']) ? value['tasks'] : []
  checkTasks(tasks, name ?? source.file, tree, problems)
  const dag = formIsRight && problems.errorCount === 0 ? compileDag(value) : undefined
  const workflowRefs = tasks.flatMap((task, index) => {
    const ref = isJsonObject(task) ? task['workflow_ref'] : undefined
    return typeof ref === 'string'
      ? [{ name: ref, place: tree.locate(['tasks', index, 'workflow_ref']) }]
      : []
  })
  return { source, problems, dag, name, namePlace: tree.locate(['name']), workflowRefs }
}

function checkTasks(tasks: readonly Json[], dagName: string, tree: YamlTree, problems: ProblemList): void {
  // Tasks without a readable id keep their index with a name that no id can have.
  const nodes = tasks.map((task, index) => {
    const id = isJsonObject(task) ? task['id'] : undefined
    const dependsOn = isJsonObject(task) && Array.isArray(task['depends_on']) ? task['depends_on'] : []
    return {
      id: typeof id === 'string' ? id : `\0${index}`,
      // Entries that are no text keep their index, too; the schema tells of them.
      dependsOn: dependsOn.map(entry => (typeof entry === 'string' ? entry : '\0')),
    }
  })
  const ids = [...new Set(nodes.map(node => node.id))].filter(id => !id.startsWith('\0'))
  for (const finding of findGraphProblems(nodes)) addFinding(finding, nodes, ids, dagName, tree, problems)
  tasks.forEach((task, index) => {
    if (isJsonObject(task)) checkTask(task, ['tasks', index], tree, problems)
  })
}

function addFinding(
  finding: GraphFinding,
  nodes: readonly { id: string; dependsOn: readonly string[] }[],
  ids: readonly string[],
  dagName: string,
  tree: YamlTree,
  problems: ProblemList,
): void {
  const node = nodes[finding.task]!
  if (finding.kind === 'duplicate_task') {
    const { line } = problems.source.positionAt(tree.locate(['tasks', finding.first, 'id']).start)
    problems.add(
      tree.locate(['tasks', finding.task, 'id']),
      `duplicate task id "${node.id}", first on line ${line}`,
      {
        help: 'give each task an id of its own',
      },
    )
    return
  }
  const place = tree.locate(['tasks', finding.task, 'depends_on', finding.dependency])
  const dependency = node.dependsOn[finding.dependency]!
  if (finding.kind === 'cycle') {
    problems.add(
      place,
      `CycleDetectedError: Cycle detected in DAG '${dagName}': ${shortenPath(finding.path).join(' → ')}`,
      {
        help: explainCycle(finding.path),
      },
    )
  } else if (finding.kind === 'repeated_dependency') {
    problems.add(place, `"${dependency}" is named twice in depends_on`, {
      severity: 'warning',
      help: 'remove one of them',
    })
  } else if (dependency !== '\0') {
    problems.add(place, `unknown dependency "${dependency}": no task of this DAG has this id`, {
      help: () => {
        const near = findNearest(dependency, ids.slice(0, 2_000))
        return near === undefined ? `tasks: ${listNames(ids)}` : `did you mean "${near}"?`
      },
    })
  }
}

/** The steps of a circle, the middle left out where there are many. */
export function shortenPath(path: readonly string[]): readonly string[] {
  return path.length <= 20 ? path : [...path.slice(0, 17), `… ${path.length - 19} more …`, ...path.slice(-2)]
}

/** The first names of a list, for a help line. */
export function listNames(names: readonly string[]): string {
  return names.length <= 12
    ? names.join(', ')
    : `${names.slice(0, 12).join(', ')}, … (${names.length} in all)`
}

/** What the schema cannot see of one task. Fields of a wrong type are skipped. */
function checkTask(task: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): void {
  checkLength(task['retry_delay'], [...path, 'retry_delay'], tree, problems)
  checkLength(task['timeout'], [...path, 'timeout'], tree, problems)
  if (typeof task['timeout'] === 'string' && /^(?:0+[a-z]+)+$/.test(task['timeout']))
    problems.add(
      tree.locate([...path, 'timeout']),
      `expected a duration of more than nothing, got "${task['timeout']}"`,
      {
        help: 'remove the timeout if there should be none',
      },
    )
  const env = task['env']
  if (isJsonObject(env)) checkEnvironment(env, [...path, 'env'], tree, problems)
  const params = task['params'] ?? {}
  const whole = jsonBytes(task)
  if (whole > MAX_TASK_BYTES)
    problems.add(
      tree.locate(path),
      `expected a task of at most ${MAX_TASK_BYTES} bytes as JSON, got ${whole}`,
      {
        help: 'shorten env or depends_on: a task stands in one line of the journal',
      },
    )
  if (!isJsonObject(params)) return
  const bytes = jsonBytes(params)
  if (bytes > MAX_PARAMS_BYTES)
    problems.add(
      tree.locateKey(path, 'params'),
      `expected params of at most ${MAX_PARAMS_BYTES} bytes as JSON, got ${bytes}`,
      { help: 'put the data into a file and pass its path' },
    )
  if (task['workflow_ref'] === 'shell') checkCommand(params['command'], path, tree, problems)
  if (task['workflow_ref'] === 'http') checkUrl(params['url'], path, tree, problems)
}

function checkEnvironment(env: JsonObject, path: Path, tree: YamlTree, problems: ProblemList): void {
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string' || !VARIABLE_PATTERN.test(name)) continue
    const refused = findRefused({ [name]: value })
    if (refused)
      problems.add(tree.locateKey(path, name), `env.${name} may not be set: ${refused.why}`, {
        help: 'remove it, or set it inside the command: env NAME=value program',
      })
  }
}

function checkCommand(command: Json | undefined, path: Path, tree: YamlTree, problems: ProblemList): void {
  const help = 'params: {command: [echo, hello]} runs it as it stands; a text goes to /bin/sh -c'
  if (command === undefined) {
    problems.add(tree.locate([...path, 'workflow_ref']), 'the workflow shell needs params.command', { help })
    return
  }
  const isArgv = Array.isArray(command) && command.length > 0 && command.every(isWord)
  const isText = typeof command === 'string' && command.trim() !== ''
  if (isArgv || isText) return
  const stranger = Array.isArray(command) ? command.findIndex(part => !isWord(part)) : -1
  const wrong = stranger === -1 ? command : (command as Json[])[stranger]
  problems.add(
    tree.locate([...path, 'params', 'command', ...(stranger === -1 ? [] : [stranger])]),
    `expected a command (a list of texts, or a text), got ${describeValue(wrong)}`,
    { help: stranger === -1 || typeof wrong === 'object' ? help : `quote it: "${wrong}"` },
  )
}

/** What can stand in an argv. */
function isWord(part: Json): boolean {
  return typeof part === 'string' || typeof part === 'number'
}

function checkUrl(url: Json | undefined, path: Path, tree: YamlTree, problems: ProblemList): void {
  if (url === undefined)
    problems.add(tree.locate([...path, 'workflow_ref']), 'the workflow http needs params.url', {
      help: 'params: {url: "https://example.org/"}',
    })
  else if (typeof url !== 'string' || !(/^https?:\/\/./i.test(url) || url.includes('{{')))
    problems.add(
      tree.locate([...path, 'params', 'url']),
      `expected a URL that begins with http:// or https://, got ${describeValue(url)}`,
      {
        help: 'for example url: "https://example.org/"',
      },
    )
}

/** @throws ZodError  never for a value that passed the schema */
function compileDag(value: JsonObject): Dag {
  const authored = DagFile.parse(value)
  const tasks = authored.tasks.map(
    (task): Task => ({
      id: task.id,
      workflowRef: task.workflow_ref,
      params: task.params as JsonObject,
      retries: task.retries,
      retryDelayMs: parseDuration(task.retry_delay),
      backoff: task.backoff satisfies Backoff,
      ...(task.timeout !== undefined && { timeoutMs: parseDuration(task.timeout) }),
      dependsOn: [...new Set(task.depends_on)],
      ...(Object.keys(task.env).length > 0 && { env: task.env }),
    }),
  )
  const dag = { name: authored.name, tenantId: authored.tenant_id, tasks }
  return Object.freeze({ ...dag, hash: hashDag(dag) })
}
