import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../../codec/bytes.ts'
import { modulo, type Point, scalarToBytes, wideToScalar } from './group.ts'

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

  sayPoints(label: string, points: readonly Point[]): void {
    this.say(label, concatBytes(...points.map((point) => point.toBytes())))
  }

  sayScalars(label: string, scalars: readonly bigint[]): void {
    this.say(label, concatBytes(...scalars.map((scalar) => scalarToBytes(modulo(scalar)))))
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
