// The tasks of a DAG, plain or of a manifest: what the schema cannot see of them, and their normal form.
//
// Boundary: the trees given here have the tasks under `tasks`, with the keys of a plain file. A manifest's tree is made to
// look so (manifest-tasks.ts).

import type { z } from 'zod'
import { findRefused } from '../core/attempt/environment.ts'
import { WRAPPER_WORKFLOWS } from '../core/dag/manifest.ts'
import type { Task } from '../core/dag/task.ts'
import { DEFAULT_TRIGGER_RULE } from '../core/dag/trigger-rule.ts'
import { explainCycle, findGraphProblems, type GraphFinding } from '../core/dag/validate.ts'
import { isJsonObject, type Json, type JsonObject, jsonBytes } from '../core/json.ts'
import { findNearest } from '../core/nearest.ts'
import { parseDuration } from '../core/time/duration.ts'
import type { PlacedName } from './checked-dag-file.ts'
import { MAX_PARAMS_BYTES, MAX_TASK_BYTES, type TaskEntry, VARIABLE_PATTERN } from './dag-schema.ts'
import { checkLength } from './duration-text.ts'
import { describeValue } from './expected-words.ts'
import type { ProblemList } from './problem.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

const WRAPPERS_ONLY: readonly string[] = Object.values(WRAPPER_WORKFLOWS)

/** Every workflow that is asked for and is not a wrapper's. */
export function workflowRefsOf(tasks: readonly Json[], tree: YamlTree): PlacedName[] {
  return tasks.flatMap((task, index) => {
    const name = isJsonObject(task) ? task['workflow_ref'] : undefined
    return typeof name === 'string' && !WRAPPERS_ONLY.includes(name)
      ? [{ name, place: tree.locate(['tasks', index, 'workflow_ref']) }]
      : []
  })
}

/** Users' tasks do not run what wrappers run. */
export function refuseWrappers(
  tasks: readonly Json[],
  help: string,
  tree: YamlTree,
  problems: ProblemList,
): void {
  for (const [index, task] of tasks.entries()) {
    const name = isJsonObject(task) ? task['workflow_ref'] : undefined
    if (typeof name === 'string' && WRAPPERS_ONLY.includes(name))
      problems.add(
        tree.locate(['tasks', index, 'workflow_ref']),
        `the workflow ${name} is what a manifest's own tasks run`,
        { help },
      )
  }
}

/**
 * Adds what is wrong with the tasks and between them.
 * @param around ids of tasks that are added, and may be depended on
 */
export function checkTasks(
  tasks: readonly Json[],
  dagName: string,
  tree: YamlTree,
  problems: ProblemList,
  around: readonly string[] = [],
): void {
  // Tasks without a readable id keep their index with a name that no id can have.
  const written = tasks.map((task, index) => {
    const id = isJsonObject(task) ? task['id'] : undefined
    const dependsOn = isJsonObject(task) && Array.isArray(task['depends_on']) ? task['depends_on'] : []
    return {
      id: typeof id === 'string' ? id : `\0${index}`,
      // Entries that are no text keep their index, too; the schema tells of them.
      dependsOn: dependsOn.map(entry => (typeof entry === 'string' ? entry : '\0')),
    }
  })
  const taken = new Set(written.map(({ id }) => id))
  const nodes = [...written, ...around.filter(id => !taken.has(id)).map(id => ({ id, dependsOn: [] }))]
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

/** The normal form of an entry in which nothing is wrong. */
export function compileTask(task: z.output<typeof TaskEntry>): Task {
  const rule = task.trigger_rule
  return {
    id: task.id,
    workflowRef: task.workflow_ref,
    params: task.params as JsonObject,
    retries: task.retries,
    retryDelayMs: parseDuration(task.retry_delay),
    backoff: task.backoff,
    ...(task.timeout !== undefined && { timeoutMs: parseDuration(task.timeout) }),
    dependsOn: [...new Set(task.depends_on)],
    ...(rule !== undefined && rule !== DEFAULT_TRIGGER_RULE && { triggerRule: rule }),
    ...(Object.keys(task.env).length > 0 && { env: task.env }),
  }
}
