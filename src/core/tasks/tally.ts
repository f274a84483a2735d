import type { Hash, PeerId } from '../codec/ids.ts'
import type { SignedReceipt } from './receipt.ts'
import type { OutcomeKey } from './requester-events.ts'

/** What executors must agree on, as one text to compare. Rule [V1]. */
export function keyText(key: OutcomeKey): string {
  return `${key.exitCode} ${key.trap ?? '-'} ${key.outputHash} ${key.gas}`
}

/** One executor's word on one unit. */
export interface Vote {
  readonly peer: PeerId
  readonly signed: SignedReceipt
  readonly key: string
}

/** The outcome most executors state, and who they are. */
export interface Leader {
  readonly key: string
  readonly outputHash: Hash
  readonly votes: readonly Vote[]
}

/** Finds the outcome with the most votes; of equals the one stated first. */
export function leaderOf(votes: Iterable<Vote>): Leader | undefined {
  const byKey = new Map<string, Vote[]>()
  for (const vote of votes) {
    const same = byKey.get(vote.key)
    if (same === undefined) byKey.set(vote.key, [vote])
    else same.push(vote)
  }
  let leader: readonly Vote[] = []
  for (const same of byKey.values()) if (same.length > leader.length) leader = same
  const first = leader[0]
  return first && { key: first.key, outputHash: first.signed.receipt.outputHash, votes: leader }
}

/** What a signed receipt says of its unit. */
export function voteOf(signed: SignedReceipt): Vote {
  const { exitCode, trap, outputHash, gas } = signed.receipt
  return { peer: signed.executor, signed, key: keyText({ exitCode, trap, outputHash, gas }) }
}
