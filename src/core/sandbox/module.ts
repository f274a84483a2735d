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
  /** Locals of all functions together. */
  readonly localsTotalMax: number
  readonly tablesMax: number
  readonly elementSegmentsMax: number
  readonly typesMax: number
  readonly paramsMax: number
  readonly resultsMax: number
  readonly importsMax: number
  readonly exportsMax: number
  readonly nameBytesMax: number
  /** Open blocks in one function. */
  readonly nestingMax: number
  /** Height of one function's operand stack. */
  readonly operandsMax: number
  readonly branchTargetsMax: number
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

/** What one run of an instance may use. */
export interface MeterLimits {
  readonly gasMax: bigint
  /** Weight of all active frames, in the bytes of `frame.ts`. */
  readonly stackBytesMax: number
  /** Linear memory, in 64 KiB pages, where less than the module was prepared for. `memory.grow` past it returns -1. */
  readonly memoryPagesMax?: number
}

/** Reads and sets the counters of one running instance of a prepared module. */
export interface Meter {
  /**
   * To be called once after instantiation and before any export is called; runs the module's start function, if it has one,
   * so host state (such as the memory WASI works on) must be bound before.
   *
   * @throws {@link LimitExceededError} If a limit is out of range. Whatever the start function throws.
   */
  start(limits: MeterLimits): void
  gasUsed(): bigint
  /**
   * Host calls cost too; to be called only from an import, while it runs.
   *
   * @throws {@link GasExhaustedError} When the limit is passed; `exhausted()` is `gas` then.
   */
  charge(gas: bigint): void
  /** Which limit ended the instance, if one of ours did; `null` after any other trap or a normal end. */
  exhausted(): 'gas' | 'stack' | null
  /** The engine refused memory that the limits allow: nothing the guest did, and no outcome to be signed. */
  hostFailed(): boolean
}
