import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { signInvitation } from '../core/admission/invitation.ts'
import { CAPABILITY_BYTES } from '../core/admission/limits.ts'
import type { PolicyKind } from '../core/admission/policy.ts'
import { defaultPolicy, type FoundedNetwork, foundNetwork, type Policy, readPolicy } from '../core/admission/policy.ts'
import type { RootId } from '../core/codec/ids.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import type { Signer, Verifier } from '../core/identity/ports.ts'
import { capabilitySigner, capabilityText, parseCapability } from '../node/capability.ts'
import { RelayPolicyError } from './errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** What is asked of a new network. A network that was founded before keeps its own. */
export interface PolicyWish {
  readonly kind?: PolicyKind
  readonly name?: string
  readonly changes?: Partial<Omit<Policy, 'kind' | 'name' | 'inviteKey' | 'work'>> & {
    readonly work?: Partial<Policy['work']>
  }
}

/** The relay's network, and what lets others into it when it is a room. */
export interface Founding {
  readonly network: FoundedNetwork
  readonly capability: Uint8Array | null
}

const POLICY_FILE = 'policy'
const CAPABILITY_FILE = 'capability'

/**
 * The network of a relay's folder, founded at its first start and kept.
 *
 * @param dataDir - `null` keeps nothing: each start founds a new network.
 * @throws {@link RelayPolicyError} When the folder's network is of another kind than is asked for, or cannot be read.
 */
export async function findOrFound(
  dataDir: string | null,
  { wish, founder, verifier, nowMs }: { wish: PolicyWish; founder: Signer; verifier: Verifier; nowMs: number },
): Promise<Founding> {
  const kept = dataDir === null ? null : await readFounding(dataDir, verifier)
  if (kept !== null) {
    const { policy } = kept.network
    if (wish.kind !== undefined && wish.kind !== policy.kind) {
      throw new RelayPolicyError(
        `The network in ${dataDir} is of kind ${policy.kind}, not ${wish.kind}; a policy cannot change`,
        {
          field: 'policy',
          value: wish.kind,
          limit: policy.kind,
        },
      )
    }
    return kept
  }
  const kind = wish.kind ?? 'room'
  const capability = kind === 'room' ? new Uint8Array(randomBytes(CAPABILITY_BYTES)) : null
  const base = defaultPolicy(kind, wish.name ?? 'a room', capability && capabilitySigner(capability).author)
  const policy = { ...base, ...wish.changes, work: { ...base.work, ...wish.changes?.work } }
  const network = await foundNetwork(policy, { founder, nowMs, nonce: new Uint8Array(randomBytes(NONCE_BYTES)) })
  if (dataDir !== null) {
    // The capability first: a policy without it would be a room that nobody can enter.
    if (capability !== null) writePrivateFile(join(dataDir, CAPABILITY_FILE), capabilityText(capability))
    writePrivateFile(join(dataDir, POLICY_FILE), network.bytes)
  }
  return { network, capability }
}

/**
 * What lets somebody in, for a link: a room's capability, or an invitation of the founder's to one identity.
 *
 * @param options.root - Who is invited; needed for a network of members.
 * @throws {@link RelayPolicyError} When the folder holds no network, or the network needs no invitation, or a root that is not given.
 */
export async function makeInvite(
  dataDir: string,
  options: {
    readonly root: RootId | null
    readonly expiresAtMs: number
    /** Asked for only where the founder has to sign. */
    readonly loadFounder: () => Promise<Signer>
    readonly verifier: Verifier
    readonly nowMs: number
  },
): Promise<string> {
  const { root, expiresAtMs, verifier, nowMs } = options
  const kept = await readFounding(dataDir, verifier)
  const refuse = (why: string): RelayPolicyError => new RelayPolicyError(why, { field: 'dataDir', value: dataDir })
  if (kept === null) throw refuse(`There is no network in ${dataDir}: start its relay first`)
  const { network, capability } = kept
  if (capability !== null) return capabilityText(capability)
  if (network.policy.kind !== 'members') throw refuse('An open network needs no invitation: its page is enough')
  if (root === null) throw refuse('Say whom to invite: the root id that their Identity page shows')
  const nonce = new Uint8Array(randomBytes(NONCE_BYTES))
  const init = { networkId: network.networkId, founder: await options.loadFounder(), nowMs, nonce }
  return capabilityText(await signInvitation({ root, expiresAtMs }, init))
}

/** The capability that a relay's folder holds; `null` when there is none. */
function readCapabilityFile(dataDir: string): Uint8Array | null {
  const text = readPrivateFile(join(dataDir, CAPABILITY_FILE))?.toString('utf8').trim()
  return text === undefined ? null : parseCapability(text)
}

async function readFounding(dataDir: string, verifier: Verifier): Promise<Founding | null> {
  const bytes = readPrivateFile(join(dataDir, POLICY_FILE))
  if (bytes === null) return null
  try {
    const network = await readPolicy(new Uint8Array(bytes), { networkId: null, verifier })
    return { network, capability: network.policy.kind === 'room' ? readCapabilityFile(dataDir) : null }
  } catch (cause) {
    throw new RelayPolicyError(
      `Cannot read the policy in ${dataDir}: ${(cause as Error).message}`,
      { field: 'policy', value: dataDir },
      { cause },
    )
  }
}
