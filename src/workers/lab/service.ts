import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'
import { REFERENCE_KERNEL } from '../../core/learning/aggregate-reference.ts'
import { takeSamples } from '../../core/learning/dataset.ts'
import { splitHeldOut } from '../../core/learning/dataset-split.ts'
import { AggregationBoundError, FixedOverflowError } from '../../core/learning/errors.ts'
import { type LabRound, labRounds } from '../../core/learning/lab.ts'
import { SamplesLearner } from '../../core/learning/lab-learner.ts'
import {
  checkLabSetting,
  LAB_ARCHITECTURE,
  type LabSetting,
  labChoices,
  labTerms,
} from '../../core/learning/lab-setting.ts'
import { readDigits } from '../training/digits.ts'
import { nextTask } from '../training/next-task.ts'
import type { LabApi, LabReport } from './contract.ts'
import { LabStoppedError } from './errors.ts'
import { LAB_SCORES_MAX } from './limits.ts'
import type { LabPlatform } from './platform.ts'

/** Share of the digits on which models are scored: 1,000 of 4,000. */
const TEST_SHARE = 0.25
/** Of that choice, which is the same in every run. */
const TEST_SEED = 1

interface Loaded {
  readonly learner: SamplesLearner
  readonly kernel: AggregationKernel
}

/** {@link LabApi} on this thread; the digits and the kernel are loaded once. */
export class LabService implements LabApi {
  readonly #platform: LabPlatform
  #loaded: Promise<Loaded> | null = null
  /** Changes when the run under way has to end. */
  #turn = 0

  constructor(platform: LabPlatform) {
    this.#platform = platform
  }

  async run(setting: LabSetting, onRound: (reports: readonly LabReport[]) => void): Promise<void> {
    checkLabSetting(setting)
    const turn = ++this.#turn
    this.#loaded ??= load(this.#platform, labTerms(setting).batch)
    const loaded = await this.#loaded.catch((error: unknown) => {
      // The next run tries again.
      this.#loaded = null
      throw error
    })
    const curves = curvesOf(setting, loaded)
    for (let round = 0; round < setting.rounds; round++) {
      // Between rounds others are let in: above all a wish to stop.
      await nextTask()
      if (this.#turn !== turn) throw new LabStoppedError(`The run was stopped after ${round} rounds`, { round })
      onRound(curves.map(({ rule, rounds }) => ({ rule, round: nextOf(rounds) })))
    }
  }

  stop(): void {
    this.#turn++
  }
}

function curvesOf(setting: LabSetting, loaded: Loaded) {
  const { attack, rules } = labChoices(setting)
  const scoreEvery = Math.ceil(setting.rounds / LAB_SCORES_MAX)
  return rules.map(({ id, rule }) => ({
    rule: id,
    rounds: labRounds({ rule, attack, alpha: setting.alpha, seed: setting.seed }, labTerms(setting), {
      ...loaded,
      scoreEvery,
    }),
  }))
}

/**
 * The next round, or null where the attack drove the model beyond all numbers, or the updates beyond the norm that any rule takes: a
 * generator that threw has no more.
 */
function nextOf(rounds: Generator<LabRound, void>): LabRound | null {
  try {
    return rounds.next().value ?? null
  } catch (error) {
    if (error instanceof FixedOverflowError || error instanceof AggregationBoundError) return null
    throw error
  }
}

async function load(platform: LabPlatform, batchMax: number): Promise<Loaded> {
  const [bytes, kernel] = await Promise.all([platform.digits(), platform.kernel().catch(() => REFERENCE_KERNEL)])
  const samples = await readDigits(bytes)
  const { training, heldOut } = splitHeldOut(samples, TEST_SHARE, TEST_SEED)
  const data = { training: takeSamples(samples, training), test: takeSamples(samples, heldOut) }
  return { learner: new SamplesLearner(LAB_ARCHITECTURE, data, { batchMax }), kernel }
}
