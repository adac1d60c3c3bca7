import { describeRunIndex } from '../../../test/contract/run-index.contract.ts'
import { createMemoryRunIndex } from './run-index.ts'

describeRunIndex('memory', async () => createMemoryRunIndex())
