import * as v from 'valibot'
import { fromHex, toHex } from '../codec/bytes.ts'
import { InvalidMessageError } from '../codec/errors.ts'
import { bigInteger, bytes, integer, list, peerId, text } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { Hash, JobId, PeerId } from '../codec/ids.ts'
import {
  BATCH_STATEMENTS_MAX,
  HASH_BYTES,
  INCLUSION_PATH_MAX,
  NETWORK_CHARS_MAX,
  NONCE_BYTES,
  SIGNATURE_BYTES,
} from '../identity/limits.ts'
import { type DecodedStatement, type PlacedStatement, sealInBatch } from '../identity/statement.ts'
import { GAS_MAX, INLINE_OUTCOME_BYTES_MAX, MEMORY_BYTES_MAX, UNITS_MAX } from './limits.ts'
import type { UnitResult } from './messages.ts'
import type { Receipt } from './receipt.ts'
import { asReceipt, checkReceipt, DURATION_US_MAX } from './receipt-codec.ts'
import type { Trap } from './unit.ts'
import { trap } from './unit-data.ts'

const hashBytes = bytes(HASH_BYTES, HASH_BYTES)
const moment = integer(0, Number.MAX_SAFE_INTEGER)

/** One receipt of a batch without what its batch or its message says already. The order is the wire's. */
type Leaf = readonly [
  index: number,
  seq: number,
  timestampMs: number,
  nonce: Uint8Array,
  /** Sibling hashes up to the root; `null` when the whole batch is here. */
  path: readonly Uint8Array[] | null,
  unit: number,
  inputHash: Uint8Array,
  /** `null` when the outcome is here to be hashed. */
  outputHash: Uint8Array | null,
  exitCode: number,
  trap: Trap | null,
  gas: bigint,
  durationUs: number,
  memoryBytesPeak: number,
  startedAtMs: number,
  costMicroUnits: bigint,
  outcome: Uint8Array | null,
]

const leafSchema: v.GenericSchema<unknown, Leaf> = v.strictTuple([
  integer(0, BATCH_STATEMENTS_MAX - 1),
  moment,
  moment,
  bytes(NONCE_BYTES, NONCE_BYTES),
  v.nullable(list(hashBytes, 1, INCLUSION_PATH_MAX)),
  integer(0, UNITS_MAX - 1),
  hashBytes,
  v.nullable(hashBytes),
  integer(-1, 2 ** 32 - 1),
  trap,
  bigInteger(0n, GAS_MAX),
  integer(0, DURATION_US_MAX),
  integer(0, MEMORY_BYTES_MAX),
  moment,
  bigInteger(0n),
  v.nullable(bytes(0, INLINE_OUTCOME_BYTES_MAX)),
])

/** Bounds of a batch on the wire. */
export const receiptBatchSchema: v.GenericSchema<unknown, ReceiptBatch> = v.strictObject({
  network: text(1, NETWORK_CHARS_MAX),
  author: peerId,
  signature: bytes(SIGNATURE_BYTES, SIGNATURE_BYTES),
  size: integer(2, BATCH_STATEMENTS_MAX),
  leaves: list(leafSchema, 1, BATCH_STATEMENTS_MAX),
})

/** Receipts of one signature, as they travel together: a sixth of their bytes when each travels alone. Rule [S7]. */
export interface ReceiptBatch {
  readonly network: string
  readonly author: PeerId
  readonly signature: Uint8Array
  readonly size: number
  readonly leaves: readonly Leaf[]
}

type Batched = UnitResult & { readonly receipt: { readonly origin: PlacedStatement<Receipt> } }

/** Puts results that were signed together into batches; `alone` are the others. */
export function packResults(results: readonly UnitResult[]): {
  readonly alone: readonly UnitResult[]
  readonly batches: readonly ReceiptBatch[]
} {
  const alone: UnitResult[] = []
  // All receipts of a batch hold the same bytes of its signature.
  const groups = new Map<Uint8Array, Batched[]>()
  for (const result of results) {
    if (!isBatched(result)) {
      alone.push(result)
      continue
    }
    const { signature } = result.receipt.origin
    const group = groups.get(signature)
    if (group === undefined) groups.set(signature, [result])
    else group.push(result)
  }
  return { alone, batches: [...groups.values()].map(batchOf) }
}

function isBatched(result: UnitResult): result is Batched {
  return result.receipt.origin?.inclusion !== undefined
}

function batchOf(group: readonly Batched[]): ReceiptBatch {
  // A group has its first member.
  const { statement, signature, inclusion } = (group[0] as Batched).receipt.origin
  const { size } = inclusion
  const whole = group.length === size
  const leaves = group.map((result) => leafOf(result, whole)).sort((a, b) => a[0] - b[0])
  return { network: statement.network, author: statement.author, signature, size, leaves }
}

function leafOf({ receipt: { origin, receipt }, outcome }: Batched, whole: boolean): Leaf {
  const { seq, timestampMs, nonce } = origin.statement
  const { index, path } = origin.inclusion
  const { unit, inputHash, outputHash, exitCode, trap, gas, durationUs, memoryBytesPeak, startedAtMs } = receipt
  const ended = [outcome === null ? fromHex(outputHash) : null, exitCode, trap, gas] as const
  const measured = [durationUs, memoryBytesPeak, startedAtMs, receipt.costMicroUnits] as const
  const place = [index, seq, timestampMs, nonce, whole ? null : path] as const
  return [...place, unit, fromHex(inputHash), ...ended, ...measured, outcome]
}

/**
 * Makes the receipts of a batch again, each with its own bytes. The signature is still to be verified.
 *
 * @throws {@link InvalidMessageError} When leaves lack both their place and their company.
 */
export function unpackResults(
  batch: ReceiptBatch,
  job: JobId,
): { readonly results: UnitResult[]; readonly statements: DecodedStatement<Receipt>[] } {
  const { network, author, signature, size, leaves } = batch
  const outcomes: (Uint8Array | null)[] = []
  const placed = leaves.map((leaf) => {
    const [index, seq, timestampMs, nonce, path] = leaf
    outcomes.push(leaf[15])
    const init = { network, kind: 'receipt', seq, timestampMs, nonce, body: receiptOfLeaf(leaf, job) }
    return { init, index, path }
  })
  const whole = placed.every(({ path, index }, at) => path === null && index === at) && leaves.length === size
  if (!whole && placed.some(({ path }) => path === null)) {
    throw new InvalidMessageError(`results.batches has ${leaves.length} leaves without a path, limit all ${size}`, {
      field: 'results.batches.leaves',
      value: leaves.length,
      limit: size,
    })
  }
  const statements = sealInBatch(placed, { author, signature, size })
  const results = statements.map((statement, at) => ({ receipt: asReceipt(statement), outcome: outcomes[at] ?? null }))
  return { results, statements }
}

function receiptOfLeaf(leaf: Leaf, job: JobId): Receipt {
  const [, , , , , unit, input, output, exitCode, trap, gas, durationUs, memoryBytesPeak, startedAtMs, cost, outcome] =
    leaf
  if ((output === null) === (outcome === null)) {
    throw new InvalidMessageError('results.batches.leaves has both or neither of output hash and outcome', {
      field: 'results.batches.leaves',
      value: unit,
    })
  }
  const receipt: Receipt = {
    // A job's id is its manifest's hash.
    manifest: job as string as Hash,
    unit,
    inputHash: toHex(input) as Hash,
    outputHash: output === null ? sha256Hex(outcome as Uint8Array) : (toHex(output) as Hash),
    success: trap === null && exitCode === 0,
    exitCode,
    trap,
    gas,
    durationUs,
    memoryBytesPeak,
    startedAtMs,
    costMicroUnits: cost,
  }
  checkReceipt(receipt)
  return receipt
}
