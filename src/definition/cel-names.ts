// The names in an expression: which variables it reads, what it calls, and which macros stand inside macros.

import type { ASTNode } from '@marcbachmann/cel-js'
import { CEL_MACROS } from './cel-environment.ts'

export type CelName = {
  readonly name: string
  /** Of the name itself, in the expression. */
  readonly start: number
  readonly end: number
} & (
  | { readonly kind: 'variable' }
  | { readonly kind: 'call'; readonly node: ASTNode; readonly isInMacro: boolean }
)

/** Every free variable and every call, in the order in which they stand. */
export function listCelNames(root: ASTNode): CelName[] {
  const names: CelName[] = []
  const visit = (node: ASTNode, bound: ReadonlySet<string>, isInMacro: boolean): void => {
    const visitAll = (nodes: readonly ASTNode[]) => {
      for (const each of nodes) visit(each, bound, isInMacro)
    }
    switch (node.op) {
      case 'value':
        return
      case 'id':
        if (!bound.has(node.args)) names.push({ kind: 'variable', name: node.args, ...node.range })
        return
      case '.':
      case '.?':
        return visit(node.args[0], bound, isInMacro)
      case 'call': {
        const [name, args] = node.args
        names.push({ kind: 'call', name, ...placeOf(name, node, node.start), node, isInMacro })
        return visitAll(args)
      }
      case 'rcall': {
        const [name, receiver, args] = node.args
        visit(receiver, bound, isInMacro)
        names.push({ kind: 'call', name, ...placeOf(name, node, receiver.range.end), node, isInMacro })
        const [variable, ...rest] = args
        if (!CEL_MACROS.has(name) || variable?.op !== 'id') return visitAll(args)
        const inner = new Set([...bound, variable.args])
        for (const each of rest) visit(each, inner, true)
        return
      }
      case 'map':
        return visitAll(node.args.flat())
      case '!_':
      case '-_':
        return visit(node.args, bound, isInMacro)
      default:
        return visitAll(node.args)
    }
  }
  visit(root, new Set(), false)
  return names.sort((a, b) => a.start - b.start)
}

function placeOf(name: string, { input }: ASTNode, from: number): { start: number; end: number } {
  const start = Math.max(from, input.indexOf(name, from))
  return { start, end: start + name.length }
}
