import { describe, expect, it } from 'vitest'
import { assertAcyclic, CycleDetectedError, explainCycle, findGraphProblems } from './validate.ts'

const node = (id: string, ...dependsOn: string[]) => ({ id, dependsOn })

describe('findGraphProblems', () => {
  it('finds nothing in a sound DAG', () => {
    expect(findGraphProblems([node('a'), node('b', 'a'), node('c', 'a', 'b')])).toEqual([])
  })

  it('names duplicates, unknown and repeated dependencies and circles, all at once', () => {
    expect(findGraphProblems([node('a', 'b', 'zz'), node('b', 'a', 'a'), node('a'), node('c', 'c')])).toEqual(
      [
        { kind: 'duplicate_task', task: 2, first: 0 },
        { kind: 'unknown_dependency', task: 0, dependency: 1 },
        { kind: 'repeated_dependency', task: 1, dependency: 1 },
        { kind: 'cycle', path: ['a', 'b', 'a'], task: 0, dependency: 0 },
        { kind: 'cycle', path: ['c', 'c'], task: 3, dependency: 0 },
      ],
    )
  })
})

describe('CycleDetectedError', () => {
  it("says it in the seed's words, with the path and the remedy", () => {
    expect(() => assertAcyclic('my_dag', [node('a', 'b'), node('b', 'a')])).toThrow(CycleDetectedError)
    const error = new CycleDetectedError('my_dag', ['a', 'b', 'a'])
    expect(String(error)).toBe("CycleDetectedError: Cycle detected in DAG 'my_dag': a → b → a")
    expect(error).toMatchObject({
      code: 'CYCLE_DETECTED',
      exitCode: 3,
      hint: '"a" depends on "b", which depends on "a": remove one of these from depends_on',
    })
    expect(() => assertAcyclic('my_dag', [node('a'), node('b', 'a')])).not.toThrow()
  })

  it('says "itself", and shortens what is long', () => {
    expect(explainCycle(['a', 'a'])).toBe('task "a" depends on itself: remove it from its depends_on')
    const long = explainCycle([...Array.from({ length: 30 }, (_, i) => `t${i}`), 't0'])
    expect(long).toContain('…')
    expect(long.length).toBeLessThan(250)
  })
})
