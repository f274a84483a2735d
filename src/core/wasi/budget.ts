import { fail } from './fault.ts'
import { BYTES_PER_GAS } from './gas.ts'

/** Takes gas, and throws where the unit has no more; whatever it throws passes through the host untouched. */
export type Charge = (gas: bigint) => void

/**
 * What a program may store, and what its calls cost. Stored are bytes of content and directory entries, counted as the
 * program sees them (sizes and names), never as this host allocates, so that every executor refuses at the same point.
 * Content still held by an open descriptor counts until that is closed.
 */
export class Budget {
  readonly #bytesMax: number
  readonly #entriesMax: number
  readonly #charge: Charge | undefined
  #bytes = 0
  #entries = 0

  constructor(init: { bytesMax: number; entriesMax: number; charge?: Charge | undefined }) {
    this.#bytesMax = init.bytesMax
    this.#entriesMax = init.entriesMax
    this.#charge = init.charge
  }

  /** @throws ENOSPC when the bytes do not fit; nothing is taken then. */
  takeBytes(count: number): void {
    if (this.#bytes + count > this.#bytesMax) fail('nospc')
    this.#bytes += count
  }

  /** Bytes that can still be taken. */
  bytesFree(): number {
    return this.#bytesMax - this.#bytes
  }

  giveBytes(count: number): void {
    this.#bytes -= count
  }

  /** @throws ENOSPC when there are as many entries as may be. */
  takeEntry(): void {
    if (this.#entries >= this.#entriesMax) fail('nospc')
    this.#entries++
  }

  giveEntry(): void {
    this.#entries--
  }

  spend(gas: bigint): void {
    this.#charge?.(gas)
  }

  /** Pays `each` for a number of things about to be done. */
  spendFor(count: number, each: number): void {
    if (count > 0) this.#charge?.(BigInt(count * each))
  }

  /** Pays for bytes about to be copied or cleared. */
  spendBytes(count: number): void {
    if (count > 0) this.#charge?.(BigInt(Math.ceil(count / BYTES_PER_GAS)))
  }
}
