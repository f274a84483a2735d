import { fromHex } from '../codec/bytes.ts'
import type { LearningTaskId, PeerId } from '../codec/ids.ts'
import { MEMBERS_MAX } from './limits.ts'
import { parameterCount } from './model.ts'
import { type NoisePlan, noisedCoordinateMax, shareVariance } from './privacy/noise.ts'
import { BLINDING_COORDINATES } from './proofs/limits.ts'
import { quorumOf, type RoundHead, tolerated } from './round-head.ts'
import { participantsMin } from './rules.ts'
import { drawGroups } from './secure-sum/groups.ts'
import { GROUP_CONTRIBUTORS_MIN, GROUP_SIZE_MIN, SUM_PATIENCE, SUM_PROOF_MS } from './secure-sum/limits.ts'
import { checkTerms, type SecureSumTerms } from './secure-sum/session.ts'
import type { LearningTask } from './task.ts'

/** Deviations of noise, beyond its expected norm, that an honest update stays within. */
const NOISE_DEVIATIONS = 12

/** Whether nobody sees a single update of the task. */
export function isSecret({ mode }: Pick<LearningTask, 'mode'>): boolean {
  return mode !== 'plain'
}

/** Fewest contributors of one secure sum of the task. */
export function contributorsMin(task: Pick<LearningTask, 'mode' | 'participantsMin'>): number {
  return task.mode === 'grouped' ? GROUP_CONTRIBUTORS_MIN : task.participantsMin
}

/** How a task adds noise; `null` when it adds none. Shares of the noise are such that the honest contributors alone make all of it. Rule [D2]. */
export function noisePlanOf(
  task: Pick<LearningTask, 'mode' | 'participantsMin' | 'privacy' | 'clipNorm'>,
): NoisePlan | null {
  const { privacy, clipNorm } = task
  if (privacy === null) return null
  const least = contributorsMin(task)
  const honest = privacy.mode === 'local' ? 1 : least - tolerated(least)
  return { mode: privacy.mode, clipNorm, noiseMultiplierPpm: privacy.noiseMillionths, contributorsMin: honest }
}

/** Largest absolute value of one coordinate that a member puts into a sum, noise included. */
export function coordinateMaxOf(task: Parameters<typeof noisePlanOf>[0]): number {
  const plan = noisePlanOf(task)
  return plan === null ? task.clipNorm : noisedCoordinateMax(plan)
}

/**
 * Checks that the sums of a task can be made whoever joins. Rules [Q3] and [GS7].
 *
 * @throws {@link SumOverflowError} When as many members as a task may have could leave 32 bits.
 */
export function checkSums(task: LearningTask): void {
  checkTerms({
    task: '0'.repeat(64) as LearningTaskId,
    round: 0,
    group: 0,
    attempt: 0,
    length: parameterCount(task.architecture),
    coordinateMax: coordinateMaxOf(task),
    participantsMin: contributorsMin(task),
    participantsMax: MEMBERS_MAX,
    callers: [task.creator],
  })
}

/** Who sums with whom in a round: all members, or in grouped mode groups that the round's base draws. Everybody finds the same. Rule [GS7]. */
export function sumGroups(
  task: LearningTask,
  id: LearningTaskId,
  { roster, round, base }: RoundHead,
): readonly (readonly PeerId[])[] {
  if (task.mode !== 'grouped' || roster.length < GROUP_CONTRIBUTORS_MIN) return [roster]
  // Room for one that vanishes, where there are members enough for the groups that the rule needs.
  const isRoomy = roster.length >= GROUP_SIZE_MIN * participantsMin(task.rule)
  const sizeMin = isRoomy ? GROUP_SIZE_MIN : GROUP_CONTRIBUTORS_MIN
  return drawGroups(roster, { sizeMin, task: id, round, beacon: fromHex(base) })
}

/** Largest norm of what an honest member commits to: the clip norm, and its share of the noise with √d + 12 deviations. Rule [Z7]. */
export function proofNormMax(task: Parameters<typeof noisePlanOf>[0] & Pick<LearningTask, 'architecture'>): number {
  const plan = noisePlanOf(task)
  const deviation = plan === null ? 0 : Math.sqrt(shareVariance(plan))
  return Math.ceil(task.clipNorm + deviation * (Math.sqrt(parameterCount(task.architecture)) + NOISE_DEVIATIONS))
}

/** How long a round waits for its sums. */
export function sumPatienceMs({ voteMs, proofs }: Pick<LearningTask, 'voteMs' | 'proofs'>): number {
  return SUM_PATIENCE * voteMs + (proofs === undefined ? 0 : SUM_PROOF_MS)
}

/** What a sum's members must mean alike; it follows from task and round alone. */
export function sumTerms(
  of: { readonly task: LearningTask; readonly id: LearningTaskId; readonly head: RoundHead },
  place: { readonly group: number; readonly members: readonly PeerId[]; readonly attempt: number },
): SecureSumTerms {
  const { task, id, head } = of
  return {
    task: id,
    round: head.round,
    base: head.base,
    group: place.group,
    attempt: place.attempt,
    length: parameterCount(task.architecture) + (task.proofs === undefined ? 0 : BLINDING_COORDINATES),
    coordinateMax: coordinateMaxOf(task),
    // As many as decide a round: otherwise a caller could sum up one member with those that work for it.
    participantsMin: Math.max(contributorsMin(task), quorumOf(place.members.length)),
    participantsMax: place.members.length,
    ...(task.proofs === undefined ? {} : { proved: true as const }),
    callers: place.members,
  }
}

/** Members in the order in which they may call a sum's stages. It changes with every attempt, and nobody chose it alone. Rule [GS3]. */
export function callersInTurn(
  members: readonly PeerId[],
  of: { readonly head: RoundHead; readonly attempt: number },
): PeerId[] {
  const first = (Number.parseInt(of.head.base.slice(8, 16), 16) + of.attempt) % members.length
  return [...members.slice(first), ...members.slice(0, first)]
}
