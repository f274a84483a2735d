import { isDeepStrictEqual } from 'node:util'
import type { Attack } from '../../src/core/learning/attacks.ts'
import { FIXED_ONE } from '../../src/core/learning/fixed.ts'
import type { LabTerms } from '../../src/core/learning/lab.ts'
import { type AggregationRule, defaultRule } from '../../src/core/learning/rules.ts'

/** What every cell of the published table has in common. */
export const TERMS: LabTerms = {
  peers: 20,
  hostile: 4,
  rounds: 300,
  batch: 64,
  learningRate: 1,
  momentum: 0.95,
}

export const SEEDS: readonly number[] = [1, 2]

export const SPLITS: readonly { readonly name: string; readonly alpha: number | null }[] = [
  { name: 'IID', alpha: null },
  { name: 'Dirichlet α = 0.3', alpha: 0.3 },
]

const F = TERMS.hostile

const PLAIN: readonly { readonly name: string; readonly rule: AggregationRule }[] = [
  { name: 'median', rule: { rule: 'median', byzantineMax: F } },
  { name: 'trimmed mean', rule: { rule: 'trimmed-mean', byzantineMax: F } },
  { name: 'Krum', rule: { rule: 'krum', byzantineMax: F } },
  { name: 'multi-Krum', rule: { rule: 'multi-krum', byzantineMax: F } },
  { name: 'Bulyan', rule: { rule: 'bulyan', byzantineMax: F } },
  {
    name: 'centered clipping',
    // Found by trying radii from 0.01 to 0.3 and 1 to 12 iterations on three IID cells; far from it, either way, it learns little.
    rule: { rule: 'centered-clipping', byzantineMax: F, radius: Math.round(0.03 * FIXED_ONE), iterations: 6 },
  },
]

/** The rows of the table, top down. */
export const ROWS: readonly { readonly name: string; readonly rule: AggregationRule; readonly robust: boolean }[] = [
  { name: 'mean', rule: { rule: 'mean', byzantineMax: 0 }, robust: false },
  ...PLAIN.map((row) => ({ ...row, robust: true })),
  ...PLAIN.map(({ name, rule }) => ({
    name: `NNM + ${name}`,
    rule: { ...rule, nearestNeighbourMixing: true },
    robust: true,
  })),
]

/** The row of the rule that new tasks get unless their creator chooses. */
export const DEFAULT_ROW = ROWS.find(({ rule }) => isDeepStrictEqual(rule, defaultRule(F)))?.name ?? 'none'

/** The head of an attack's column. */
export function attackName(attack: Attack): string {
  switch (attack.attack) {
    case 'none':
      return 'none'
    case 'sign-flip':
      return 'sign flip'
    case 'inner-product':
      return `IPM τ=${attack.tau}`
    case 'alie':
      return `ALIE ${attack.tau}`
    case 'gaussian':
      return `N(0, ${attack.deviation}²)`
    case 'label-flip':
      return 'label flip'
  }
}
