// Files, records and clients handed over while the scheduler, the real one, is killed without warning:
//   npm run handover -- [--files 500] [--records 10000] [--clients 1000] [--kills 100] [--seed 1]
// Exit 1 on a finding, with the folder kept.

import { parseArgs } from 'node:util'
import { runFanOut, runFileHandover, runRecordHandover } from '../test/crash/handover.ts'
import { Site } from '../test/crash/harness.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '500' },
    records: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
})
const [files, records, clients, kills, seed] = [
  values.files,
  values.records,
  values.clients,
  values.kills,
  values.seed,
].map(Number) as [number, number, number, number, number]

async function prove(name: string, work: (site: Site) => Promise<{ findings: string[] }>): Promise<boolean> {
  const site = await Site.create()
  const begin = performance.now()
  const { findings, ...figures } = await work(site)
  const seconds = ((performance.now() - begin) / 1_000).toFixed(0)
  console.log(`${name}: ${findings.length} findings in ${seconds} s`, JSON.stringify(figures))
  if (findings.length === 0) await site.remove()
  else console.log(findings.slice(0, 50).join('\n'), `\nkept: ${site.root}`)
  return findings.length === 0
}

const proofs = [
  files > 0 && (() => prove('files', site => runFileHandover(site, { count: files, kills, seed }))),
  records > 0 && (() => prove('records', site => runRecordHandover(site, { count: records, kills, seed }))),
  clients > 0 &&
    (() =>
      prove('clients', async site => {
        const result = await runFanOut(site, { clients, suspended: 3, failing: 5, kills: 3 })
        const { ok, skipped, failed, twice, status, interrupted } = result
        const expected = { ok: clients - 8, skipped: 3, failed: 5, twice: 0, status: 'partial' }
        const seen = {
          ok: ok.length,
          skipped: skipped.length,
          failed: failed.length,
          twice: twice.length,
          status,
        }
        const isRight = JSON.stringify(seen) === JSON.stringify(expected)
        return { findings: isRight ? [] : [JSON.stringify(seen), ...twice], ...seen, interrupted }
      })),
]
let isRight = true
for (const proof of proofs) if (proof !== false) isRight = (await proof()) && isRight
process.exitCode = isRight ? 0 : 1
