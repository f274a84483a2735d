import type { RuleName } from '../../../core/learning/rules.ts'
import type { Reason } from '../../../node/contract.ts'
import type {
  LearningFact,
  LearningMode,
  LearningProgress,
  LearningState,
  LearningTaskSummary,
} from '../../../node/learning-contract.ts'
import { bytes, plural } from '../../format/number.ts'

export type Tone = 'good' | 'busy' | 'idle' | 'attention'

export const STATE_WORDS: Readonly<Record<LearningState, { readonly word: string; readonly tone: Tone }>> = {
  announced: { word: 'Open to join', tone: 'idle' },
  joining: { word: 'Joining', tone: 'busy' },
  waiting: { word: 'Waiting', tone: 'attention' },
  training: { word: 'Training', tone: 'busy' },
  agreeing: { word: 'Agreeing', tone: 'busy' },
  paused: { word: 'Paused', tone: 'attention' },
  done: { word: 'Done', tone: 'good' },
  left: { word: 'Left', tone: 'idle' },
  stopped: { word: 'Stopped', tone: 'attention' },
}

type Words = Readonly<Record<string, string>>

/** Why a task is in its state. */
const REASONS: Words = {
  'members-missing': 'too few members yet',
  'quorum-missing':
    'too few members can be heard to agree on a round; it goes on when enough are back, and if they will not be, begin a new task',
  'budget-spent': 'your privacy budget is spent, so this device trains no more',
  'storage-full': 'this device has no storage left',
  removed: 'the other members removed this device: it was silent, or its updates were voted out three times in a row',
  'model-unavailable': 'no member could give the model yet',
  'paused-by-owner': 'by you',
}

/** Why a round changed nothing. */
const SKIPS: Words = {
  roster: 'members came or went, so it began anew with those who are here',
  'too-few': 'too few good updates came in time',
  'sum-failed': 'too many vanished, or cheated, while updates were summed in secret; nothing was revealed',
  'candidate-worse': 'most members found the new model worse on data they held back',
}

/** Why an update did not go into the model. */
const REJECTIONS: Words = {
  'voted-out': 'made the model worse on data that other members held back; they voted it out',
  'norm-over-bound': 'larger than the task allows',
  'norm-too-large': 'larger than the task allows',
  'wrong-shape': 'has another size than the model',
  'wrong-length': 'has another size than the model',
  'non-finite': 'holds numbers that are none',
  'wrong-round': 'was made for another round',
  equivocated: 'contradicts another that its sender signed for the same round; the proof is kept',
  'spoiled-sum': 'broke a secret sum; its sender signed what proves it',
  replayed: 'was sent before, in another round',
  'bad-signature': 'is not signed by who claims to have sent it',
  unavailable: 'was announced, but nobody could fetch it in time',
  'not-selected': 'the rule chose others that lie closer together; that is no offence',
  malformed: 'could not be read',
  'norm-differs': 'has another size than its sender said',
  'bad-proof': 'comes with a proof of its size that does not hold',
}

const WARNINGS: Words = {
  'few-samples': 'You bring few samples: your part of the training will be noisy',
  'classes-missing': 'You have no sample of',
  'no-noise':
    'No noise is added: who sees your updates may guess things about your data, though they never see the data itself',
  'few-members': 'A round may have few members: the fewer there are, the more one update tells about its sender',
  'few-participants': 'Few take part: enough noise to hide one among them would drown what they learn',
  'delta-too-large': 'δ is not small next to one in the number of members: the promise may fail for somebody',
  'delta-large': 'δ is not small next to one in the number of members: the promise may fail for somebody',
  'epsilon-useless': 'ε is so large that it promises next to nothing',
  'epsilon-large': 'ε is so large that it promises next to nothing',
}

const STAYS: Words = {
  samples: 'Your samples: every picture or row',
  labels: 'Your labels: what each sample is',
  'device-key': 'Your device’s private key',
}

const LEAVES: Words = {
  update: 'What training changed in the model, after each round',
  'norm-proof': 'A proof that this change is within the bound, which says nothing else about it',
  'masked-update': 'What training changed in the model, hidden by masks that cancel only in the sum',
  norm: 'The size of that change, as one number',
  votes: 'Your votes: whether a change made the model worse for you',
  presence: 'That you are here and take part, under this device’s name',
}

export function learningReason({ code, detail }: Reason): string {
  return `${look(REASONS, code)}${detail ? ` (${detail})` : ''}`
}

export const skipWords = ({ code }: Reason): string => look(SKIPS, code)
export const rejectionWords = ({ code }: Reason): string => look(REJECTIONS, code)

export function warningWords({ code, detail }: Reason): string {
  const words = look(WARNINGS, code)
  if (code === 'classes-missing' && detail) return `${words}: ${detail}`
  return detail ? `${words} (${detail})` : words
}

export function staysWords({ code, bytes: size }: LearningFact): string {
  return look(STAYS, code) + (size === null ? '' : ` (${bytes(size)})`)
}

export function leavesWords({ code, bytes: size }: LearningFact): string {
  return look(LEAVES, code) + (size === null ? '' : ` (${bytes(size)} a round)`)
}

/** An unknown code is shown in words of its own rather than hidden. */
function look(words: Words, code: string): string {
  return words[code] ?? code.replaceAll('-', ' ')
}

/** `Training`, `Waiting: too few members yet (2/3)`. */
export function stateSentence({ state, reason }: Pick<LearningTaskSummary, 'state' | 'reason'>): string {
  return reason === null ? STATE_WORDS[state].word : `${STATE_WORDS[state].word}: ${learningReason(reason)}`
}

/** What the round under way is at. Rounds count from 1 for people. */
export function progressWords({ phase, step, steps, announced, scored, votes, quorum }: LearningProgress): string {
  switch (phase) {
    case 'train':
      return step < steps ? `training on your data, step ${step} of ${steps}` : 'trained; announcing what changed'
    case 'collect':
      return `trained; ${plural(announced, 'change')} announced, ${scored} tried on your held-back data`
    case 'agree':
      return `agreeing on the result: ${plural(votes, 'vote')}, ${quorum} needed`
  }
}

interface RuleWords {
  readonly word: string
  /** What it withstands, in a line. */
  readonly withstands: string
  /** Fewest members, as people write it. */
  readonly bound: string
}

/** Measured strengths are in docs/LEARNING.md. */
export const RULE_WORDS: Readonly<Record<RuleName, RuleWords>> = {
  'trimmed-mean': {
    word: 'Trimmed mean',
    withstands: 'Drops the most extreme values of each weight. With cut and mixed updates the best all-round choice.',
    bound: 'n ≥ 2f + 1',
  },
  median: {
    word: 'Median',
    withstands: 'Takes the middle value of each weight. Simple; weaker when members have very different data.',
    bound: 'n ≥ 2f + 1',
  },
  'multi-krum': {
    word: 'Multi-Krum',
    withstands: 'Averages the updates that lie closest together. Leaves out lone outliers entirely.',
    bound: 'n ≥ 2f + 3',
  },
  krum: {
    word: 'Krum',
    withstands: 'Takes one member’s update, the one nearest to its neighbours. Sturdy, but forgets what others know.',
    bound: 'n ≥ 2f + 3',
  },
  bulyan: {
    word: 'Bulyan',
    withstands: 'Krum to choose, then a trimmed mean. Guards against small shifts hidden in many weights.',
    bound: 'n ≥ 4f + 3',
  },
  'centered-clipping': {
    word: 'Centered clipping',
    withstands: 'Moves from the last result by steps of bounded size. No single round can be thrown far.',
    bound: 'n ≥ 2f + 1',
  },
  mean: {
    word: 'Plain average',
    withstands: 'Withstands nobody: one hostile member can spoil the model. For people who trust each other.',
    bound: 'any n',
  },
}

export const MODE_WORDS: Readonly<Record<LearningMode, { readonly word: string; readonly meaning: string }>> = {
  plain: {
    word: 'Open updates',
    meaning: 'Members see each other’s updates, so bad ones can be found and left out.',
  },
  'secure-sum': {
    word: 'Secret sum',
    meaning:
      'Nobody sees a single update, only their sum. In return no rule can leave out a bad one: only the plain average works.',
  },
  grouped: {
    word: 'Secret sums in groups',
    meaning: 'Updates are summed in secret inside small groups; the rule then leaves out bad groups.',
  },
}
