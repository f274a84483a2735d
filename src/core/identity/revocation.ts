import * as v from 'valibot'
import { integer, peerId, rootId } from '../codec/fields.ts'
import type { PeerId, RootId } from '../codec/ids.ts'
import { InvalidLineageError } from './errors.ts'
import { LINEAGE_STATEMENT_BYTES_MAX } from './limits.ts'
import type { Signer } from './ports.ts'
import { EVERY_NETWORK } from './root.ts'
import { type DecodedStatement, decodeStatement, signStatement } from './statement.ts'

const LIMITS = { bytesMax: LINEAGE_STATEMENT_BYTES_MAX, depthMax: 3, itemsMax: 32 }

/** Ends an identity for good. Signed in advance, when a key is made, and kept until it is needed. Rule [I6]. */
export interface RevocationBody {
  readonly root: RootId
}

/** Takes a device out of an identity: its certificates issued until then are refused. Rule [I7]. */
export interface DeviceRevocationBody {
  readonly root: RootId
  readonly device: PeerId
  /** Certificates issued then or before are refused; a later one lets the device in again. */
  readonly issuedMsMax: number
}

export type Revocation = DecodedStatement<RevocationBody>
export type DeviceRevocation = DecodedStatement<DeviceRevocationBody>

const REVOCATION = 'identity-revocation'
const DEVICE_REVOCATION = 'device-revocation'

const revocationBody: v.GenericSchema<unknown, RevocationBody> = v.strictObject({ root: rootId })
const deviceRevocationBody: v.GenericSchema<unknown, DeviceRevocationBody> = v.strictObject({
  root: rootId,
  device: peerId,
  issuedMsMax: integer(0, Number.MAX_SAFE_INTEGER),
})

interface Stamp {
  readonly timestampMs: number
  readonly nonce: Uint8Array
}

export function signRevocation(root: RootId, stamp: Stamp, signer: Signer): Promise<Revocation> {
  return signStatement({ network: EVERY_NETWORK, kind: REVOCATION, seq: 0, ...stamp, body: { root } }, signer)
}

export function signDeviceRevocation(
  body: DeviceRevocationBody,
  stamp: Stamp,
  signer: Signer,
): Promise<DeviceRevocation> {
  return signStatement({ network: EVERY_NETWORK, kind: DEVICE_REVOCATION, seq: 0, ...stamp, body }, signer)
}

/** @throws `InvalidMessageError`, `LimitExceededError` or {@link InvalidLineageError} Naming the field. */
export function decodeRevocation(envelope: Uint8Array): Revocation {
  return ofEveryNetwork(decodeStatement(envelope, { kind: REVOCATION, body: revocationBody, limits: LIMITS }))
}

/** @throws `InvalidMessageError`, `LimitExceededError` or {@link InvalidLineageError} Naming the field. */
export function decodeDeviceRevocation(envelope: Uint8Array): DeviceRevocation {
  return ofEveryNetwork(
    decodeStatement(envelope, { kind: DEVICE_REVOCATION, body: deviceRevocationBody, limits: LIMITS }),
  )
}

function ofEveryNetwork<Body>(decoded: DecodedStatement<Body>): DecodedStatement<Body> {
  const { network, kind } = decoded.statement
  if (network === EVERY_NETWORK) return decoded
  throw new InvalidLineageError(`${kind}.network is ${network}, limit ${EVERY_NETWORK}`, {
    field: `${kind}.network`,
    value: network,
    limit: EVERY_NETWORK,
  })
}
