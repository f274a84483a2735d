import type { ModuleLimits } from './module.ts'

/** Bytes of one WebAssembly page. Source: WebAssembly Core 2.0, section 4.2.8. */
export const PAGE_BYTES = 65_536

/**
 * What a module may be and may use unless a manifest asks for less. Figures marked *engine* stay below what V8, SpiderMonkey
 * and JavaScriptCore agree on (WebAssembly JavaScript Interface, "Implementation-defined limits"), because a module that one
 * engine takes and another refuses would make honest peers disagree.
 */
export const MODULE_LIMITS: ModuleLimits = {
  /** 32 MiB: a large C++ program is 5 to 20 MB, and it must travel to every peer. *engine: 1 GiB.* */
  moduleBytesMax: 33_554_432,
  /** 1 MiB: optimising tiers are superlinear in the size of one function. *engine: 7,654,321.* */
  functionBytesMax: 1_048_576,
  /** *engine: 1,000,000*; the rewriter adds wrappers for imports and exports. */
  functionsMax: 100_000,
  /** Parameters and locals of one function; each is a stack slot in an unoptimised frame. *engine: 50,000.* */
  localsMax: 20_000,
  /** Over the whole module, since three bytes can declare thousands: keeps the rewriter linear in the module's size. */
  localsTotalMax: 4_000_000,
  /** 128 MiB: four sandboxes fit beside a page on a phone. */
  memoryPagesMax: 2_048,
  /** Elements of all tables together. *engine: 10,000,000.* */
  tableElementsMax: 100_000,
  /** *engine: 100,000 since reference types, 1 for the MVP*; programs in the wild have one or two. */
  tablesMax: 16,
  /** *engine: 1,000,000*; toolchains make fewer than a hundred. */
  globalsMax: 10_000,
  /** *engine: 100,000.* */
  dataSegmentsMax: 50_000,
  /** *engine: 10,000,000*; a segment per switch is the worst seen. */
  elementSegmentsMax: 10_000,
  /** *engine: 1,000,000*; the rewriter doubles them. */
  typesMax: 20_000,
  /** *engine: 1,000*; the rewriter adds one. Kept small so that checking a three-byte call costs little. */
  paramsMax: 255,
  /** *engine: 1,000*; the rewriter adds one. */
  resultsMax: 32,
  /** *engine: 1,000,000 (1,000 in early versions).* Preview 1 has 46 functions, each importable more than once. */
  importsMax: 1_000,
  /** *engine: 1,000,000.* Debug builds export thousands. */
  exportsMax: 10_000,
  /** *engine: 100,000.* */
  nameBytesMax: 4_096,
  /** Open blocks in one function. The largest interpreters' switches need some hundreds. */
  nestingMax: 4_096,
  /** Height of one function's operand stack; higher ones could never be entered within the stack limit anyway. */
  operandsMax: 20_000,
  /** Targets of one `br_table`. *engine: 65,520.* */
  branchTargetsMax: 65_520,
}

/** Weight of all frames that may be active at once, in the bytes of `frame.ts`. See there for how it was measured. */
export const STACK_BYTES_MAX = 262_144

/** Largest gas limit the meter can hold: 2^31 quanta of 2^16 (see `meter-layout.ts`), rounded down to a power of two. */
export const GAS_MAX = 1n << 46n
