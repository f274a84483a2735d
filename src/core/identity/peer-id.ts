import { base58btc } from 'multiformats/bases/base58'
import { concatBytes } from '../codec/bytes.ts'
import { InvalidMessageError } from '../codec/errors.ts'
import type { PeerId } from '../codec/ids.ts'
import { PEER_ID_CHARS } from '../codec/limits.ts'

/**
 * Identity multihash (code 0, 36 bytes) of libp2p's protobuf public key: field 1 = key type Ed25519 (1), field 2 = 32 bytes.
 * Source: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
 */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PUBLIC_KEY_BYTES = 32

/** The peer id of an Ed25519 public key. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new InvalidMessageError(`Public key has ${publicKey.length} bytes, limit ${PUBLIC_KEY_BYTES} exactly`, {
      field: 'publicKey',
      value: publicKey.length,
      limit: PUBLIC_KEY_BYTES,
    })
  }
  // Multibase puts a `z` before base58btc text; peer ids are written without.
  return base58btc.encode(concatBytes(PREFIX, publicKey)).slice(1) as PeerId
}

/**
 * The Ed25519 public key that a peer id holds, 32 bytes.
 *
 * @throws {@link InvalidMessageError} If the text is no Ed25519 peer id.
 */
export function publicKeyOf(peerId: string): Uint8Array {
  const refuse = (cause?: unknown) =>
    new InvalidMessageError(
      'Peer id is not an Ed25519 peer id in base58',
      { field: 'peerId', value: peerId.slice(0, 80), limit: PEER_ID_CHARS },
      { cause },
    )
  if (peerId.length !== PEER_ID_CHARS) throw refuse()
  let bytes: Uint8Array
  try {
    bytes = base58btc.decode(`z${peerId}`)
  } catch (cause) {
    throw refuse(cause)
  }
  if (bytes.length !== PREFIX.length + PUBLIC_KEY_BYTES) throw refuse()
  if (!PREFIX.every((byte, i) => bytes[i] === byte)) throw refuse()
  return bytes.slice(PREFIX.length)
}

/** Texts seen to be good. Decoding base58 costs some 10 µs, and one message names the same few peers many times. */
const known = new Set<string>()
const KNOWN_MAX = 4096

/** Whether a text is an Ed25519 peer id. */
export function isPeerId(text: string): text is PeerId {
  if (known.has(text)) return true
  try {
    publicKeyOf(text)
  } catch {
    return false
  }
  if (known.size >= KNOWN_MAX) known.clear()
  known.add(text)
  return true
}
