import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openEarlySync } from './early-sync.ts'

const directory = mkdtempSync(join(tmpdir(), 'dagbok-sync-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('syncs while another writes, any number of times', async () => {
  const file = join(directory, 'growing')
  appendFileSync(file, 'a')
  const sync = await openEarlySync(file)
  sync.nudge()
  sync.nudge()
  appendFileSync(file, 'b')
  await sync.finish()
  sync.nudge()
  await sync.close()
  await sync.close()
})

test('what the disk says to an early sync is said at the end', async () => {
  // A device that cannot be synced.
  const sync = await openEarlySync('/dev/null')
  sync.nudge()
  await expect(sync.finish()).rejects.toMatchObject({ code: 'EINVAL' })
  await expect(sync.finish()).rejects.toMatchObject({ code: 'EINVAL' })
  await sync.close()
})

test('a file that is not there is an error', async () => {
  await expect(openEarlySync(join(directory, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
})
