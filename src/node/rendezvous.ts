import { base64pad as base64 } from 'multiformats/bases/base64'
import * as v from 'valibot'
import { type FoundedNetwork, type Policy, readPolicy } from '../core/admission/policy.ts'
import { StarlingError } from '../core/codec/errors.ts'
import { NETWORK_CHARS_MAX } from '../core/identity/limits.ts'
import type { Verifier } from '../core/identity/ports.ts'
import type { NetworkInit } from '../net/network.ts'

/** A policy of many members is the large part. */
const ANSWER_CHARACTERS_MAX = 262_144

/** The relay's `/.well-known/starling.json`: which network this is and where its relays are. Source: docs/PROTOCOL.md. */
const rendezvousSchema = v.object({
  networkId: v.pipe(v.string(), v.minLength(1), v.maxLength(NETWORK_CHARS_MAX)),
  multiaddrs: v.pipe(v.array(v.pipe(v.string(), v.maxLength(512))), v.maxLength(64)),
  version: v.pipe(v.string(), v.maxLength(64)),
  /** Where other machines open the page. */
  urls: v.optional(v.pipe(v.array(v.pipe(v.string(), v.url(), v.maxLength(512))), v.maxLength(64)), []),
  /** The founder's signed policy, base64; the id is made from it. */
  policy: v.pipe(v.string(), v.base64(), v.maxLength(ANSWER_CHARACTERS_MAX)),
  /** The founder's beacon of this epoch, base64, where the policy asks for one. */
  beacon: v.optional(v.nullable(v.pipe(v.string(), v.base64(), v.maxLength(8_192))), null),
})

export type Rendezvous = v.InferOutput<typeof rendezvousSchema>

/** The relay could not be asked for its network, or what it answered is not one. */
export class RendezvousError extends StarlingError {
  override readonly name = 'RendezvousError'
}

/** @throws `ValiError` or `SyntaxError` When the text is not a rendezvous. */
export function readRendezvous(text: string): Rendezvous {
  return v.parse(rendezvousSchema, JSON.parse(text))
}

const FETCH_TIMEOUT_MS = 5_000

/**
 * Asks a relay's page which network it serves.
 *
 * @param origin - URL of the page.
 * @throws {@link RendezvousError} When it does not answer, or not with a rendezvous.
 */
export async function fetchRendezvous(origin: string): Promise<Rendezvous> {
  const url = new URL('/.well-known/starling.json', origin)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), cache: 'no-store' })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    const text = await response.text()
    if (text.length > ANSWER_CHARACTERS_MAX) throw new Error(`its answer has ${text.length} characters`)
    return readRendezvous(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RendezvousError(
      `The relay at ${url.origin} cannot be asked: ${why}`,
      { field: 'origin', value: url.origin },
      { cause },
    )
  }
}

/**
 * The network of a rendezvous, by its policy. Whoever holds the network's id knows the policy: a relay cannot state another.
 *
 * @throws `BadPolicyError` or `BadSignatureError` When the policy is not the one that the id was made from.
 */
export function networkOf({ networkId, policy }: Rendezvous, verifier: Verifier): Promise<FoundedNetwork> {
  return readPolicy(bytesOf(policy), { networkId, verifier })
}

/** What a policy asks of the network below. */
export function diversityOf(policy: Policy): Pick<NetworkInit, 'diversity'> {
  const { subnetLimits, subnetSharePpm: sharePpm, exemptPrivate } = policy
  return subnetLimits ? { diversity: { sharePpm, exemptPrivate } } : {}
}

/** The beacon's statement, when there is one. */
export function beaconOf({ beacon }: Rendezvous): Uint8Array | null {
  return beacon === null ? null : bytesOf(beacon)
}

function bytesOf(text: string): Uint8Array {
  // Multibase puts an `M` before padded base64.
  return base64.decode(`M${text}`)
}

const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/

/** The link that brings somebody else here: the page's own address, unless that leads nowhere from another machine. */
export function inviteUrlOf(pageUrl: string, { urls }: Pick<Rendezvous, 'urls'>): string {
  const [reachable] = urls
  return reachable !== undefined && LOOPBACK.test(new URL(pageUrl).hostname) ? reachable : pageUrl
}
