import { InvalidMessageError } from '../core/codec/errors.ts'
import type { StoreOp } from './store.ts'

/** What a segment says about one key. */
export type SegmentEntry =
  | {
      readonly type: 'put'
      readonly bucket: string
      readonly key: string
      readonly offset: number
      readonly length: number
    }
  | { readonly type: 'delete'; readonly bucket: string; readonly key: string }
  /** The value is too large for a segment and is a record of its own. */
  | { readonly type: 'apart'; readonly bucket: string; readonly key: string }

/** A change as a segment takes it. */
export type SegmentOp = StoreOp | { readonly bucket: string; readonly key: string; readonly apart: true }

const HEADER_BYTES = 6
const BUCKET_END = 0
/** In the place of a value's length. No value of a segment is as long. */
const DELETED = 0xffff_ffff
const APART = 0xffff_fffe

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Packs changes into one value: for each, the length of `bucket ␀ key` (16 bits), the length of the value (32 bits, little-endian),
 * then both.
 *
 * @throws {@link InvalidMessageError} When a key is over 65,535 bytes.
 */
export function encodeSegment(ops: readonly SegmentOp[]): {
  readonly bytes: Uint8Array
  readonly entries: SegmentEntry[]
} {
  const names = ops.map(({ bucket, key }) => encoder.encode(`${bucket}\u0000${key}`))
  let size = 0
  for (const [index, op] of ops.entries())
    size += HEADER_BYTES + nameBytes(names, index) + (heldBy(op)?.byteLength ?? 0)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  const entries: SegmentEntry[] = []
  let at = 0
  for (const [index, op] of ops.entries()) {
    const { bucket, key } = op
    const name = names[index] as Uint8Array
    const value = heldBy(op)
    view.setUint16(at, name.length, true)
    view.setUint32(at + 2, 'apart' in op ? APART : (value?.byteLength ?? DELETED), true)
    bytes.set(name, at + HEADER_BYTES)
    const offset = at + HEADER_BYTES + name.length
    at = offset
    if (value === undefined) {
      entries.push({ type: 'apart' in op ? 'apart' : 'delete', bucket, key })
      continue
    }
    bytes.set(value, offset)
    at += value.byteLength
    entries.push({ type: 'put', bucket, key, offset, length: value.byteLength })
  }
  return { bytes, entries }
}

/**
 * Reads what a segment holds, without copying values.
 *
 * @throws {@link InvalidMessageError} When it was not written by {@link encodeSegment}.
 */
export function decodeSegment(bytes: Uint8Array): SegmentEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: SegmentEntry[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const left = bytes.byteLength - at - HEADER_BYTES
    const nameLength = left < 0 ? 0 : view.getUint16(at, true)
    const length = left < 0 ? 0 : view.getUint32(at + 2, true)
    const held = length >= APART ? 0 : length
    if (left < 0 || nameLength + held > left) {
      throw new InvalidMessageError(`A segment of storage ends within an entry at byte ${at}`, {
        field: 'segment',
        value: at,
        limit: bytes.byteLength,
      })
    }
    const start = at + HEADER_BYTES
    const offset = start + nameLength
    const end = bytes.indexOf(BUCKET_END, start)
    const bucket = decoder.decode(bytes.subarray(start, end))
    const key = decoder.decode(bytes.subarray(end + 1, offset))
    if (length === DELETED) entries.push({ type: 'delete', bucket, key })
    else if (length === APART) entries.push({ type: 'apart', bucket, key })
    else entries.push({ type: 'put', bucket, key, offset, length })
    at = offset + held
  }
  return entries
}

function heldBy(op: SegmentOp): Uint8Array | undefined {
  return 'apart' in op ? undefined : op.value
}

function nameBytes(names: readonly Uint8Array[], index: number): number {
  const length = names[index]?.length ?? 0
  if (length <= 0xffff) return length
  throw new InvalidMessageError(`A key of storage has ${length} bytes, limit ${0xffff}`, {
    field: 'key',
    value: length,
    limit: 0xffff,
  })
}
