import type { PeerId, RootId } from '../codec/ids.ts'

/**
 * The network that a statement about an identity itself names: an account is the same in every network, so its successions and
 * revocations hold in all. Certificates name the one network they are for. Rule [I2].
 */
export const EVERY_NETWORK = '*'

/** The identity that begins with `key`. */
export function rootIdOf(key: PeerId): RootId {
  return key as string as RootId
}

/** The key that an identity began with. */
export function firstKeyOf(root: RootId): PeerId {
  return root as string as PeerId
}
