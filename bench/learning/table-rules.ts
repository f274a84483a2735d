import type { LabTerms } from '../../src/core/learning/lab.ts'
import { defaultLabRule, labRules } from '../../src/core/learning/lab-rules.ts'

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

/** The rows of the table, top down. */
export const ROWS = labRules(F)

/** The row of the rule that new tasks get unless their creator chooses. */
export const DEFAULT_ROW = defaultLabRule(F).name
