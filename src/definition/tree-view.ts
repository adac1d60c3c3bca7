// A tree of YAML seen another way: with another value, its places looked for elsewhere. So that one check can be made of
// what is written in more than one form.

import type { Json } from '../core/json.ts'
import type { Path, YamlTree } from './yaml-tree.ts'

/** @param move where the tree has what the view has at a path */
export function viewTree(tree: YamlTree, value: Json, move: (path: Path) => Path): YamlTree {
  return {
    value,
    locate: path => tree.locate(move(path)),
    locateKey: (path, key) => {
      const moved = move([...path, key])
      return tree.locateKey(moved.slice(0, -1), String(moved.at(-1)))
    },
    textOffset: path => tree.textOffset(move(path)),
  }
}
