import type { NodeApi } from '../../src/node/contract.ts'

declare global {
  /** The page's own node, as every page of Starling has it. */
  var starling: NodeApi
}
