import * as v from 'valibot'
import { bytes } from '../codec/fields.ts'
import type { PeerId } from '../codec/ids.ts'
import type { Verifier } from '../identity/ports.ts'
import {
  checkStatementNetwork,
  decodeStatement,
  type SigningOptions,
  signBody,
  verifyStatement,
} from '../identity/statement.ts'
import { INLINE_INPUT_BYTES_MAX } from '../tasks/limits.ts'
import type { Manifest } from '../tasks/manifest.ts'
import { verifyManifest } from '../tasks/manifest-schema.ts'
import type { SignedReceipt } from '../tasks/receipt.ts'
import { checkAgainstManifest, verifyReceipt } from '../tasks/receipt-codec.ts'
import { keyText } from '../tasks/tally.ts'
import { EvidenceRefusedError } from './errors.ts'
import { CONFLICT_BYTES_MAX, EVIDENCE_BYTES_MAX } from './limits.ts'

/**
 * Two receipts that cannot both be true, shown to others: the body of a statement of kind `conflict`. Whoever doubts it can run the
 * unit and see: manifest and input are all it takes. Rule [T22].
 */
export interface Conflict {
  /** The signed receipt of the accused. */
  readonly accused: Uint8Array
  /** The signed receipt that contradicts it: by another executor, by the requester itself, or by the accused again. */
  readonly witness: Uint8Array
  /** The signed manifest of the job. */
  readonly manifest: Uint8Array
  /** The unit's encoded input when it is small; `null` when it is to be fetched from the author by its hash. */
  readonly input: Uint8Array | null
}

export const CONFLICT_KIND = 'conflict'

const schema: v.GenericSchema<unknown, Conflict> = v.strictObject({
  accused: bytes(1, EVIDENCE_BYTES_MAX),
  witness: bytes(1, EVIDENCE_BYTES_MAX),
  manifest: bytes(1, EVIDENCE_BYTES_MAX * 2),
  input: v.nullable(bytes(0, INLINE_INPUT_BYTES_MAX)),
})

const KIND = {
  kind: CONFLICT_KIND,
  body: schema,
  limits: { bytesMax: CONFLICT_BYTES_MAX, depthMax: 5, itemsMax: 40 },
} as const

/** A conflict that was checked: the two did sign, and do contradict each other. Who is wrong is not known unless it is one peer. */
export interface CheckedConflict {
  readonly author: PeerId
  readonly accused: SignedReceipt
  readonly witness: SignedReceipt
  readonly manifest: Manifest
  readonly input: Uint8Array | null
  /** One executor signed two outcomes of one unit: proof without any recomputation. */
  readonly equivocation: boolean
  readonly bytes: Uint8Array
}

export async function signConflict(body: Conflict, options: SigningOptions): Promise<Uint8Array> {
  return (await signBody(KIND.kind, body, options)).bytes
}

/**
 * Reads and checks a conflict. Rule [T22].
 *
 * @throws {@link EvidenceRefusedError} Or an error of statements, saying which part is wrong.
 */
export async function verifyConflict(
  envelope: Uint8Array,
  { network, verifier }: { readonly network: string; readonly verifier: Verifier },
): Promise<CheckedConflict> {
  const decoded = decodeStatement(envelope, KIND)
  checkStatementNetwork(decoded.statement, network)
  await verifyStatement(decoded, verifier)
  const { author, body } = decoded.statement
  const { manifest, job } = await verifyManifest(body.manifest, { verifier, network })
  // Anybody may pass receipts around, but only the requester knows that both were asked for this unit.
  if (manifest.requester !== author) throw refused('author', author, `the requester ${manifest.requester}`)
  const read = async (bytes: Uint8Array): Promise<SignedReceipt> => {
    const { executor, receipt, hash, network: stated } = await verifyReceipt(bytes, { verifier })
    if (stated !== network) throw refused('receipt.network', stated, network)
    checkAgainstManifest(receipt, { manifest, job })
    return { executor, receipt, hash, bytes }
  }
  const [accused, witness] = [await read(body.accused), await read(body.witness)]
  const [a, b] = [accused.receipt, witness.receipt]
  if (a.unit !== b.unit || a.inputHash !== b.inputHash) throw refused('witness', b.unit, 'the same unit and input')
  if (keyText(a) === keyText(b)) throw refused('witness', keyText(b), 'another outcome')
  const equivocation = accused.executor === witness.executor
  return { author, accused, witness, manifest, input: body.input, equivocation, bytes: envelope }
}

function refused(field: string, value: string | number, limit: string): EvidenceRefusedError {
  return new EvidenceRefusedError(`${CONFLICT_KIND}.${field} is ${value}, limit ${limit}`, {
    field: `${CONFLICT_KIND}.${field}`,
    value,
    limit,
  })
}
