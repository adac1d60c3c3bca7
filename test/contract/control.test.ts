// Control, in process and through the socket: the same promises.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveControl } from '../../src/adapters/control-socket/server.ts'
import { createClient } from '../../src/api/client.ts'
import { scriptControl } from '../support/scripted-control.ts'
import { describeControl } from './control.contract.ts'

describeControl('in process', async () => {
  const keeper = scriptControl()
  return { control: keeper, keeper, close: async () => {} }
})

describeControl('through the socket', async () => {
  const keeper = scriptControl()
  const folder = mkdtempSync(join(tmpdir(), 'dagbok-control-'))
  const socketPath = join(folder, 'control.sock')
  const server = await serveControl({ control: keeper, socketPath })
  return {
    control: createClient({ socketPath }),
    keeper,
    close: async () => {
      await server.close()
      rmSync(folder, { recursive: true })
    },
  }
})
