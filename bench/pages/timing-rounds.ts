import { constantTimeEqual } from '../../src/core/codec/constant-time.ts'

/**
 * Timing leaks, measured as dudect does (Reparaz, Balasch, Verbauwhede, https://eprint.iacr.org/2016/1123): two classes of inputs in
 * random order, the slowest measurements cropped at several percentiles, Welch's t-test between the classes for each crop.
 */

/** A secret longer than any in use, so that an early exit would show more, not less. */
const SECRET_BYTES = 64
/** Comparisons timed together: a clock's step must be small against them. */
const CALLS = 200
const SAMPLES = 40_000
const WARM_UP = 4_000
const CLASS_SAMPLES_MIN = 500
/** Shares of the fastest measurements that are kept; what interrupts a measurement has nothing to do with the secret. */
const CROPS = [1, 0.95, 0.9, 0.8, 0.6, 0.4]

export type Compare = (a: Uint8Array, b: Uint8Array) => boolean

export interface Leak {
  /** The largest |t| over all crops. Above 4.5 dudect speaks of a possible leak, above 10 of a certain one. */
  readonly t: number
  /** Mean difference of one comparison between the classes, nanoseconds, at that crop. */
  readonly differenceNs: number
  readonly samples: number
}

/** What leaks on purpose: it stops at the first difference, as any plain comparison does. */
export function earlyExitEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Running mean and variance (Welford). */
class Moments {
  count = 0
  mean = 0
  #squares = 0

  add(value: number): void {
    this.count++
    const delta = value - this.mean
    this.mean += delta / this.count
    this.#squares += delta * (value - this.mean)
  }

  get variance(): number {
    return this.#squares / (this.count - 1)
  }
}

/**
 * Measures one comparison over two classes: the guess equals the secret up to its last byte, or differs in the first. Both fail, so
 * that only the place of the difference is left to leak.
 */
export function measureLeak(compare: Compare, options: { readonly now: () => number; readonly seed: number }): Leak {
  const random = generator(options.seed)
  const secret = Uint8Array.from({ length: SECRET_BYTES }, () => random() & 0xff)
  const guesses = [secret.slice(), secret.slice()] as const
  guesses[0][0] = (guesses[0][0] as number) ^ 1
  guesses[1][SECRET_BYTES - 1] = (guesses[1][SECRET_BYTES - 1] as number) ^ 1
  const times = new Float64Array(SAMPLES)
  const classes = new Uint8Array(SAMPLES)
  // One buffer for both classes: where bytes lie in memory must not tell them apart.
  const guess = new Uint8Array(SECRET_BYTES)
  let found = 0
  for (let sample = -WARM_UP; sample < SAMPLES; sample++) {
    const which = random() & 1
    guess.set(guesses[which as 0 | 1])
    const started = options.now()
    for (let call = 0; call < CALLS; call++) if (compare(secret, guess)) found++
    const took = options.now() - started
    if (sample < 0) continue
    times[sample] = took
    classes[sample] = which
  }
  if (found !== 0) throw new Error('A wrong guess was taken for the secret')
  return strongest(times, classes)
}

function strongest(times: Float64Array, classes: Uint8Array): Leak {
  const sorted = times.slice().sort()
  let leak: Leak = { t: 0, differenceNs: 0, samples: 0 }
  for (const crop of CROPS) {
    const limit = sorted[Math.min(sorted.length - 1, Math.floor(crop * sorted.length))] ?? 0
    const moments = [new Moments(), new Moments()] as const
    for (let i = 0; i < times.length; i++) {
      const took = times[i] as number
      if (took <= limit) moments[classes[i] as 0 | 1].add(took)
    }
    const [early, late] = moments
    // A crop that leaves hardly anything of one class says nothing about it.
    if (Math.min(early.count, late.count) < CLASS_SAMPLES_MIN) continue
    const difference = late.mean - early.mean
    const error = Math.sqrt(early.variance / early.count + late.variance / late.count)
    const t = error === 0 ? 0 : Math.abs(difference) / error
    if (!(t > leak.t)) continue
    leak = { t, differenceNs: (difference * 1e6) / CALLS, samples: early.count + late.count }
  }
  return leak
}

/** Which class comes next must not be foreseen by branch predictors; sfc32 is far beyond them. */
function generator(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88, 1]
  return () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 7
  }
}

export interface TimingRounds {
  readonly constant: readonly Leak[]
  readonly leaking: readonly Leak[]
}

/** The comparison in use and the leaking one in turns, so that both meet the same machine. */
export function timingRounds(rounds: number): TimingRounds {
  const now = () => performance.now()
  const constant: Leak[] = []
  const leaking: Leak[] = []
  for (let round = 0; round < rounds; round++) {
    constant.push(measureLeak(constantTimeEqual, { now, seed: 2 * round + 1 }))
    leaking.push(measureLeak(earlyExitEqual, { now, seed: 2 * round + 2 }))
  }
  return { constant, leaking }
}
