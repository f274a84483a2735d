import { concatBytes, utf8 } from '../../core/codec/bytes.ts'
import { encode } from '../../core/codec/cbor.ts'
import { sha256Bytes } from '../../core/codec/hash.ts'
import type { JobId, PeerId } from '../../core/codec/ids.ts'
import { prepareStatement, sealStatement, signedBytes } from '../../core/identity/statement.ts'
import type { Attestation, Receipt, SignedAttestation, SignedReceipt } from '../../core/tasks/receipt.ts'
import { asAttestation, asReceipt } from '../../core/tasks/receipt-codec.ts'
import type { LoadedInput } from '../../core/tasks/requester-events.ts'
import { keyText } from '../../core/tasks/tally.ts'
import type { Trap } from '../../core/tasks/unit.ts'
import { encodeOutcome, inputHash, outputHash } from '../../core/tasks/unit-data.ts'

/** What running a unit really gives, and lies about it. No WebAssembly runs in the simulator: a unit is a function of its name. */

export interface Outcome {
  readonly encoded: Uint8Array
  readonly outputHash: ReturnType<typeof outputHash>
  readonly exitCode: number
  readonly trap: Trap | null
  readonly gas: bigint
}

const NOTHING = new Uint8Array(0)

/** The outcome of a unit; every seventh traps, for those are results too. `lie` gives another outcome for each other text. */
export function outcomeOf(job: JobId, unit: number, lie = ''): Outcome {
  const trap: Trap | null = unit % 7 === 3 ? 'wasm' : null
  const exitCode = trap === null ? 0 : -1
  const stdout = trap === null || lie !== '' ? utf8(`${job.slice(0, 8)} ${unit} ${lie}`) : NOTHING
  const encoded = encodeOutcome({ exitCode, trap, stdout, stderr: NOTHING, files: [] })
  return { encoded, outputHash: outputHash(encoded), exitCode, trap, gas: BigInt(1_000 + unit) }
}

/** The text executors should agree on. */
export function trueKey(job: JobId, unit: number): string {
  return keyText(outcomeOf(job, unit))
}

export function inputOf(job: JobId, unit: number): LoadedInput {
  const encoded = encode({ args: [], env: [], stdin: utf8(`${job.slice(0, 8)} ${unit}`), files: [] })
  return { unit, hash: inputHash(encoded), bytes: encoded.length, inline: encoded }
}

/** Stands for Ed25519: 64 bytes that only the simulated author is given to make. */
export function simSignature(author: PeerId, bytes: Uint8Array): Uint8Array {
  const digest = sha256Bytes(concatBytes(utf8(`key of ${author}`), bytes))
  return concatBytes(digest, digest)
}

const NETWORK = 'sim'

export function simReceipt(
  receipt: Receipt,
  by: { readonly author: PeerId; readonly nonce: Uint8Array },
): SignedReceipt {
  const init = {
    network: NETWORK,
    kind: 'receipt',
    seq: 0,
    timestampMs: receipt.startedAtMs,
    nonce: by.nonce,
    body: receipt,
  }
  const prepared = prepareStatement(init, by.author)
  return asReceipt(sealStatement(prepared, simSignature(by.author, signedBytes('receipt', prepared.payload))))
}

export function simAttestation(
  attestation: Attestation,
  by: { readonly author: PeerId; readonly nonce: Uint8Array; readonly nowMs: number },
): SignedAttestation {
  const init = {
    network: NETWORK,
    kind: 'attestation',
    seq: 0,
    timestampMs: by.nowMs,
    nonce: by.nonce,
    body: attestation,
  }
  const prepared = prepareStatement(init, by.author)
  return asAttestation(sealStatement(prepared, simSignature(by.author, signedBytes('attestation', prepared.payload))))
}
