// Stages of one scheduler: the reader, and definitions whose stages are there by the time they are in force.

import type { DefinitionSource } from '../../ports/definition-source.ts'
import type { StageProvisioner } from '../../ports/stage-provisioner.ts'
import type { StageReader } from '../../ports/stage-reader.ts'
import { createStageProvisioner } from './provisioner.ts'
import { createStageReader, type StageReaderOptions } from './reader.ts'

export interface Stages extends StageReader, StageProvisioner {
  /** The source, with the stages of whatever it loads made first. */
  provisioned(source: DefinitionSource): DefinitionSource
}

export function openStages(options: StageReaderOptions): Stages {
  const { provision, close } = createStageProvisioner(options)
  return {
    ...createStageReader(options),
    provision,
    close,
    provisioned: source => ({
      ...source,
      async load() {
        const result = await source.load()
        if (result.ok) await provision(result.definitions.dags.values())
        return result
      },
      async loadDag(file) {
        const result = await source.loadDag(file)
        if (result.ok) await provision([result.dag])
        return result
      },
    }),
  }
}
