/** Bounds checked over the raw bytes before anything is decoded. */
export interface DecodeLimits {
  readonly bytesMax: number
  /** Nesting of lists and maps; a bare value has depth 0. No more than {@link DEPTH_MAX} is ever read. */
  readonly depthMax: number
  /** Values in all, keys included: bounds the objects a decoder may build. */
  readonly itemsMax: number
}

/** Deepest nesting that can be read at all: the reader calls itself for each level. Nothing of the protocol has a quarter of it. */
export const DEPTH_MAX = 64

/** Largest direct message, bytes: a transport frame of 4 MiB is the most that gossipsub and our streams take. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024

/** Direct messages: a full batch of leases or results, nested no deeper than result > receipt. */
export const MESSAGE_LIMITS: DecodeLimits = { bytesMax: MESSAGE_BYTES_MAX, depthMax: 8, itemsMax: 50_000 }

/** Signed statements that stand alone (manifests, receipts, attestations). */
export const STATEMENT_LIMITS: DecodeLimits = { bytesMax: 256 * 1024, depthMax: 8, itemsMax: 10_000 }

/** Encoded inputs and outcomes: 64 MiB of files, and lists no longer than the file and argument bounds of the tasks. */
export const UNIT_DATA_LIMITS: DecodeLimits = { bytesMax: 72 * 1024 * 1024, depthMax: 4, itemsMax: 20_000 }

/** Stored records: our own writing, but a disk may be damaged or shared. */
export const RECORD_LIMITS: DecodeLimits = { bytesMax: MESSAGE_BYTES_MAX, depthMax: 10, itemsMax: 100_000 }

/** Largest integer that a message may carry: 64-bit signed, so that every store and language can hold it. */
export const INTEGER_MAX = 2n ** 63n - 1n

/** Ed25519 peer ids are 52 characters of base58; a little room for none. */
export const PEER_ID_CHARS = 52

/** CIDv1, base32, SHA-256: `b` and 58 characters. */
export const CID_CHARS = 59
