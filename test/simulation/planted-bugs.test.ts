// Does the judge see anything at all? Each bug has to be found, for the right reason, before a thousand seeds are gone.

import { describe, expect, test } from 'vitest'
import { runSeed } from './plan.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { PLANTED_RUN_BUGS } from './planted-run-bugs.ts'

const SEEDS_MAX = 1_000

describe('a scheduler that', () => {
  test.each([...PLANTED_BUGS, ...PLANTED_RUN_BUGS])(
    '$name is found out',
    { timeout: 120_000 },
    async ({ plant, finding, needsBitRot }) => {
      for (let seed = 1; seed <= SEEDS_MAX; seed++) {
        const bitRot = needsBitRot === true
        const result = await runSeed({ seed, hooks: plant(), bitRot, lives: 12 })
        if (result.findings.length === 0) continue
        expect(
          result.findings.some(found => finding.test(found)),
          result.findings.join('\n'),
        ).toBe(true)
        return
      }
      expect.unreachable(`not found in ${SEEDS_MAX} seeds`)
    },
  )
})
