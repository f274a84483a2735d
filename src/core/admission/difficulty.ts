import { DIFFICULTY_STEP_BITS_MAX } from './limits.ts'

/**
 * The difficulty of the next epoch. Each bit doubles what an identity costs, so it moves by the logarithm of how many more came than
 * are meant to; between half and twice as many nothing moves, so that it does not swing. Rule [A8].
 *
 * @param options.newcomers - Identities that were let in by work for the first time in the epoch that ends.
 */
export function nextDifficultyBits(
  bits: number,
  options: {
    readonly newcomers: number
    readonly newcomersPerEpoch: number
    readonly difficultyBitsMin: number
    readonly difficultyBitsMax: number
  },
): number {
  const { newcomers, newcomersPerEpoch, difficultyBitsMin, difficultyBitsMax } = options
  // Nobody at all is as good as any small number, and has no logarithm.
  const excess = Math.log2(Math.max(newcomers, 1) / newcomersPerEpoch)
  const step = Math.min(DIFFICULTY_STEP_BITS_MAX, Math.max(-DIFFICULTY_STEP_BITS_MAX, Math.trunc(excess)))
  return Math.min(difficultyBitsMax, Math.max(difficultyBitsMin, bits + step))
}
