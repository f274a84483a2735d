import { concatBytes } from '../../codec/bytes.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import type { ByteSource } from '../byte-source.ts'
import { KEY_BYTES, SEALED_SHARES_BYTES, SHARE_COMMITMENTS_BYTES } from './limits.ts'
import { sealKey } from './mask.ts'
import type { SharesBody } from './messages.ts'
import { commitShares, openShares, type SharePair, sealShares } from './sealed-shares.ts'
import { splitSecret } from './shamir.ts'

/** What a participant keeps to itself. Fresh for every session. */
export interface SumSecrets {
  /** X25519: opens shares. Never revealed. */
  readonly channel: Uint8Array
  /** X25519: makes masks with others. Revealed by others when this peer drops out before its vector is in. */
  readonly mask: Uint8Array
  /** Seed of the own mask. Revealed by others when this peer's vector is in. */
  readonly seed: Uint8Array
}

export function drawSecrets(random: ByteSource): SumSecrets {
  return { channel: random.bytes(KEY_BYTES), mask: random.bytes(KEY_BYTES), seed: random.bytes(KEY_BYTES) }
}

/** Keys of one side of a channel. */
export interface ChannelEnd {
  readonly secret: Uint8Array
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** Holders of a peer's shares, by peer id: its neighbours and itself. A holder's index is its place, from 1. */
export function holdersOf(peer: PeerId, neighbours: readonly PeerId[]): PeerId[] {
  return [...neighbours, peer].sort()
}

/** What a dealer publishes, and the share that it keeps. Rule [Q4]. */
export function deal(of: {
  readonly session: Hash
  readonly roster: Uint8Array
  readonly self: PeerId
  readonly neighbours: readonly PeerId[]
  readonly threshold: number
  readonly secrets: SumSecrets
  /** The channel to each neighbour. */
  readonly channels: ReadonlyMap<PeerId, ChannelEnd>
  readonly random: ByteSource
}): { readonly body: SharesBody; readonly kept: SharePair } {
  const { session, self, threshold, random } = of
  const holders = holdersOf(self, of.neighbours)
  const own = splitSecret(of.secrets.seed, { threshold, holders: holders.length, random })
  const pair = splitSecret(of.secrets.mask, { threshold, holders: holders.length, random })
  const boxes: Uint8Array[] = []
  const commitments: Uint8Array[] = []
  let kept: SharePair | null = null
  holders.forEach((holder, at) => {
    // One share of each for every holder.
    const shares: SharePair = {
      own: (own[at] as { bytes: Uint8Array }).bytes,
      pair: (pair[at] as { bytes: Uint8Array }).bytes,
    }
    const dealing = { session, dealer: self, holder }
    commitments.push(commitShares(shares, dealing))
    if (holder === self) {
      kept = shares
      return
    }
    // There is a channel to every neighbour.
    const { secret, from, to } = of.channels.get(holder) as ChannelEnd
    boxes.push(sealShares(shares, sealKey(secret, session, from, to), dealing))
  })
  const body = { session, roster: of.roster, boxes: concatBytes(...boxes), commitments: concatBytes(...commitments) }
  // The dealer is one of its holders.
  return { body, kept: kept as unknown as SharePair }
}

/** @returns Whether boxes and commitments have the sizes that the dealer's neighbours ask for. */
export function dealtSizesFit(body: SharesBody, neighbours: readonly PeerId[]): boolean {
  return (
    body.boxes.length === SEALED_SHARES_BYTES * neighbours.length &&
    body.commitments.length === SHARE_COMMITMENTS_BYTES * (neighbours.length + 1)
  )
}

/** A dealer's commitments to what one of its holders got. */
export function commitmentsFor(
  holder: PeerId,
  of: { readonly body: SharesBody; readonly holders: readonly PeerId[] },
): Uint8Array {
  const start = SHARE_COMMITMENTS_BYTES * of.holders.indexOf(holder)
  return of.body.commitments.subarray(start, start + SHARE_COMMITMENTS_BYTES)
}

/**
 * Opens what a dealer sealed to this peer.
 *
 * @param of.neighbours - The dealer's.
 * @throws {@link InvalidShareError}
 */
export function openDealt(of: {
  readonly session: Hash
  readonly dealer: PeerId
  readonly self: PeerId
  readonly neighbours: readonly PeerId[]
  readonly body: SharesBody
  readonly channel: ChannelEnd
}): SharePair {
  const { session, dealer, self, neighbours, body, channel } = of
  const at = neighbours.indexOf(self)
  const box = body.boxes.subarray(SEALED_SHARES_BYTES * at, SEALED_SHARES_BYTES * (at + 1))
  const commitments = commitmentsFor(self, { body, holders: holdersOf(dealer, neighbours) })
  const key = sealKey(channel.secret, session, channel.from, channel.to)
  return openShares(box, key, { session, dealer, holder: self, commitments })
}
