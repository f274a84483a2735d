import { decodeOptions } from '@ipld/dag-cbor'
import { decodeFirst } from 'cborg'
import { StarlingError } from '../core/codec/errors.ts'
import type { Receipt } from '../core/tasks/receipt.ts'
import { verifyReceipt } from '../core/tasks/receipt-codec.ts'
import { PlatformVerifier } from '../node/verifier.ts'

/** One receipt of a file, looked at. */
export type Verdict =
  | {
      readonly valid: true
      readonly network: string
      readonly executor: string
      readonly attesters: readonly string[]
      readonly receipt: Receipt
    }
  | { readonly valid: false; readonly error: string }

/** Cuts a CBOR sequence (RFC 8742) into its items; what is no CBOR at the end is one last item, which then fails to verify. */
export function* itemsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let rest = bytes; rest.length > 0; ) {
    let size = rest.length
    try {
      // Decoding twice is cheap beside the signature; only the length of the item is used here.
      size -= (decodeFirst(rest, decodeOptions as object) as [unknown, Uint8Array])[1].length
    } catch {
      // Left whole.
    }
    yield rest.subarray(0, size)
    rest = rest.subarray(size)
  }
}

/** Verifies every receipt of a file, one after the other, from the bytes alone. */
export async function* verdictsOf(bytes: Uint8Array): AsyncGenerator<Verdict> {
  const verifier = new PlatformVerifier()
  for (const item of itemsOf(bytes)) {
    try {
      const { network, executor, attesters, receipt } = await verifyReceipt(item, { verifier })
      yield { valid: true, network, executor, attesters, receipt }
    } catch (error) {
      yield {
        valid: false,
        error: error instanceof StarlingError || error instanceof Error ? error.message : String(error),
      }
    }
  }
}
