// One DAG file: text → the DAG in its normal form, and what is wrong with the file. Looks at nothing but this file and the
// vars; whether its workflows exist and its name is free is for definition/link.ts.
//
//   D1. Every problem of the file is found in one go; a DAG with any of them has no normal form.
//   D2. Equal meaning, equal hash: defaults are filled in, comments, order of keys and descriptions do not count.
//   D3. A file with a mapping under `dag:` is a manifest (manifest-file.ts); any other is a DAG as it stands.

import type { Dag } from '../core/dag/dag.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { CheckedDagFile } from './checked-dag-file.ts'
import { DAG_WORDS, DagFile } from './dag-schema.ts'
import { checkManifest } from './manifest-file.ts'
import { hashDag } from './normal-form.ts'
import { channelsOf, checkNotification, notificationOf } from './notification-entry.ts'
import { ProblemList } from './problem.ts'
import { addSchemaProblems } from './schema-problems.ts'
import type { SourceText } from './source-text.ts'
import { checkTasks, compileTask, refuseWrappers, workflowRefsOf } from './task-list.ts'
import { NO_VARS, type Vars } from './vars.ts'
import { readYaml, type YamlTree } from './yaml-tree.ts'

/** Checks one file. Never throws for what the text says. */
export async function checkDagFile(source: SourceText, vars: Vars = NO_VARS): Promise<CheckedDagFile> {
  const problems = new ProblemList(source)
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
    return nothingOf(problems)
  }
  const { value } = tree
  if (isJsonObject(value) && isJsonObject(value['dag'])) return checkManifest(tree, vars, problems)
  return checkPlain(tree, problems)
}

const AS_MANIFEST = 'write the DAG as a manifest (a mapping under "dag:"): it is added where it belongs'

function checkPlain(tree: YamlTree, problems: ProblemList): CheckedDagFile {
  const formIsRight = addSchemaProblems(DagFile, DAG_WORDS, tree, problems)
  const { value } = tree
  if (!isJsonObject(value)) return nothingOf(problems)
  const name = typeof value['name'] === 'string' ? value['name'] : undefined
  const tasks = Array.isArray(value['tasks']) ? value['tasks'] : []
  checkTasks(tasks, name ?? problems.source.file, tree, problems)
  refuseWrappers(tasks, AS_MANIFEST, tree, problems)
  checkNotification(value, [], tree, problems)
  return {
    source: problems.source,
    problems,
    dag: formIsRight && problems.errorCount === 0 ? compileDag(value) : undefined,
    name,
    namePlace: tree.locate(['name']),
    workflowRefs: workflowRefsOf(tasks, tree),
    channelRefs: channelsOf(value, [], tree),
    afterRuns: [],
    askedSchedules: [],
  }
}

/** A file of which nothing can be known. */
function nothingOf(problems: ProblemList): CheckedDagFile {
  const namePlace = { start: 0, end: 0 }
  return {
    source: problems.source,
    problems,
    dag: undefined,
    name: undefined,
    namePlace,
    workflowRefs: [],
    channelRefs: [],
    afterRuns: [],
    askedSchedules: [],
  }
}

/** @throws ZodError  never for a value that passed the schema */
function compileDag(value: JsonObject): Dag {
  const authored = DagFile.parse(value)
  const dag = { name: authored.name, tenantId: authored.tenant_id, tasks: authored.tasks.map(compileTask) }
  const notification = notificationOf(authored)
  return Object.freeze({ ...dag, hash: hashDag(dag), ...(notification && { notification }) })
}
