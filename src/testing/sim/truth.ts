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

/** Outcomes and inputs are asked for again and again, by every executor, check and restart. */
const REMEMBERED_MAX = 20_000

/** Makes each value once. Values must be left as they are. */
function remembered<Value>(make: (job: JobId, unit: number, lie: string) => Value) {
  const values = new Map<string, Value>()
  return (job: JobId, unit: number, lie = ''): Value => {
    const name = `${job} ${unit} ${lie}`
    const known = values.get(name)
    if (known !== undefined) return known
    if (values.size >= REMEMBERED_MAX) values.clear()
    const made = make(job, unit, lie)
    values.set(name, made)
    return made
  }
}

/** The outcome of a unit; every seventh traps, for those are results too. `lie` gives another outcome for each other text. */
export const outcomeOf = remembered((job, unit, lie): Outcome => {
  const trap: Trap | null = unit % 7 === 3 ? 'wasm' : null
  const exitCode = trap === null ? 0 : -1
  const stdout = trap === null || lie !== '' ? utf8(`${job.slice(0, 8)} ${unit} ${lie}`) : NOTHING
  const encoded = encodeOutcome({ exitCode, trap, stdout, stderr: NOTHING, files: [] })
  return { encoded, outputHash: outputHash(encoded), exitCode, trap, gas: BigInt(1_000 + unit) }
})

/** The text executors should agree on. */
export function trueKey(job: JobId, unit: number): string {
  return keyText(outcomeOf(job, unit))
}

export const inputOf = remembered((job, unit): LoadedInput => {
  const encoded = encode({ args: [], env: [], stdin: utf8(`${job.slice(0, 8)} ${unit}`), files: [] })
  return { unit, hash: inputHash(encoded), bytes: encoded.length, inline: encoded }
})

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
