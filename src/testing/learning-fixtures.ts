import { cidOf } from '../core/codec/cid.ts'
import type { PeerId } from '../core/codec/ids.ts'
import type { LearningTask } from '../core/learning/task.ts'

/** A valid learning task of a tiny model; tests change what they are about. */
export function learningTask(creator: PeerId, changes: Partial<LearningTask> = {}): LearningTask {
  return {
    version: 1,
    creator,
    nonce: new Uint8Array(16).fill(7),
    name: 'Digits',
    description: '',
    architecture: { kind: 'mlp', inputs: 2, hidden: [], outputs: 2 },
    classes: ['a', 'b'],
    table: null,
    initialModel: cidOf(new Uint8Array(24), 'raw'),
    training: {
      optimiser: 'sgd',
      learningRateMillionths: 100_000,
      momentumMillionths: 0,
      proximalMuMillionths: 0,
      batchSize: 8,
      localSteps: 10,
    },
    rounds: 5,
    participantsMin: 3,
    participantsTarget: 3,
    joinMs: 1_000,
    trainMs: 10_000,
    voteMs: 1_000,
    mode: 'plain',
    rule: { rule: 'mean', byzantineMax: 0 },
    clipNorm: 65_536,
    privacy: null,
    validation: {
      updateLossFactorMillionths: 2_000_000,
      candidateLossFactorMillionths: 2_000_000,
      heldOutMillionths: 100_000,
    },
    createdAtMs: 1_800_000_000_000,
    ...changes,
  }
}
