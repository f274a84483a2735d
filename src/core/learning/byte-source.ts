/** Random bytes from a cryptographic source: the node's is `crypto.getRandomValues`, a test's or simulation's is seeded. */
export interface ByteSource {
  /** @returns `count` independent uniform bytes, the caller's to keep. */
  bytes(count: number): Uint8Array
}
