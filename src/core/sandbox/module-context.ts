import type { ModuleLimits } from './module.ts'
import { F32, F64, V128 } from './opcodes.ts'

/** A function or block type; value types as their binary codes. */
export interface FunctionType {
  readonly params: Uint8Array
  readonly results: Uint8Array
}

/** What the body of a function may refer to, filled section by section. */
export interface ModuleContext {
  readonly limits: ModuleLimits
  readonly types: FunctionType[]
  /** Type index of every function, imports first. */
  readonly functionTypes: number[]
  importCount: number
  /** Reference type of every table. */
  readonly tableTypes: number[]
  hasMemory: boolean
  readonly globalTypes: number[]
  readonly globalMutable: boolean[]
  readonly elementTypes: number[]
  /** From the data count section; -1 when absent. */
  dataCount: number
  /** Functions that `ref.func` may name: those in an element segment, an export or a global. */
  readonly declaredFunctions: Set<number>
  /** Functions that bodies name by `ref.func`; the prepared module declares them itself. */
  readonly referredFunctions: Set<number>
  readonly features: Set<string>
}

export function createContext(limits: ModuleLimits): ModuleContext {
  return {
    limits,
    types: [],
    functionTypes: [],
    importCount: 0,
    tableTypes: [],
    hasMemory: false,
    globalTypes: [],
    globalMutable: [],
    elementTypes: [],
    dataCount: -1,
    declaredFunctions: new Set(),
    referredFunctions: new Set(),
    features: new Set(),
  }
}

/** Whether values of `type` have NaN bits worth following. */
export function carriesNan(type: number): boolean {
  return type === F64 || type === F32 || type === V128
}

/** Where things that the rewriter adds are found; indices into the prepared module. */
export interface Layout {
  /** State-passing type of a guest's type: `typeBase + type`. */
  readonly typeBase: number
  /** Index of the type `[] -> results`, made on first use. */
  readonly resultBlockType: (results: Uint8Array) => number
  /** State-passing wrapper of an imported function: `importWrapperBase + import`. */
  readonly importWrapperBase: number
  readonly refill: number
  readonly bulkBytes: number
  readonly bulkElements: number
  readonly memoryGrow: number
  readonly stateGlobal: number
  readonly bankGlobal: number
}

/** Index of the state-passing version of guest function `index`. */
export function innerFunction(context: ModuleContext, layout: Layout, index: number): number {
  return index < context.importCount ? layout.importWrapperBase + index : index
}
