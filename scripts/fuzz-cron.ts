// Compares our cron with croner: `npm run fuzz:cron -- --triples 1000000 --seed 1` asks both for the next slot of so many
// random triples of expression, zone and instant. Exit 1 if a difference is found that no listed reason explains.

import { parseArgs } from 'node:util'
import { describeTriple, EXPLANATIONS, fuzzAgainstCroner } from '../test/conformance/croner-fuzz.ts'

const { values } = parseArgs({
  options: {
    triples: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
})

const triples = Number(values.triples)
const seed = Number(values.seed)
if (!Number.isSafeInteger(triples) || triples < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--triples and --seed are whole numbers, --triples at least 1\n')
  process.exit(2)
}

const begin = performance.now()
const result = fuzzAgainstCroner(seed, triples)
const seconds = (performance.now() - begin) / 1000
const count = (value: number): string => value.toLocaleString('en')

console.log(
  `${count(result.triples)} triples of ${count(result.pairs)} expressions, ${count(result.nearChange)} near a change of the clock, ` +
    `in ${seconds.toFixed(1)} s; ${count(result.refused)} more expressions can never match`,
)
for (const { name, reason } of EXPLANATIONS) {
  console.log(`${count(result.explained[name] ?? 0)} explained by ${name}: ${reason}`)
}
for (const finding of result.findings) console.log(`FINDING ${describeTriple(finding)}`)
console.log(
  result.findings.length === 0
    ? 'no other difference'
    : `differences without a reason; to see them again: npm run fuzz:cron -- --seed ${seed} --triples ${triples}`,
)
process.exitCode = result.findings.length === 0 ? 0 : 1
