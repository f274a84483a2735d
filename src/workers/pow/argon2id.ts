import { WORK_NONCE_BYTES, WORK_TAG_BYTES } from '../../core/admission/limits.ts'
import type { Argon2id } from '../../core/admission/verify-ticket.ts'
import { invariant } from '../../core/codec/errors.ts'
import type { WorkInit } from './contract.ts'
import { MinerUnavailableError } from './errors.ts'

/** What `kernel/argon2id.c` exports. */
interface KernelExports {
  readonly memory: WebAssembly.Memory
  input(): number
  output(): number
  prepare(memoryKibibytes: number, passes: number): number
  hash(inputBytes: number): void
  mine(inputBytes: number, nonceOffset: number, first: bigint, count: number, bits: number): number
  found(): number
}

const VERSION = 0x13
const TYPE_ID = 2
const LANES = 1
/** Of the buffer in the kernel. */
const INPUT_BYTES_MAX = 512
/** Where the password stands in the input of H_0: after seven numbers. */
export const PASSWORD_OFFSET = 28

/**
 * Argon2id in WebAssembly with SIMD, one instance: its memory is filled again for every hash and never given back, so a guess costs
 * no allocation. Not for several threads.
 */
export class Argon2idKernel {
  readonly #exports: KernelExports

  /** @throws {@link MinerUnavailableError} When the engine cannot run it. */
  constructor(module: WebAssembly.Module) {
    try {
      this.#exports = new WebAssembly.Instance(module).exports as unknown as KernelExports
    } catch (cause) {
      throw new MinerUnavailableError('The miner does not run in this browser', {}, { cause })
    }
  }

  /** One tag of 32 bytes. Source: RFC 9106, one lane, no secret and no associated data. */
  readonly hash: Argon2id = ({ password, salt, memoryKibibytes, passes }) => {
    const inputBytes = this.#prepare({ password, salt, memoryKibibytes, passes })
    const { hash, output, memory } = this.#exports
    hash(inputBytes)
    return new Uint8Array(memory.buffer, output(), WORK_TAG_BYTES).slice()
  }

  /**
   * Tries nonces, as 8 little-endian bytes of password.
   *
   * @returns How many were tried, and the one whose tag has enough leading zero bits.
   */
  mine(work: WorkInit, first: bigint, count: number): { readonly hashes: number; readonly found: bigint | null } {
    const { challenge: salt, memoryKibibytes, passes, difficultyBits } = work
    const password = new Uint8Array(WORK_NONCE_BYTES)
    const inputBytes = this.#prepare({ password, salt, memoryKibibytes, passes })
    const hashes = this.#exports.mine(inputBytes, PASSWORD_OFFSET, first, count, difficultyBits)
    const found = this.#exports.found() === 1
    return { hashes, found: found ? first + BigInt(hashes - 1) : null }
  }

  #prepare({ password, salt, memoryKibibytes, passes }: Parameters<Argon2id>[0]): number {
    const { memory, input, prepare } = this.#exports
    if (prepare(memoryKibibytes, passes) === 0) {
      throw new MinerUnavailableError(`There is no memory for ${memoryKibibytes} KiB`, {
        field: 'memoryKibibytes',
        value: memoryKibibytes,
      })
    }
    const bytes = initialInput({ password, salt, memoryKibibytes, passes })
    invariant(bytes.length <= INPUT_BYTES_MAX, `the input of a tag has at most ${INPUT_BYTES_MAX} bytes`)
    new Uint8Array(memory.buffer, input(), bytes.length).set(bytes)
    return bytes.length
  }
}

/** What H_0 is the digest of. Source: RFC 9106, section 3.2, step 1. */
export function initialInput({ password, salt, memoryKibibytes, passes }: Parameters<Argon2id>[0]): Uint8Array {
  const bytes = new Uint8Array(PASSWORD_OFFSET + password.length + 4 + salt.length + 8)
  const view = new DataView(bytes.buffer)
  const head = [LANES, WORK_TAG_BYTES, memoryKibibytes, passes, VERSION, TYPE_ID, password.length]
  for (const [index, value] of head.entries()) view.setUint32(4 * index, value, true)
  bytes.set(password, PASSWORD_OFFSET)
  view.setUint32(PASSWORD_OFFSET + password.length, salt.length, true)
  bytes.set(salt, PASSWORD_OFFSET + password.length + 4)
  return bytes
}
