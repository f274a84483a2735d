import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../../codec/bytes.ts'
import type { Element } from './group-engine.ts'
import { modulo, scalarsToBytes, wideToScalar } from './scalars.ts'

/**
 * What has been said so far in a proof, as a chain of SHA-512: challenges come out of all of it, so nothing may be changed afterwards (Fiat and
 * Shamir). Every entry carries its label and length, so no two sequences of entries hash alike.
 */
export class Transcript {
  #state: Uint8Array

  constructor(domain: string) {
    this.#state = sha512(utf8(domain))
  }

  say(label: string, bytes: Uint8Array): void {
    this.#state = sha512(concatBytes(this.#state, utf8(`${label}/${bytes.length}\n`), bytes))
  }

  sayElements(label: string, elements: readonly Element[]): void {
    this.say(label, concatBytes(...elements))
  }

  sayScalars(label: string, scalars: readonly bigint[]): void {
    this.say(label, scalarsToBytes(scalars.map(modulo)))
  }

  /** A scalar that is not 0. */
  challenge(label: string): bigint {
    this.say(label, new Uint8Array())
    const scalar = wideToScalar(sha512(concatBytes(this.#state, utf8('challenge'))))
    return scalar === 0n ? 1n : scalar
  }

  /** 32 bytes, for a stream. */
  seed(label: string): Uint8Array {
    this.say(label, new Uint8Array())
    return sha512(concatBytes(this.#state, utf8('seed'))).slice(0, 32)
  }
}
