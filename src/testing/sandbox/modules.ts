import { readFileSync } from 'node:fs'
import type { UnitInput } from '../../core/tasks/unit.ts'
import type { UnitLimits } from '../../workers/sandbox/contract.ts'

/** What `assembly/fixture.ts` does for the first byte of its input. */
export const KIND = {
  echo: 0,
  spin: 1,
  loop: 2,
  recurse: 3,
  trap: 4,
  grow: 5,
  longOutput: 6,
  wildOutput: 7,
  countCalls: 8,
  divide: 9,
  beyondMemory: 10,
  nanBits: 11,
} as const

export const SEED = new Uint8Array(32).fill(7)

export const LIMITS: UnitLimits = {
  gasMax: 1_000_000_000n,
  stackBytesMax: 262_144,
  memoryBytesMax: 16 * 1_048_576,
  wallMsMax: 20_000,
  outputBytesMax: 1_048_576,
}

/** Gas that no test uses up: for units that only the wall clock or a signal ends. */
export const GAS_ENDLESS = 1n << 45n

/** The reactor of the tests. */
export function fixtureBytes(): Uint8Array {
  return readFileSync(new URL('./fixture.wasm', import.meta.url))
}

/** The WASI command of the tests. */
export function programBytes(): Uint8Array {
  return readFileSync(new URL('./program.wasm', import.meta.url))
}

/** Input of the reactor: what to do, and how much of it. */
export function reactorInput(kind: keyof typeof KIND, amount = 0): UnitInput {
  const bytes = new Uint8Array(5)
  bytes[0] = KIND[kind]
  new DataView(bytes.buffer).setUint32(1, amount, true)
  return { args: [], env: [], stdin: bytes, files: [] }
}

/** Input of the command: its arguments. */
export function commandInput(args: readonly string[], rest: Partial<UnitInput> = {}): UnitInput {
  return { args, env: [], stdin: new Uint8Array(0), files: [], ...rest }
}

/** The little-endian u32 that most kinds answer. */
export function numberOf(stdout: Uint8Array): number {
  return new DataView(stdout.buffer, stdout.byteOffset, stdout.byteLength).getUint32(0, true)
}
