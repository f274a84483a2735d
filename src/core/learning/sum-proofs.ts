import { concatBytes, fromHex, toHex, utf8 } from '../codec/bytes.ts'
import { cidOfDigest, parseCid } from '../codec/cid.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { Cid, Hash, PeerId } from '../codec/ids.ts'
import { REPEAT_MS_MIN } from './limits.ts'
import type { SecureSumEffect } from './secure-sum/events.ts'
import type { SecureSumMessage } from './secure-sum/messages.ts'
import type { RoundSumEffect, RoundSumEventBody } from './sum-events.ts'

/** A sum that is known, and is taken once it is proved. */
export type KnownSum = Extract<SecureSumEffect, { type: 'sum' }>

type ProofMessage = Extract<SecureSumMessage, { kind: 'secure-sum-proof' }>
type Event<T extends RoundSumEventBody['type']> = Extract<RoundSumEventBody, { type: T }>

export interface SumProofsInit {
  readonly self: PeerId
  readonly session: Hash
  /** Who may have a proof, besides its maker. */
  readonly members: readonly PeerId[]
}

/** What came of a sum, told once. */
export type ProofNews =
  | { readonly type: 'proved'; readonly sum: KnownSum }
  /** Some members' own statements say that they proved falsely. `culprits` is empty when the commitments do not open: somebody lied, nobody knows who. */
  | {
      readonly type: 'unproved'
      readonly culprits: readonly { readonly peer: PeerId; readonly message: ProofMessage }[]
    }

/** What is known of the proofs of one sum: of one roster of survivors. */
interface Case {
  readonly proofs: Map<PeerId, ProofMessage>
  sum: KnownSum | null
  state: 'open' | 'verifying' | 'done'
  hasProved: boolean
}

/**
 * The proofs of a session's sums. Whoever is in a sum proves the norm of what it committed to with its keys, against a beacon that nobody knew
 * then: the roster of survivors, which names everybody's masked vector. A sum is taken when every contributor has proved, and the commitments open to
 * it. Rule [Z7].
 */
export class SumProofs {
  readonly #init: SumProofsInit
  readonly #cases = new Map<string, Case>()
  /** Proofs whose blocks are here. */
  readonly #here = new Set<Hash>()
  readonly #pulledAtMs = new Map<Hash, number>()
  #effects: RoundSumEffect[] = []
  #news: ProofNews[] = []
  #isSpoiled = false

  constructor(init: SumProofsInit) {
    this.#init = init
  }

  /** Whether a sum was found and not proved. */
  get isSpoiled(): boolean {
    return this.#isSpoiled
  }

  /** Contributors of known sums whose proof is missing here. */
  owing(): PeerId[] {
    return [...this.#cases.values()].flatMap(({ sum, proofs, state }) => {
      if (sum === null || state !== 'open') return []
      return sum.contributors.filter((peer) => {
        const hash = proofs.get(peer)?.decoded.statement.body.proof
        return hash === undefined || !this.#here.has(hash)
      })
    })
  }

  take(): { readonly effects: readonly RoundSumEffect[]; readonly news: readonly ProofNews[] } {
    const taken = { effects: this.#effects, news: this.#news }
    this.#effects = []
    this.#news = []
    return taken
  }

  /** A sum is known. */
  begin(sum: KnownSum): void {
    const of = this.#caseOf(sum.roster)
    if (of.sum !== null) return
    of.sum = sum
    const place = sum.contributors.indexOf(this.#init.self)
    const commitment = sum.commitments[place]
    if (commitment === undefined || of.hasProved) return
    of.hasProved = true
    const { session } = this.#init
    this.#effects.push({ type: 'prove', session, roster: sum.roster, beacon: this.#beaconOf(sum), commitment })
  }

  proved({ roster, proof }: Event<'proved'>): void {
    const { session } = this.#init
    const { hash } = parseCid(proof)
    this.#here.add(hash)
    const body = { session, roster, proof: hash }
    this.#effects.push({ type: 'sign', session, content: { kind: 'secure-sum-proof', body }, values: null })
  }

  /** @returns What convicts the author together with this: its other statement in the same place. */
  hear(message: ProofMessage): ProofMessage | null {
    const { author, body } = message.decoded.statement
    const { proofs } = this.#caseOf(body.roster)
    const before = proofs.get(author)
    if (before === undefined) proofs.set(author, message)
    return before === undefined || before.decoded.statement.body.proof === body.proof ? null : before
  }

  pulled({ proof }: Event<'proofPulled'>): void {
    this.#here.add(parseCid(proof).hash)
  }

  verified({ roster, holds, opens }: Event<'proofsVerified'>): void {
    const of = this.#caseOf(roster)
    const { sum } = of
    if (sum === null || of.state !== 'verifying') return
    of.state = 'done'
    if (opens && sum.contributors.every((_, at) => holds[at] === true))
      return void this.#news.push({ type: 'proved', sum })
    this.#isSpoiled = true
    const culprits = sum.contributors.flatMap((peer, at) => {
      const message = of.proofs.get(peer)
      return holds[at] === true || message === undefined ? [] : [{ peer, message }]
    })
    this.#news.push({ type: 'unproved', culprits })
  }

  goOn(nowMs: number): void {
    for (const of of this.#cases.values()) {
      if (of.sum === null || of.state !== 'open') continue
      this.#pull(of, of.sum, nowMs)
      this.#verify(of, of.sum)
    }
  }

  #pull({ proofs }: Case, { contributors }: KnownSum, nowMs: number): void {
    const { session, self, members } = this.#init
    for (const peer of contributors) {
      const hash = proofs.get(peer)?.decoded.statement.body.proof
      if (hash === undefined || this.#here.has(hash)) continue
      if (nowMs < (this.#pulledAtMs.get(hash) ?? Number.NEGATIVE_INFINITY) + REPEAT_MS_MIN) continue
      this.#pulledAtMs.set(hash, nowMs)
      const from = [peer, ...members.filter((member) => member !== peer && member !== self)]
      this.#effects.push({ type: 'pullProof', session, of: peer, proof: proofCid(hash), from })
    }
  }

  /** All at once: together they cost little more than one. */
  #verify(of: Case, sum: KnownSum): void {
    const proofs = sum.contributors.flatMap((peer, at) => {
      const hash = of.proofs.get(peer)?.decoded.statement.body.proof
      // Of as many commitments as contributors.
      const commitment = sum.commitments[at] as Uint8Array
      return hash !== undefined && this.#here.has(hash) ? [{ peer, commitment, proof: proofCid(hash) }] : []
    })
    if (proofs.length < sum.contributors.length) return
    of.state = 'verifying'
    const { session } = this.#init
    const { roster, values } = sum
    this.#effects.push({ type: 'verifyProofs', session, roster, beacon: this.#beaconOf(sum), proofs, sum: values })
  }

  #caseOf(roster: Uint8Array): Case {
    const name = toHex(roster)
    const known = this.#cases.get(name)
    if (known !== undefined) return known
    const made: Case = { proofs: new Map(), sum: null, state: 'open', hasProved: false }
    this.#cases.set(name, made)
    return made
  }

  #beaconOf({ roster }: KnownSum): Uint8Array {
    return sha256Bytes(concatBytes(utf8('starling/sum-beacon/1\n'), fromHex(this.#init.session), roster))
  }
}

/** The block of a proof. */
function proofCid(hash: Hash): Cid {
  return cidOfDigest(fromHex(hash), 'raw')
}
