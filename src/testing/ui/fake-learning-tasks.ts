import type { LearningRoundPoint, LearningTaskDetail } from '../../node/learning-contract.ts'
import { optionsOf } from '../../node/learning-spec.ts'
import { PEERS, SELF } from './fake-peers.ts'

const MINUTE_MS = 60_000
const DIGITS = [...'0123456789']

export const RUNNING_TASK = 'a'.repeat(64)
export const ANNOUNCED_TASK = 'b'.repeat(64)
export const SPENT_TASK = 'd'.repeat(64)

/** One under way with everything that can happen, one to join, one whose budget is spent. */
export function fakeTasks(): LearningTaskDetail[] {
  const now = Date.now()
  return [running(now), announced(now), spent(now)]
}

function running(now: number): LearningTaskDetail {
  const architecture = { kind: 'mlp', inputs: 196, hidden: [32], outputs: 10 } as const
  const [friend = '', second = '', liar = ''] = PEERS
  return {
    taskId: RUNNING_TASK,
    name: 'Digits of the reading room',
    description: 'Handwritten digits',
    creator: SELF,
    own: true,
    state: 'training',
    reason: null,
    rule: 'trimmed-mean',
    mode: 'plain',
    rounds: 30,
    roundsDone: 14,
    members: 4,
    createdAt: now - 4 * MINUTE_MS,
    loss: 0.41,
    accuracy: 0.88,
    architecture,
    parameters: 6_634,
    classes: DIGITS,
    table: null,
    options: optionsOf({ name: '', description: '', architecture, classes: DIGITS }),
    memberIds: [SELF, friend, second, liar],
    samples: 500,
    heldOut: 50,
    current: {
      round: 17,
      view: 0,
      phase: 'train',
      step: 24,
      steps: 60,
      announced: 1,
      scored: 0,
      votes: 0,
      quorum: 3,
      deadlineAt: now + 30_000,
    },
    roundPoints: points(now),
    contributions: [
      contribution(SELF, { self: true, merged: 14 }),
      contribution(friend, { merged: 14 }),
      contribution(second, { merged: 11, missed: 3, member: false }),
      contribution(liar, { merged: 2, rejected: 12, lastNorm: 7.98 }),
    ],
    rejections: [
      {
        round: 12,
        at: now - 3 * MINUTE_MS,
        peerId: liar,
        reason: { code: 'voted-out' },
        votes: { bad: 3, all: 3 },
      },
      { round: 13, at: now - 2 * MINUTE_MS, peerId: liar, reason: { code: 'equivocated' }, votes: null },
      { round: 14, at: now - MINUTE_MS, peerId: second, reason: { code: 'unavailable' }, votes: null },
    ],
    privacy: null,
    modelHash: 'bafkreifakemodelhashfakemodelhashfakemodelhash',
    modelBytes: 26_536,
  }
}

function announced(now: number): LearningTaskDetail {
  const task = spent(now)
  return {
    ...task,
    taskId: ANNOUNCED_TASK,
    name: 'Irises of the garden',
    state: 'announced',
    reason: null,
    createdAt: now - MINUTE_MS,
    members: 0,
    roundsDone: 0,
    loss: null,
    accuracy: null,
    memberIds: [],
    samples: 0,
    heldOut: 0,
    roundPoints: [],
    contributions: [],
    privacy: null,
  }
}

function spent(now: number): LearningTaskDetail {
  const classes = ['setosa', 'versicolor', 'virginica']
  const architecture = { kind: 'mlp', inputs: 5, hidden: [16], outputs: 3 } as const
  const privacy = { mode: 'local', noiseMultiplier: 4, epsilonMax: 8, delta: 1e-5 } as const
  const base = running(now)
  return {
    ...base,
    taskId: SPENT_TASK,
    name: 'Irises',
    description: '',
    creator: PEERS[1] ?? '',
    own: false,
    state: 'stopped',
    reason: { code: 'budget-spent' },
    rounds: 40,
    roundsDone: 9,
    members: 3,
    createdAt: now - 90 * MINUTE_MS,
    loss: 0.9,
    accuracy: 0.6,
    architecture,
    parameters: 147,
    classes,
    table: {
      columns: [
        { kind: 'number', name: 'petal length', centre: 3.758, scale: 1.76 },
        { kind: 'number', name: 'petal width', centre: 1.2, scale: 0.76 },
        { kind: 'category', name: 'bed', values: ['north', 'south', 'pond'] },
      ],
      label: { name: 'species', values: classes },
    },
    options: optionsOf({ name: '', description: '', architecture, classes, options: { privacy } }),
    samples: 59,
    heldOut: 12,
    current: null,
    roundPoints: base.roundPoints.slice(0, 11),
    rejections: [],
    privacy: {
      mode: 'local',
      epsilonSpent: 7.86,
      epsilonMax: 8,
      delta: 1e-5,
      roundsLeft: 0,
      warnings: [{ code: 'few-participants' }],
    },
  }
}

function contribution(
  peerId: string,
  change: Partial<LearningTaskDetail['contributions'][number]>,
): LearningTaskDetail['contributions'][number] {
  return {
    peerId,
    self: false,
    member: true,
    merged: 0,
    rejected: 0,
    missed: 0,
    lastRound: 14,
    lastNorm: 1.42,
    ...change,
  }
}

/** A start, fourteen merged rounds and two that were skipped. */
function points(now: number): LearningRoundPoint[] {
  const skipped: Readonly<Record<number, string>> = { 0: 'roster', 6: 'too-few', 11: 'candidate-worse' }
  return Array.from({ length: 17 }, (_, round) => {
    const code = skipped[round]
    const learned = 1 - Math.exp(-round / 5)
    return {
      round,
      at: now - (17 - round) * 4_000,
      outcome: code === undefined ? 'merged' : 'skipped',
      skippedBecause: code === undefined ? null : { code },
      members: 4,
      merged: code === undefined ? 3 : 0,
      rejected: code === undefined ? 1 : 0,
      attempts: 1,
      durationMs: 3_700,
      loss: 2.3 - 1.9 * learned,
      accuracy: 0.1 + 0.8 * learned,
      trainLoss: round === 0 ? null : 2 - 1.8 * learned,
      epsilon: null,
      modelHash: `bafkreifake${round}`,
    }
  })
}
