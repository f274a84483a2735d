import { invariant } from '../../codec/errors.ts'
import type { ByteSource } from '../byte-source.ts'
import type { Equation } from './check.ts'
import { FoldedList } from './folded-list.ts'
import { bases, commit, type Element, type ElementList, type GroupEngine, type Term } from './group-engine.ts'
import { RANGE_BITS } from './limits.ts'
import { drawScalars, innerProduct, inverse, modulo, ORDER, powers } from './scalars.ts'
import type { Transcript } from './transcript.ts'

/**
 * One aggregated Bulletproof: several committed values are each from 0 up to 2^32.
 *
 * Source: B. Bünz et al., "Bulletproofs: short proofs for confidential transactions and more", 2018, sections 4.2 and 3 (the inner product's
 * logarithmic argument), equations (61) to (71). The verifier's work is one equation, as in its section 6.1.
 */
export interface RangeProof {
  /** A, S, T1, T2. */
  readonly elements: readonly Element[]
  /** τx, μ, t. */
  readonly scalars: readonly bigint[]
  /** One pair for each halving. */
  readonly lefts: readonly Element[]
  readonly rights: readonly Element[]
  /** The last two scalars of the argument. */
  readonly ends: readonly [bigint, bigint]
}

interface Vectors {
  readonly gs: ElementList
  readonly hs: ElementList
  readonly cross: ElementList
}

function vectorsOf(engine: GroupEngine, values: number): Vectors {
  const count = values * RANGE_BITS
  return {
    gs: engine.generators('range-g', count),
    hs: engine.generators('range-h', count),
    cross: engine.generators('range-q', 1),
  }
}

function whole(list: ElementList, scalars: readonly bigint[]): Term {
  return { list, from: 0, scalars }
}

/**
 * Proves ranges.
 *
 * @param values - A power of two of them, each from 0 up to 2^32; their commitments are in the transcript already.
 * @param blindings - Of the commitments.
 */
export function proveRanges(
  values: readonly bigint[],
  options: {
    readonly engine: GroupEngine
    readonly blindings: readonly bigint[]
    readonly transcript: Transcript
    readonly random: ByteSource
    /** Called after each part of the work: two, and one for each halving. */
    readonly onStep: () => void
  },
): RangeProof {
  const { engine, blindings, transcript, random, onStep } = options
  const count = values.length * RANGE_BITS
  invariant(Number.isInteger(Math.log2(values.length)), 'ranges are a power of two')
  invariant(
    values.every((value) => value >= 0n && value < 1n << BigInt(RANGE_BITS)),
    'values are in range',
  )
  const { gs, hs } = vectorsOf(engine, values.length)
  const bits = Array.from(
    { length: count },
    (_, at) => ((values[Math.floor(at / RANGE_BITS)] as bigint) >> BigInt(at % RANGE_BITS)) & 1n,
  )
  const [alpha, rho, tau1, tau2] = drawScalars(random, 4) as [bigint, bigint, bigint, bigint]
  const [left1, right1] = [drawScalars(random, count), drawScalars(random, count)]
  const committed = (blinding: bigint, left: readonly bigint[], right: readonly bigint[]) => {
    const sum = engine.sum([whole(bases(engine), [0n, blinding]), whole(gs, left), whole(hs, right)])
    onStep()
    return sum
  }
  const a = committed(
    alpha,
    bits,
    bits.map((bit) => bit - 1n),
  )
  const s = committed(rho, left1, right1)
  transcript.sayElements('range-as', [a, s])
  const [y, z] = [transcript.challenge('range-y'), transcript.challenge('range-z')]
  const ys = powers(y, count)
  const twos = weightsOf(z, values.length)
  const left0 = bits.map((bit) => modulo(bit - z))
  const right0 = bits.map((bit, at) => modulo((ys[at] as bigint) * (bit - 1n + z) + (twos[at] as bigint)))
  const rightX = right1.map((scalar, at) => modulo((ys[at] as bigint) * scalar))
  const t1 = modulo(innerProduct(left0, rightX) + innerProduct(left1, right0))
  const t2 = innerProduct(left1, rightX)
  const ts = [commit(engine, t1, tau1), commit(engine, t2, tau2)]
  transcript.sayElements('range-t', ts)
  const x = transcript.challenge('range-x')
  const left = left0.map((scalar, at) => modulo(scalar + x * (left1[at] as bigint)))
  const right = right0.map((scalar, at) => modulo(scalar + x * (rightX[at] as bigint)))
  const zs = powers(z, values.length + 2)
  const blinded = blindings.reduce((sum, blinding, at) => sum + (zs[at + 2] as bigint) * blinding, 0n)
  const scalars = [modulo(tau2 * x * x + tau1 * x + blinded), modulo(alpha + rho * x), innerProduct(left, right)]
  transcript.sayScalars('range-scalars', scalars)
  const argument = argue(left, right, { engine, y, transcript, values: values.length, onStep })
  return { elements: [a, s, ...ts], scalars, ...argument }
}

/** `z^(2+j) · 2^i` for bit i of value j. */
function weightsOf(z: bigint, values: number): bigint[] {
  const zs = powers(z, values + 2)
  return Array.from({ length: values * RANGE_BITS }, (_, at) =>
    modulo((zs[2 + Math.floor(at / RANGE_BITS)] as bigint) << BigInt(at % RANGE_BITS)),
  )
}

/**
 * The argument of the inner product. Generators are folded as `lo + u² hi`, with the rest of the factor kept apart: half the products. What
 * stands before each h is `factor · y^-i`, in every round.
 */
function argue(
  left: bigint[],
  right: bigint[],
  options: {
    readonly engine: GroupEngine
    readonly y: bigint
    readonly transcript: Transcript
    readonly values: number
    readonly onStep: () => void
  },
): Pick<RangeProof, 'lefts' | 'rights' | 'ends'> {
  const { engine, y, transcript, onStep } = options
  const vectors = vectorsOf(engine, options.values)
  const cross = transcript.challenge('range-w')
  const yInverses = powers(inverse(y), left.length)
  let [a, b] = [left, right]
  const [gs, hs] = [new FoldedList(engine, vectors.gs), new FoldedList(engine, vectors.hs)]
  let [gFactor, hFactor] = [1n, 1n]
  const [lefts, rights]: [Element[], Element[]] = [[], []]
  while (a.length > 1) {
    const half = a.length / 2
    const [aLow, aHigh, bLow, bHigh] = [a.slice(0, half), a.slice(half), b.slice(0, half), b.slice(half)]
    const g = (scalars: readonly bigint[]) => scalars.map((scalar) => modulo(scalar * gFactor))
    const hAt = (scalars: readonly bigint[], from: number) =>
      scalars.map((scalar, at) => modulo(((scalar * hFactor) % ORDER) * (yInverses[from + at] as bigint)))
    const crossed = (product: bigint) => whole(vectors.cross, [modulo(cross * product)])
    const l = engine.sum([
      ...gs.terms(half, g(aLow)),
      ...hs.terms(0, hAt(bHigh, 0)),
      crossed(innerProduct(aLow, bHigh)),
    ])
    const r = engine.sum([
      ...gs.terms(0, g(aHigh)),
      ...hs.terms(half, hAt(bLow, half)),
      crossed(innerProduct(aHigh, bLow)),
    ])
    lefts.push(l)
    rights.push(r)
    transcript.sayElements('range-lr', [l, r])
    const u = transcript.challenge('range-u')
    const uInverse = inverse(u)
    a = aLow.map((scalar, at) => modulo(scalar * u + (aHigh[at] as bigint) * uInverse))
    b = bLow.map((scalar, at) => modulo(scalar * uInverse + (bHigh[at] as bigint) * u))
    if (half > 1) {
      gs.halve(modulo(u * u))
      hs.halve(modulo(((uInverse * uInverse) % ORDER) * (yInverses[half] as bigint)))
    }
    gFactor = modulo(gFactor * uInverse)
    hFactor = modulo(hFactor * u)
    onStep()
  }
  return { lefts, rights, ends: [a[0] as bigint, b[0] as bigint] }
}

/**
 * Adds a proof's equations to a check.
 *
 * @param commitments - As scalars of points: each value's commitment may itself be a sum.
 */
export function checkRanges(
  proof: RangeProof,
  options: {
    readonly engine: GroupEngine
    readonly values: number
    readonly transcript: Transcript
    readonly equation: (kind: 'light' | 'heavy') => Equation
    /** Adds `scalar` times the commitment of value `at` to an equation. */
    readonly addCommitment: (equation: Equation, at: number, scalar: bigint) => void
  },
): void {
  const { values, transcript, addCommitment } = options
  const count = values * RANGE_BITS
  const [a, s, first, second] = proof.elements as [Element, Element, Element, Element]
  const [tauX, mu, t] = proof.scalars as [bigint, bigint, bigint]
  transcript.sayElements('range-as', [a, s])
  const [y, z] = [transcript.challenge('range-y'), transcript.challenge('range-z')]
  transcript.sayElements('range-t', [first, second])
  const x = transcript.challenge('range-x')
  transcript.sayScalars('range-scalars', proof.scalars)
  const cross = transcript.challenge('range-w')
  const zs = powers(z, values + 3)
  const ys = powers(y, count)

  // t·g + τx·h = Σ z^(2+j) X_j + δ·g + x·T1 + x²·T2
  const polynomial = options.equation('light')
  const allYs = ys.reduce((sum, power) => sum + power, 0n)
  const allTwos = (1n << BigInt(RANGE_BITS)) - 1n
  let delta = (z - z * z) * modulo(allYs)
  for (let at = 0; at < values; at++) {
    delta -= (zs[at + 3] as bigint) * allTwos
    addCommitment(polynomial, at, modulo(-(zs[at + 2] as bigint)))
  }
  polynomial.value(modulo(t - delta))
  polynomial.blinding(tauX)
  polynomial.element(first, modulo(-x))
  polynomial.element(second, modulo(-x * x))

  // A + xS - μh + (t - ab)·w·Q + Σ u²L + u^-2 R = Σ (a·s + z) G + Σ (y^-i (b/s - z^(2+j) 2^i) - z) H
  const [endA, endB] = proof.ends
  const inner = options.equation('heavy')
  const { gs, hs, cross: base } = vectorsOf(options.engine, values)
  const products = foldedScalars(proof, { transcript, count, equation: inner })
  inner.element(a, 1n)
  inner.element(s, x)
  inner.blinding(modulo(-mu))
  inner.list(base, [modulo(cross * modulo(t - endA * endB))])
  const yInverses = powers(inverse(y), count)
  const twos = weightsOf(z, values)
  inner.list(
    gs,
    products.map((product) => modulo(-(endA * product) - z)),
  )
  inner.list(
    hs,
    // The inverse of a product is the product at the mirrored place.
    products.map((_, at) => {
      const folded = endB * (products[count - 1 - at] as bigint) - (twos[at] as bigint)
      return modulo(z - modulo(folded) * (yInverses[at] as bigint))
    }),
  )
}

/** What each generator is multiplied by when all halvings are done; adds their points to the equation. */
function foldedScalars(
  proof: RangeProof,
  of: { readonly transcript: Transcript; readonly count: number; readonly equation: Equation },
): bigint[] {
  const us: bigint[] = []
  proof.lefts.forEach((l, at) => {
    const r = proof.rights[at] as Element
    of.transcript.sayElements('range-lr', [l, r])
    const u = of.transcript.challenge('range-u')
    us.push(u)
    of.equation.element(l, modulo(u * u))
    of.equation.element(r, modulo(inverse(u) ** 2n))
  })
  let products = [us.reduce((product, u) => modulo(product * inverse(u)), 1n)]
  // Place `at` has, for each of its bits that is 1 (from the highest), u instead of 1/u.
  for (const u of us) {
    const square = modulo(u * u)
    products = products.flatMap((product) => [product, modulo(product * square)])
  }
  invariant(products.length === of.count, 'one product for each generator')
  return products
}
