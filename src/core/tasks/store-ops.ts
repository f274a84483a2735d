/** One change of a durable record; `undefined` deletes. */
export interface StoreOp {
  readonly bucket: string
  readonly key: string
  readonly value: Uint8Array | undefined
}

/** The reading half of the storage port, as far as the schedulers need it to come back after a restart. */
export interface RecordReader {
  get(bucket: string, key: string): Promise<Uint8Array | undefined>
  list(bucket: string, prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]>
}

/**
 * Effects every machine may ask for.
 *
 * Effects are performed in order, over all steps of one machine. `persist` is a barrier: what comes after it happens only once
 * it is durable. A driver may write several queued `persist`s together and earlier than their turn, never later.
 */
export type CommonEffect =
  | { readonly type: 'persist'; readonly ops: readonly StoreOp[] }
  /** Step with a `tick` at or after this time. A later effect replaces an earlier one. */
  | { readonly type: 'wakeAt'; readonly atMs: number }
