// The files of vars together → the vars of one environment. Every file is checked, also those of other environments.

import { checkId } from '../core/ids.ts'
import { findNearest } from '../core/nearest.ts'
import type { DefinitionProblem } from '../ports/definition-source.ts'
import { hashOf } from './normal-form.ts'
import { makeFileProblem } from './problem.ts'
import { DEFAULT_ENVIRONMENT, overlay, type Vars } from './vars.ts'
import type { CheckedVarsFile } from './vars-file.ts'

/**
 * @param folder as people see it
 * @param someIsUnreadable a file is not among them, since it could not be read
 */
export function joinVars(
  files: readonly CheckedVarsFile[],
  {
    environment,
    folder,
    someIsUnreadable,
  }: { environment: string; folder: string; someIsUnreadable: boolean },
): { vars: Vars; problems: DefinitionProblem[] } {
  const problems: DefinitionProblem[] = []
  const byName = new Map<string, CheckedVarsFile>()
  for (const file of files) {
    const name = environmentOf(file.source.file)
    const first = byName.get(name)
    const wrong = checkId(name)
    if (wrong !== undefined)
      problems.push(
        makeFileProblem(file.source.file, `its name is that of no environment: ${wrong}`, {
          help: 'rename the file',
        }),
      )
    else if (first !== undefined)
      problems.push(
        makeFileProblem(
          file.source.file,
          `the environment "${name}" has two files, the other one is ${first.source.file}`,
          { help: 'rename or remove one of them' },
        ),
      )
    else byName.set(name, file)
  }
  const nameFile = (name: string) => byName.get(name)?.source.file ?? `${folder}/${name}.yaml`
  // Where nobody uses vars an environment needs none.
  if (
    !byName.has(environment) &&
    environment !== DEFAULT_ENVIRONMENT &&
    byName.size > 0 &&
    !someIsUnreadable
  ) {
    const near = findNearest(environment, byName.keys())
    problems.push(
      makeFileProblem(nameFile(environment), `there are no vars of the environment "${environment}"`, {
        help:
          near === undefined
            ? 'create the file, {} if it changes nothing'
            : `did you mean "${near}"? if not, create the file, {} if it changes nothing`,
      }),
    )
  }
  const layers = [...new Set([DEFAULT_ENVIRONMENT, environment])]
  const values = layers.reduce((below, name) => overlay(below, byName.get(name)?.values ?? {}), {})
  const areKnown =
    !someIsUnreadable &&
    problems.length === 0 &&
    layers.every(name => !byName.has(name) || byName.get(name)?.values !== undefined)
  const key = hashOf([environment, values, areKnown, layers.map(nameFile)])
  return { vars: { environment, values, files: layers.map(nameFile), areKnown, key }, problems }
}

/** `configs/vars/production.yaml` is of `production`. */
function environmentOf(file: string): string {
  return file.replace(/^.*\//, '').replace(/\.ya?ml$/i, '')
}
