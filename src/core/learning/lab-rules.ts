/** The rules that are compared with each other: rows of the published table, choices of the attack lab. */
import { invariant } from '../codec/errors.ts'
import type { Attack } from './attacks.ts'
import { FIXED_ONE } from './fixed.ts'
import { type AggregationRule, defaultRule } from './rules.ts'

/** A rule under the name it is shown by. */
export interface LabRule {
  /** For addresses: `trimmed-mean`, `nnm-trimmed-mean`. */
  readonly id: string
  readonly name: string
  readonly rule: AggregationRule
  /** Whether it promises to withstand anybody. */
  readonly robust: boolean
}

/**
 * All rules, plain ones first.
 *
 * @param byzantineMax - f; the mean has 0, since it withstands nobody.
 */
export function labRules(byzantineMax: number): readonly LabRule[] {
  const f = byzantineMax
  const plain: readonly LabRule[] = [
    robust('median', { rule: 'median', byzantineMax: f }),
    robust('trimmed mean', { rule: 'trimmed-mean', byzantineMax: f }),
    robust('Krum', { rule: 'krum', byzantineMax: f }),
    robust('multi-Krum', { rule: 'multi-krum', byzantineMax: f }),
    robust('Bulyan', { rule: 'bulyan', byzantineMax: f }),
    // Found by trying radii from 0.01 to 0.3 and 1 to 12 iterations on three IID cells; far from it, either way, it learns little.
    robust('centered clipping', {
      rule: 'centered-clipping',
      byzantineMax: f,
      radius: Math.round(0.03 * FIXED_ONE),
      iterations: 6,
    }),
  ]
  return [
    { id: 'mean', name: 'mean', rule: { rule: 'mean', byzantineMax: 0 }, robust: false },
    ...plain,
    ...plain.map(({ name, rule }) => robust(`NNM + ${name}`, { ...rule, nearestNeighbourMixing: true })),
    robust('ARC + NNM + trimmed mean', {
      rule: 'trimmed-mean',
      byzantineMax: f,
      nearestNeighbourMixing: true,
      adaptiveClipping: true,
    }),
  ]
}

/** The rule that new tasks get unless their creator chooses. */
export function defaultLabRule(byzantineMax: number): LabRule {
  const wanted = JSON.stringify(defaultRule(byzantineMax))
  const found = labRules(byzantineMax).find(({ rule }) => JSON.stringify(rule) === wanted)
  invariant(found !== undefined, 'the default rule is one of those that are compared')
  return found
}

function robust(name: string, rule: AggregationRule): LabRule {
  return { id: name.toLowerCase().replace(/[^a-z]+/g, '-'), name, rule, robust: true }
}

/** What an attack is called in tables: `IPM τ=2`. */
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
