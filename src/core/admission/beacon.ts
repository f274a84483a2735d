import * as v from 'valibot'
import { concatBytes, utf8 } from '../codec/bytes.ts'
import { bytes, integer } from '../codec/fields.ts'
import { sha256Bytes } from '../codec/hash.ts'
import type { Signer, Verifier } from '../identity/ports.ts'
import { decodeStatement, signStatement, verifyStatement } from '../identity/statement.ts'
import { WrongBeaconError } from './errors.ts'
import {
  BEACON_RANDOM_BYTES,
  DIFFICULTY_BITS_CEILING,
  DIFFICULTY_BITS_FLOOR,
  TICKET_EPOCHS_AFTER,
  TICKET_LIMITS,
} from './limits.ts'
import type { FoundedNetwork } from './policy.ts'

/** What the proofs of one epoch are bound to. Rule [A4]. */
export interface Beacon {
  readonly epoch: number
  readonly random: Uint8Array
  /** What a proof of this epoch has to have. */
  readonly difficultyBits: number
  /** The founder's statement; `null` when the policy lets everybody compute the beacon. */
  readonly statement: Uint8Array | null
}

const BEACON_STATEMENT = {
  kind: 'epoch-beacon',
  body: v.strictObject({
    epoch: integer(0, Number.MAX_SAFE_INTEGER),
    random: bytes(BEACON_RANDOM_BYTES, BEACON_RANDOM_BYTES),
    difficultyBits: integer(DIFFICULTY_BITS_FLOOR, DIFFICULTY_BITS_CEILING),
  }),
  limits: TICKET_LIMITS,
}

/** The epoch of a moment. */
export function epochAt(nowMs: number, epochMs: number): number {
  return Math.floor(nowMs / epochMs)
}

/** From when on a ticket of an epoch is refused. Rule [A5]. */
export function ticketEndsAt(epoch: number, epochMs: number): number {
  return (epoch + 1 + TICKET_EPOCHS_AFTER) * epochMs
}

/** The beacon that everybody computes: it can be known ahead, so proofs can be made ahead. */
export function derivedBeacon({ networkId, policy }: FoundedNetwork, epoch: number): Beacon {
  const random = sha256Bytes(concatBytes(utf8(`starling/epoch/1\n${networkId}\n${epoch}`)))
  return { epoch, random, difficultyBits: policy.work.difficultyBitsMin, statement: null }
}

/** Signs the beacon of an epoch; the founder draws `random` when the epoch begins, and only then. */
export async function signBeacon(
  beacon: Omit<Beacon, 'statement'>,
  init: {
    readonly networkId: string
    readonly founder: Signer
    readonly nowMs: number
    readonly nonce: Uint8Array
  },
): Promise<Beacon> {
  const { epoch, random, difficultyBits } = beacon
  const { bytes: statement } = await signStatement(
    {
      network: init.networkId,
      kind: BEACON_STATEMENT.kind,
      seq: epoch,
      timestampMs: init.nowMs,
      nonce: init.nonce,
      body: { epoch, random, difficultyBits },
    },
    init.founder,
  )
  return { epoch, random, difficultyBits, statement }
}

/**
 * Reads a founder's beacon.
 *
 * @throws {@link WrongBeaconError} When it is of another network, not the founder's, or its difficulty is not the policy's.
 * @throws {@link BadSignatureError} When it is forged.
 */
export async function readBeacon(statement: Uint8Array, network: FoundedNetwork, verifier: Verifier): Promise<Beacon> {
  const decoded = decodeStatement(statement, BEACON_STATEMENT)
  const { author, network: of, body } = decoded.statement
  if (of !== network.networkId) throw wrong('network', of, network.networkId)
  if (author !== network.founder) throw wrong('author', author, network.founder)
  const { difficultyBitsMin, difficultyBitsMax } = network.policy.work
  if (body.difficultyBits < difficultyBitsMin || body.difficultyBits > difficultyBitsMax) {
    throw wrong('difficultyBits', body.difficultyBits, `${difficultyBitsMin} to ${difficultyBitsMax}`)
  }
  await verifyStatement(decoded, verifier)
  return { ...body, statement }
}

function wrong(field: string, value: string | number, limit: string | number): WrongBeaconError {
  return new WrongBeaconError(`Beacon has ${field} ${value}, limit ${limit}`, {
    field: `epoch-beacon.${field}`,
    value,
    limit,
  })
}
