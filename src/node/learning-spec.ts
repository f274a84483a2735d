import type { Cid, PeerId } from '../core/codec/ids.ts'
import { FIXED_ONE } from '../core/learning/fixed.ts'
import { MILLIONTHS } from '../core/learning/limits.ts'
import { defaultRule, participantsMin } from '../core/learning/rules.ts'
import { GROUP_CONTRIBUTORS_MIN, GROUP_SIZE_MIN } from '../core/learning/secure-sum/limits.ts'
import { type LearningTask, validateLearningTask } from '../core/learning/task.ts'
import type { LearningOptions, LearningTaskSpec } from './learning-contract.ts'

/** What a task gets where its creator says nothing. */
export function optionsOf({ options = {} }: LearningTaskSpec): LearningOptions {
  const mode = options.mode ?? 'plain'
  // A secure sum hides what a robust rule would have to see.
  const rule = options.rule ?? (mode === 'secure-sum' ? { rule: 'mean', byzantineMax: 0 } : defaultRule(1))
  const groups = mode === 'grouped' ? participantsMin(rule) : 0
  const least = options.participantsMin ?? Math.max(3, participantsMin(rule), GROUP_CONTRIBUTORS_MIN * groups)
  return {
    optimiser: 'sgd',
    learningRate: 0.1,
    momentum: 0.9,
    proximalMu: 0.01,
    batchSize: 32,
    localSteps: 60,
    rounds: 30,
    participantsMin: least,
    participantsTarget: Math.max(least, options.participantsTarget ?? GROUP_SIZE_MIN * groups),
    joinMs: 30_000,
    trainMs: 60_000,
    voteMs: 4_000,
    mode,
    clipNorm: 8,
    privacy: null,
    ...options,
    rule,
    validation: {
      updateLossFactorMax: 2,
      candidateLossFactorMax: 4,
      heldOutShare: 0.1,
      ...options.validation,
    },
  }
}

const millionths = (value: number): number => Math.round(value * MILLIONTHS)

/** The manifest of a spec. @throws {@link InvalidMessageError} Naming the first wrong field, its value and its limit. */
export function taskOf(
  spec: LearningTaskSpec,
  made: { readonly creator: PeerId; readonly nonce: Uint8Array; readonly initialModel: Cid; readonly nowMs: number },
): LearningTask {
  const options = optionsOf(spec)
  const { privacy, validation } = options
  return validateLearningTask({
    version: 1,
    creator: made.creator,
    nonce: made.nonce,
    name: spec.name,
    description: spec.description,
    architecture: spec.architecture,
    classes: [...spec.classes],
    table: spec.table === undefined ? null : JSON.stringify(spec.table),
    initialModel: made.initialModel,
    training: {
      optimiser: options.optimiser,
      learningRateMillionths: millionths(options.learningRate),
      momentumMillionths: millionths(options.momentum),
      proximalMuMillionths: millionths(options.proximalMu),
      batchSize: options.batchSize,
      localSteps: options.localSteps,
    },
    rounds: options.rounds,
    participantsMin: options.participantsMin,
    participantsTarget: options.participantsTarget,
    joinMs: options.joinMs,
    trainMs: options.trainMs,
    voteMs: options.voteMs,
    mode: options.mode,
    rule: options.rule,
    clipNorm: Math.round(options.clipNorm * FIXED_ONE),
    privacy:
      privacy === null
        ? null
        : {
            mode: privacy.mode,
            noiseMillionths: millionths(privacy.noiseMultiplier),
            epsilonMillionths: millionths(privacy.epsilonMax),
            deltaBillionths: Math.round(privacy.delta * 1e9),
          },
    ...(options.proofs === undefined ? {} : { proofs: { projections: options.proofs } }),
    validation: {
      updateLossFactorMillionths: millionths(validation.updateLossFactorMax),
      candidateLossFactorMillionths: millionths(validation.candidateLossFactorMax),
      heldOutMillionths: millionths(validation.heldOutShare),
    },
    createdAtMs: made.nowMs,
  })
}

/** The options that a manifest states. */
export function optionsOfTask(task: LearningTask): LearningOptions {
  const { training, privacy, validation } = task
  const { optimiser, batchSize, localSteps } = training
  const { rounds, participantsMin: least, participantsTarget, joinMs, trainMs, voteMs, mode, rule } = task
  return {
    optimiser,
    learningRate: training.learningRateMillionths / MILLIONTHS,
    momentum: training.momentumMillionths / MILLIONTHS,
    proximalMu: training.proximalMuMillionths / MILLIONTHS,
    batchSize,
    localSteps,
    rounds,
    participantsMin: least,
    participantsTarget,
    joinMs,
    trainMs,
    voteMs,
    mode,
    rule,
    clipNorm: task.clipNorm / FIXED_ONE,
    privacy:
      privacy === null
        ? null
        : {
            mode: privacy.mode,
            noiseMultiplier: privacy.noiseMillionths / MILLIONTHS,
            epsilonMax: privacy.epsilonMillionths / MILLIONTHS,
            delta: privacy.deltaBillionths / 1e9,
          },
    ...(task.proofs === undefined ? {} : { proofs: task.proofs.projections }),
    validation: {
      updateLossFactorMax: validation.updateLossFactorMillionths / MILLIONTHS,
      candidateLossFactorMax: validation.candidateLossFactorMillionths / MILLIONTHS,
      heldOutShare: validation.heldOutMillionths / MILLIONTHS,
    },
  }
}
