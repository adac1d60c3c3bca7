import { describe, expect, it } from 'vitest'
import { type Dag, sameDag } from './dag.ts'

describe('sameDag', () => {
  const dag: Dag = {
    name: 'd',
    tenantId: 't',
    tasks: [],
    hash: 'h',
    manifest: { mode: 'on-demand', stages: [], environment: 'default' },
    notification: { types: ['ON_ERROR'], channels: ['A'], failuresInRow: 1 },
  }

  it('looks at what the hash covers, and at what it does not', () => {
    expect(sameDag(dag, structuredClone(dag))).toBe(true)
    expect(sameDag(dag, { ...dag, hash: 'i' })).toBe(false)
    expect(sameDag(dag, { ...dag, manifest: { ...dag.manifest!, environment: 'production' } })).toBe(false)
    expect(sameDag(dag, { ...dag, notification: { ...dag.notification!, channels: ['B'] } })).toBe(false)
    const { notification: _, ...untold } = dag
    expect(sameDag(dag, untold)).toBe(false)
  })
})
