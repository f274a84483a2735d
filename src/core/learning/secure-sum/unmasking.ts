import type { Hash, PeerId } from '../../codec/ids.ts'
import { commitmentsFor, holdersOf } from './dealing.ts'
import { publicKeyOf } from './key-agreement.ts'
import type { KeysBody, RevealedShare, SharesBody, UnmaskBody } from './messages.ts'
import { checkShare, commitSeed, type ShareSide } from './sealed-shares.ts'
import { joinShares, type Share } from './shamir.ts'
import { type Kept, sameBytes } from './statement-book.ts'

/** What unmasking knows of one dealer. */
export interface DealerFacts {
  readonly neighbours: readonly PeerId[]
  readonly keys: Kept<KeysBody>
  readonly shares: Kept<SharesBody>
}

/** The secrets that unmask a sum, or the dealer that made them impossible. */
export type Unmasked =
  | { readonly type: 'waiting'; readonly missing: readonly PeerId[] }
  | {
      readonly type: 'inconsistent'
      readonly dealer: PeerId
      readonly side: ShareSide
      readonly witnesses: readonly PeerId[]
    }
  | {
      readonly type: 'ready'
      readonly seeds: ReadonlyMap<PeerId, Uint8Array>
      readonly maskSecrets: ReadonlyMap<PeerId, Uint8Array>
    }

/**
 * Collects revealed shares and gives back one secret of each peer: the seed of its own mask when its vector is in the sum, the secret of
 * its mask key when it is not. Never both, by its construction: `survivors` is fixed when it is made. Rule [Q6].
 */
export class Unmasking {
  readonly #session: Hash
  readonly #dealers: ReadonlyMap<PeerId, DealerFacts>
  readonly #survivors: ReadonlySet<PeerId>
  readonly #threshold: number
  readonly #revealed = new Map<PeerId, Map<PeerId, Share>>()
  readonly #recovered = new Map<PeerId, Uint8Array>()

  constructor(of: {
    readonly session: Hash
    /** All whose masks may be in the sum. */
    readonly dealers: ReadonlyMap<PeerId, DealerFacts>
    readonly survivors: ReadonlySet<PeerId>
    readonly threshold: number
  }) {
    this.#session = of.session
    this.#dealers = of.dealers
    this.#survivors = of.survivors
    this.#threshold = of.threshold
  }

  /** Which of a dealer's two secrets is to be revealed. */
  sideOf(dealer: PeerId): ShareSide {
    return this.#survivors.has(dealer) ? 'own' : 'pair'
  }

  /** @returns A peer of which a statement reveals both shares, which no honest holder does; or `null`. */
  static bothOf({ own, pair }: UnmaskBody): PeerId | null {
    const named = new Set(own.map(({ of }) => of))
    return pair.find(({ of }) => named.has(of))?.of ?? null
  }

  /**
   * Takes what a holder reveals; all of it or nothing.
   *
   * @returns What is wrong with it, and the dealer it concerns; or `null`.
   * @throws {@link InvalidShareError} When a share is not the one that its dealer committed to.
   */
  take(holder: PeerId, body: UnmaskBody): string | null {
    const fault = this.#faultOf(holder, body)
    if (fault !== null) return fault
    for (const side of ['own', 'pair'] as const) for (const revealed of body[side]) this.#check(holder, side, revealed)
    for (const { of, share } of [...body.own, ...body.pair]) {
      const shares = this.#revealed.get(of) ?? new Map<PeerId, Share>()
      this.#revealed.set(of, shares.set(holder, { index: this.#indexOf(holder, of), bytes: share }))
    }
    return null
  }

  #faultOf(holder: PeerId, body: UnmaskBody): string | null {
    for (const side of ['own', 'pair'] as const) {
      let before = ''
      for (const { of } of body[side]) {
        if (of <= before) return `Shares of ${of} are out of order or twice`
        before = of
        const dealer = this.#dealers.get(of)
        if (dealer === undefined) return `${of} has no vector and no mask`
        if (this.sideOf(of) !== side) return `The ${side} share of ${of} is not the one to be revealed`
        if (of !== holder && !dealer.neighbours.includes(holder)) return `${holder} holds no share of ${of}`
      }
    }
    return null
  }

  #check(holder: PeerId, side: ShareSide, { of, share }: RevealedShare): void {
    // Known since the fault check.
    const dealer = this.#dealers.get(of) as DealerFacts
    const commitments = commitmentsFor(holder, { body: dealer.shares.body, holders: holdersOf(of, dealer.neighbours) })
    checkShare(share, side, { session: this.#session, dealer: of, holder, commitments })
  }

  #indexOf(holder: PeerId, of: PeerId): number {
    return holdersOf(of, (this.#dealers.get(of) as DealerFacts).neighbours).indexOf(holder) + 1
  }

  /** Gives back what can be given back, and says what is missing. */
  progress(): Unmasked {
    const missing: PeerId[] = []
    for (const [peer, facts] of this.#dealers) {
      if (this.#recovered.has(peer)) continue
      const shares = this.#revealed.get(peer)
      if (shares === undefined || shares.size < this.#threshold) {
        missing.push(peer)
        continue
      }
      const secret = joinShares([...shares.values()], this.#threshold)
      if (!this.#isAnnounced(peer, secret, facts)) {
        const witnesses = [...shares.keys()].slice(0, this.#threshold)
        return { type: 'inconsistent', dealer: peer, side: this.sideOf(peer), witnesses }
      }
      this.#recovered.set(peer, secret)
    }
    if (missing.length > 0) return { type: 'waiting', missing }
    const [seeds, maskSecrets] = [new Map<PeerId, Uint8Array>(), new Map<PeerId, Uint8Array>()]
    for (const [peer, secret] of this.#recovered) (this.#survivors.has(peer) ? seeds : maskSecrets).set(peer, secret)
    return { type: 'ready', seeds, maskSecrets }
  }

  /** Whether a secret is the one its dealer announced at first. */
  #isAnnounced(peer: PeerId, secret: Uint8Array, { keys }: DealerFacts): boolean {
    return this.#survivors.has(peer)
      ? sameBytes(commitSeed(secret, this.#session, peer), keys.body.seedCommitment)
      : sameBytes(publicKeyOf(secret), keys.body.maskKey)
  }
}
