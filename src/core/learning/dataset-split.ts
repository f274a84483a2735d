/** Who gets which samples. All choices come from a seed: the same data and seed give the same split everywhere. */
import type { Rng } from '../tasks/rng.ts'
import { seededRng } from '../tasks/rng.ts'
import { type Partition, type Samples, sampleCount } from './dataset.ts'
import { InvalidDatasetError } from './errors.ts'
import { DATASET_PARTS_MAX } from './limits.ts'

/** Most that may be kept out of training. */
const HELD_OUT_SHARE_MAX = 0.9

/**
 * Splits into training and held-out rows, each class alike; every class with two samples or more keeps one in training.
 *
 * @param heldOutShare - 0 to 0.9.
 * @throws {@link InvalidDatasetError} If the share is out of range.
 */
export function splitHeldOut(
  samples: Samples,
  heldOutShare: number,
  seed: number,
): { readonly training: Uint32Array; readonly heldOut: Uint32Array } {
  if (!(heldOutShare >= 0 && heldOutShare <= HELD_OUT_SHARE_MAX)) {
    throw new InvalidDatasetError(`Held-out share is ${heldOutShare}, limit 0 to ${HELD_OUT_SHARE_MAX}`, {
      field: 'heldOutShare',
      value: heldOutShare,
      limit: HELD_OUT_SHARE_MAX,
    })
  }
  const rng = seededRng(seed)
  const training: number[] = []
  const heldOut: number[] = []
  for (const rows of rowsByClass(samples)) {
    shuffle(rows, rng)
    const kept = Math.min(rows.length - 1, Math.round(rows.length * heldOutShare))
    for (const [i, row] of rows.entries()) (i < kept ? heldOut : training).push(row)
  }
  return { training: Uint32Array.from(training).sort(), heldOut: Uint32Array.from(heldOut).sort() }
}

/** `count` rows at random, in order; all of them if there are no more. */
export function sampleRows(samples: Samples, count: number, seed: number): Uint32Array {
  const rows = Uint32Array.from({ length: sampleCount(samples) }, (_, row) => row)
  shuffle(rows, seededRng(seed))
  return rows.slice(0, count).sort()
}

/**
 * The rows of one part. Every row belongs to exactly one part.
 *
 * With `alpha`, each class is dealt by shares drawn from a symmetric Dirichlet distribution (Hsu et al. 2019, "Measuring the Effects of
 * Non-Identical Data Distribution"); a part may come out with few rows, or with none of a class.
 *
 * @throws {@link InvalidDatasetError} If part, parts or alpha are out of range, or the part has no row.
 */
export function partitionRows(samples: Samples, partition: Partition): Uint32Array {
  const { parts, part, alpha, seed } = partition
  if (!Number.isSafeInteger(parts) || parts < 1 || parts > DATASET_PARTS_MAX) {
    throw invalid('parts', parts, `1 to ${DATASET_PARTS_MAX}`)
  }
  if (!Number.isSafeInteger(part) || part < 0 || part >= parts) throw invalid('part', part, `0 to ${parts - 1}`)
  if (alpha !== null && !(alpha > 0 && Number.isFinite(alpha))) throw invalid('alpha', alpha, 'above 0, finite')
  const rng = seededRng(seed)
  const mine: number[] = []
  if (alpha === null) {
    const rows = Uint32Array.from({ length: sampleCount(samples) }, (_, row) => row)
    shuffle(rows, rng)
    for (let i = part; i < rows.length; i += parts) mine.push(rows[i] as number)
  } else {
    for (const rows of rowsByClass(samples)) {
      shuffle(rows, rng)
      const shares = Array.from({ length: parts }, () => gamma(alpha, rng))
      const sum = shares.reduce((total, share) => total + share, 0)
      // Every share may underflow to zero when alpha is tiny: then the first part takes the class.
      const ends = sum > 0 ? cumulative(shares, rows.length / sum) : shares.map(() => rows.length)
      ends[parts - 1] = rows.length
      const end = ends[part] as number
      for (let i = part === 0 ? 0 : (ends[part - 1] as number); i < end; i++) mine.push(rows[i] as number)
    }
  }
  if (mine.length === 0) throw invalid('part', part, 'a part with a sample; this one came out empty')
  return Uint32Array.from(mine).sort()
}

/** Fisher and Yates' shuffle, in place. */
export function shuffle(rows: { [index: number]: number; readonly length: number }, rng: Rng): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = rng.below(i + 1)
    const kept = rows[i] as number
    rows[i] = rows[j] as number
    rows[j] = kept
  }
}

function rowsByClass(samples: Samples): number[][] {
  const rows: number[][] = Array.from({ length: samples.classes }, () => [])
  for (let row = 0; row < samples.labels.length; row++) rows[samples.labels[row] as number]?.push(row)
  return rows
}

function cumulative(shares: readonly number[], scale: number): number[] {
  let sum = 0
  return shares.map((share) => {
    sum += share
    return Math.round(sum * scale)
  })
}

/** Uniform in (0, 1): never an end, whose logarithm is not finite. */
function uniform(rng: Rng): number {
  return (rng.below(2 ** 32) + 0.5) / 2 ** 32
}

/**
 * A draw from Gamma(shape, 1). Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below shape 1 by their
 * boost of shape + 1 with a power of a uniform.
 */
function gamma(shape: number, rng: Rng): number {
  if (shape < 1) return gamma(shape + 1, rng) * uniform(rng) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(uniform(rng))) * Math.cos(2 * Math.PI * uniform(rng))
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(uniform(rng)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

function invalid(field: string, value: number, limit: string): InvalidDatasetError {
  return new InvalidDatasetError(`Partition has ${field} ${value}, limit ${limit}`, { field, value, limit })
}
