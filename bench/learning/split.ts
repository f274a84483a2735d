import { normal } from '../../src/core/learning/attacks.ts'
import type { Rng } from '../../src/core/tasks/rng.ts'

const UNIFORM_STEPS = 2 ** 32

/**
 * Which pictures each peer has. IID deals a shuffled pack; otherwise each class is cut by shares drawn from a Dirichlet distribution, so that
 * most peers have a lot of some digits and hardly any of others. A peer that drew nothing gets one picture.
 */
export function splitAmong(labels: Uint8Array, peers: number, alpha: number | null, rng: Rng): Uint32Array[] {
  const parts: number[][] = Array.from({ length: peers }, () => [])
  if (alpha === null) {
    for (const [at, picture] of shuffled(labels.length, rng).entries()) parts[at % peers]?.push(picture)
    return parts.map((part) => Uint32Array.from(part))
  }
  const order = shuffled(labels.length, rng)
  for (let digit = 0; digit < 10; digit++) {
    const those = order.filter((picture) => labels[picture] === digit)
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
  for (let i = count - 1; i > 0; i--) {
    const j = rng.below(i + 1)
    const moved = order[i] as number
    order[i] = order[j] as number
    order[j] = moved
  }
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
