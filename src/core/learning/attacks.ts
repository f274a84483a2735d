/**
 * What hostile peers send, for tests, tables and the attack lab. Attackers are taken to know every honest update of the round and to
 * agree among themselves, the worst case; each attack's source is named.
 */
import type { Rng } from '../tasks/rng.ts'
import { FIXED_ONE, roundEven } from './fixed.ts'
import { VECTOR_NORM_MAX } from './limits.ts'

/** Attacks on updates, and `label-flip` on data: its peers train honestly on wrong labels ({@link flippedLabel}). */
export type Attack =
  | { readonly attack: 'none' }
  /** Minus the honest mean. */
  | { readonly attack: 'sign-flip' }
  /** −τ times the honest mean (Xie et al. 2019, arXiv 1903.03936). */
  | { readonly attack: 'inner-product'; readonly tau: number }
  /** A little is enough: the honest mean plus τ sample standard deviations (Baruch et al. 2019, arXiv 1902.06156). */
  | { readonly attack: 'alie'; readonly tau: number }
  /** Independent normal noise; its deviation is a number, 1.0 is 65536 units. */
  | { readonly attack: 'gaussian'; readonly deviation: number }
  | { readonly attack: 'label-flip' }

/** The attacks of the published table, in its order. */
export const TABLE_ATTACKS: readonly Attack[] = [
  { attack: 'none' },
  { attack: 'sign-flip' },
  { attack: 'inner-product', tau: 2 },
  { attack: 'inner-product', tau: 10 },
  { attack: 'alie', tau: 1.5 },
  { attack: 'label-flip' },
  { attack: 'gaussian', deviation: 10 },
]

/** The class that a label-flipping peer trains on: the last for the first and so on, 9 − y for digits. */
export function flippedLabel(label: number, classes: number): number {
  return classes - 1 - label
}

/**
 * What each attacker sends.
 *
 * @param honest - All honest updates of the round, at least one, all of one length; I16F16.
 * @param options.own - What the attacker would send if it were honest: `none` and `label-flip` send it.
 * @param options.rng - For `gaussian`; attackers draw one after the other.
 * @returns I16F16, each value cut to ±(2^30 − 1): beyond it no update is taken.
 */
export function hostileUpdate(
  attack: Attack,
  honest: readonly Int32Array[],
  options: { readonly own: Int32Array; readonly rng: Rng },
): Int32Array {
  switch (attack.attack) {
    case 'none':
    case 'label-flip':
      return options.own.slice()
    case 'sign-flip':
      return made(options.own.length, (i) => -meanAt(honest, i))
    case 'inner-product':
      return made(options.own.length, (i) => -attack.tau * meanAt(honest, i))
    case 'alie':
      return made(options.own.length, (i) => meanAt(honest, i) + attack.tau * deviationAt(honest, i))
    case 'gaussian':
      return made(options.own.length, () => attack.deviation * FIXED_ONE * normal(options.rng))
  }
}

function made(length: number, value: (i: number) => number): Int32Array {
  const result = new Int32Array(length)
  for (let i = 0; i < length; i++) {
    const wanted = roundEven(value(i))
    result[i] = Math.max(-VECTOR_NORM_MAX, Math.min(VECTOR_NORM_MAX, wanted))
  }
  return result
}

function meanAt(rows: readonly Int32Array[], i: number): number {
  let sum = 0
  for (const row of rows) sum += row[i] as number
  return sum / rows.length
}

/** Of a sample: divided by n − 1, as ByzFL has it. */
function deviationAt(rows: readonly Int32Array[], i: number): number {
  const mean = meanAt(rows, i)
  let squares = 0
  for (const row of rows) squares += ((row[i] as number) - mean) ** 2
  return rows.length < 2 ? 0 : Math.sqrt(squares / (rows.length - 1))
}

const UNIFORM_STEPS = 2 ** 32

/** Box and Muller's; one of its two values, so that nothing is carried over. For attacks alone, never for privacy's noise. */
export function normal(rng: Rng): number {
  const radius = Math.sqrt(-2 * Math.log((rng.below(UNIFORM_STEPS) + 1) / UNIFORM_STEPS))
  return radius * Math.cos((2 * Math.PI * rng.below(UNIFORM_STEPS)) / UNIFORM_STEPS)
}
