import type { Rng } from '../tasks/rng.ts'
import { normal } from './attacks.ts'
import { shuffle } from './dataset-split.ts'

const UNIFORM_STEPS = 2 ** 32

/**
 * Which samples each peer has. IID deals a shuffled pack; otherwise each class is cut by shares drawn from a Dirichlet distribution, so that
 * most peers have a lot of some classes and hardly any of others. A peer that drew nothing gets one sample.
 */
export function splitAmong(
  labels: Uint8Array,
  { peers, classes, alpha }: { readonly peers: number; readonly classes: number; readonly alpha: number | null },
  rng: Rng,
): Uint32Array[] {
  const parts: number[][] = Array.from({ length: peers }, () => [])
  if (alpha === null) {
    for (const [at, sample] of shuffled(labels.length, rng).entries()) parts[at % peers]?.push(sample)
    return parts.map((part) => Uint32Array.from(part))
  }
  const order = shuffled(labels.length, rng)
  for (let label = 0; label < classes; label++) {
    const those = order.filter((sample) => labels[sample] === label)
    const shares = dirichlet(peers, alpha, rng)
    let taken = 0
    let until = 0
    for (const [peer, share] of shares.entries()) {
      until += share
      const end = peer === peers - 1 ? those.length : Math.round(until * those.length)
      while (taken < end) parts[peer]?.push(those[taken++] as number)
    }
  }
  for (const part of parts) if (part.length === 0) part.push(order[0] as number)
  return parts.map((part) => Uint32Array.from(part))
}

function shuffled(count: number, rng: Rng): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  shuffle(order, rng)
  return order
}

function dirichlet(count: number, alpha: number, rng: Rng): number[] {
  const draws = Array.from({ length: count }, () => gamma(alpha, rng))
  const sum = draws.reduce((total, each) => total + each, 0)
  return draws.map((each) => each / sum)
}

/** Marsaglia and Tsang's method (2000), with their boost for shapes below one. */
function gamma(shape: number, rng: Rng): number {
  const uniform = (): number => (rng.below(UNIFORM_STEPS) + 0.5) / UNIFORM_STEPS
  if (shape < 1) return gamma(shape + 1, rng) * uniform() ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(rng)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}
