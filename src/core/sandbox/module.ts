/** What a module may be and may use. Every figure is an upper bound that `prepareModule` enforces with a named error. */
export interface ModuleLimits {
  readonly moduleBytesMax: number
  readonly functionBytesMax: number
  readonly functionsMax: number
  readonly localsMax: number
  /** Declared maximum of linear memory after clamping, in 64 KiB pages. A module that needs more at start is refused. */
  readonly memoryPagesMax: number
  readonly tableElementsMax: number
  readonly globalsMax: number
  readonly dataSegmentsMax: number
}

export interface ModuleImport {
  readonly module: string
  readonly name: string
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag'
}

/** What a person or a matcher wants to know of a module before running it. */
export interface ModuleReport {
  readonly bytes: number
  readonly preparedBytes: number
  readonly functions: number
  readonly imports: readonly ModuleImport[]
  readonly exports: readonly string[]
  /** `null` when it is neither. */
  readonly abi: 'wasi-command' | 'reactor' | null
  readonly memoryPagesMin: number
  readonly memoryPagesMax: number
  /** Features beyond the MVP that the code uses, by their proposal's name, sorted. */
  readonly features: readonly string[]
}

export interface PreparedModule {
  /** The rewritten module: metered, depth-limited, memory clamped, NaN-canonical. Valid on every engine. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly report: ModuleReport
}

/** Reads and sets the counters of one running instance of a prepared module. */
export interface Meter {
  /** To be called once after instantiation and before any export is called. */
  start(limits: { readonly gasMax: bigint; readonly stackBytesMax: number }): void
  gasUsed(): bigint
  /** Host calls cost too. @throws A trap the runner maps to `gas` when the limit is passed. */
  charge(gas: bigint): void
  /** Which limit ended the instance, if one of ours did; `null` after any other trap or a normal end. */
  exhausted(): 'gas' | 'stack' | null
}
