import { base32 } from 'multiformats/bases/base32'
import * as v from 'valibot'
import { concatBytes, utf8 } from '../codec/bytes.ts'
import { integer, list, peerId, text } from '../codec/fields.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { PeerId } from '../codec/ids.ts'
import type { Signer, Verifier } from '../identity/ports.ts'
import { type DecodedStatement, decodeStatement, signStatement, verifyStatement } from '../identity/statement.ts'
import { BadPolicyError } from './errors.ts'
import {
  DIFFICULTY_BITS_CEILING,
  DIFFICULTY_BITS_FLOOR,
  DIFFICULTY_BITS_MAX,
  DIFFICULTY_BITS_MIN,
  EPOCH_MS,
  EPOCH_MS_MAX,
  EPOCH_MS_MIN,
  NEWCOMERS_PER_EPOCH,
  POLICY_LIMITS,
  POLICY_MEMBERS_MAX,
  POLICY_NAME_CHARS_MAX,
  POLICY_PARAMETER_CHARS_MAX,
  POLICY_PARAMETERS_MAX,
  SUBNET_SHARE_PPM,
  WORK_MEMORY_KIBIBYTES,
  WORK_MEMORY_KIBIBYTES_CEILING,
  WORK_MEMORY_KIBIBYTES_MIN,
} from './limits.ts'

export const POLICY_KINDS = ['room', 'open', 'members'] as const

/** `room`: whoever holds the link's capability. `open`: whoever has worked for it. `members`: who is listed or invited. */
export type PolicyKind = (typeof POLICY_KINDS)[number]

/** What a network's founder states at its creation. Rule [A1]. */
export interface Policy {
  readonly kind: PolicyKind
  readonly name: string
  /** The key of the link's capability, as a peer id; who signs with it is let in. Rooms have one. */
  readonly inviteKey: PeerId | null
  /** Root identities that are let in without more. */
  readonly members: readonly PeerId[]
  readonly quotas: boolean
  readonly subnetLimits: boolean
  /** Private, link-local and loopback addresses are not counted. */
  readonly exemptPrivate: boolean
  readonly subnetSharePpm: number
  readonly epochMs: number
  /** `founder`: drawn by the founder when the epoch begins. `derived`: anyone computes it, also ahead. */
  readonly beacon: 'founder' | 'derived'
  readonly work: {
    readonly difficultyBitsMin: number
    readonly difficultyBitsMax: number
    readonly memoryKibibytes: number
    readonly newcomersPerEpoch: number
  }
  /** Numbers of other parts (tiers, quotas) where they differ from the defaults. */
  readonly parameters: Readonly<Record<string, number>>
}

/** A policy whose signature and id were checked. */
export interface FoundedNetwork {
  readonly networkId: string
  readonly founder: PeerId
  readonly createdAtMs: number
  readonly policy: Policy
  /** The signed statement, as it is handed on. */
  readonly bytes: Uint8Array
}

const difficulty = integer(DIFFICULTY_BITS_FLOOR, DIFFICULTY_BITS_CEILING)

const policySchema = v.pipe(
  v.strictObject({
    kind: v.picklist(POLICY_KINDS),
    name: text(1, POLICY_NAME_CHARS_MAX),
    inviteKey: v.nullable(peerId),
    members: list(peerId, 0, POLICY_MEMBERS_MAX),
    quotas: v.boolean(),
    subnetLimits: v.boolean(),
    exemptPrivate: v.boolean(),
    subnetSharePpm: integer(1, 1_000_000),
    epochMs: integer(EPOCH_MS_MIN, EPOCH_MS_MAX),
    beacon: v.picklist(['founder', 'derived']),
    work: v.strictObject({
      difficultyBitsMin: difficulty,
      difficultyBitsMax: difficulty,
      memoryKibibytes: integer(WORK_MEMORY_KIBIBYTES_MIN, WORK_MEMORY_KIBIBYTES_CEILING),
      newcomersPerEpoch: integer(1, Number.MAX_SAFE_INTEGER),
    }),
    parameters: v.pipe(
      v.record(text(1, POLICY_PARAMETER_CHARS_MAX), integer(0, Number.MAX_SAFE_INTEGER)),
      v.check((record) => Object.keys(record).length <= POLICY_PARAMETERS_MAX, `${POLICY_PARAMETERS_MAX} parameters`),
    ),
  }),
  v.check(({ work }) => work.difficultyBitsMin <= work.difficultyBitsMax, 'difficultyBitsMin up to difficultyBitsMax'),
  v.check(({ kind, inviteKey }) => kind !== 'room' || inviteKey !== null, 'a room with an inviteKey'),
)

const POLICY_STATEMENT = { kind: 'network-policy', body: policySchema, limits: POLICY_LIMITS }

/** A policy is there before its network's id; this stands in the place of it. */
const FOUNDING = 'founding'

/** The defaults of a kind; whoever founds a network may set others. */
export function defaultPolicy(kind: PolicyKind, name: string, inviteKey: PeerId | null): Policy {
  const open = kind === 'open'
  return {
    kind,
    name,
    inviteKey,
    members: [],
    quotas: open,
    subnetLimits: open,
    exemptPrivate: true,
    subnetSharePpm: SUBNET_SHARE_PPM,
    epochMs: EPOCH_MS,
    beacon: open ? 'founder' : 'derived',
    work: {
      difficultyBitsMin: DIFFICULTY_BITS_MIN,
      difficultyBitsMax: DIFFICULTY_BITS_MAX,
      memoryKibibytes: WORK_MEMORY_KIBIBYTES,
      newcomersPerEpoch: NEWCOMERS_PER_EPOCH,
    },
    parameters: {},
  }
}

/**
 * Founds a network: signs its policy, from which its id follows.
 *
 * @param moment.nonce - 16 random bytes: two networks with the same policy are two networks.
 * @throws {@link InvalidMessageError} Naming the field that is out of its range.
 */
export async function foundNetwork(
  policy: Policy,
  { founder, nowMs, nonce }: { readonly founder: Signer; readonly nowMs: number; readonly nonce: Uint8Array },
): Promise<FoundedNetwork> {
  const init = { network: FOUNDING, kind: POLICY_STATEMENT.kind, seq: 0, timestampMs: nowMs, nonce, body: policy }
  const { bytes } = await signStatement(init, founder)
  return foundedOf(decodeStatement(bytes, POLICY_STATEMENT))
}

/**
 * Reads a policy and checks that it is its founder's and the one that `networkId` was made from. Rule [A2].
 *
 * @throws {@link InvalidMessageError} When it is malformed, {@link BadSignatureError} when it is forged, {@link BadPolicyError} when it
 *   is the policy of another network.
 */
export async function readPolicy(
  bytes: Uint8Array,
  { networkId, verifier }: { readonly networkId: string | null; readonly verifier: Verifier },
): Promise<FoundedNetwork> {
  const decoded = decodeStatement(bytes, POLICY_STATEMENT)
  const founded = foundedOf(decoded)
  if (decoded.statement.network !== FOUNDING) {
    throw new BadPolicyError(`Policy names the network ${decoded.statement.network}, limit ${FOUNDING}`, {
      field: 'network-policy.network',
      value: decoded.statement.network,
      limit: FOUNDING,
    })
  }
  if (networkId !== null && founded.networkId !== networkId) {
    throw new BadPolicyError(`Policy is of the network ${founded.networkId}, limit ${networkId}`, {
      field: 'networkId',
      value: founded.networkId,
      limit: networkId,
    })
  }
  await verifyStatement(decoded, verifier)
  return founded
}

function foundedOf({ statement, payload, bytes }: DecodedStatement<Policy>): FoundedNetwork {
  return {
    networkId: networkIdOf(payload),
    founder: statement.author,
    createdAtMs: statement.timestampMs,
    policy: statement.body,
    bytes,
  }
}

/** Over the payload, which names its author: one network cannot get two ids by two signatures of one policy. */
function networkIdOf(payload: Uint8Array): string {
  return base32.encode(sha256Bytes(concatBytes(utf8('starling/network/1\n'), payload)))
}
