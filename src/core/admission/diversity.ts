import { SubnetFullError } from './errors.ts'
import { HIDDEN_LINKS_FREE, HIDDEN_SHARE_PPM, SUBNETS_MAX } from './limits.ts'
import { isPrivateAddress, subnetOf } from './subnet.ts'

/** Where a connection comes from: an address of its own, or the relay it goes through. */
export type Origin =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'relay'; readonly relay: string }

const PPM = 1_000_000

/** The bucket of addresses that are not known. */
const HIDDEN = 'unknown'

/**
 * Keeps one operator's addresses from being all of a peer's neighbours: at most `sharePpm` of the connections come from one subnet,
 * and always one. A relayed connection counts under its relay. Rules [A14] and [A15].
 */
export class Diversity {
  readonly #sharePpm: number
  readonly #exemptPrivate: boolean
  /** The bucket of each connection; `null` for one that is not counted. */
  readonly #connections = new Map<string, string | null>()
  readonly #counts = new Map<string, number>()

  constructor(options: { readonly sharePpm: number; readonly exemptPrivate: boolean }) {
    this.#sharePpm = options.sharePpm
    this.#exemptPrivate = options.exemptPrivate
  }

  /** Counted or not. */
  get connections(): number {
    return this.#connections.size
  }

  count(bucket: string): number {
    return this.#counts.get(bucket) ?? 0
  }

  /**
   * Takes a connection in. The same connection again moves it to its new origin.
   *
   * @throws {@link SubnetFullError} When its subnet, or its relay, has its share already; then it is not counted at all.
   */
  add(connection: string, origin: Origin): void {
    const bucket = this.#bucketOf(origin)
    if (this.#connections.get(connection) === bucket && this.#connections.has(connection)) return
    this.remove(connection)
    if (bucket !== null) this.#checkRoom(bucket)
    this.#connections.set(connection, bucket)
    if (bucket !== null) this.#counts.set(bucket, this.count(bucket) + 1)
  }

  remove(connection: string): void {
    const bucket = this.#connections.get(connection)
    this.#connections.delete(connection)
    if (bucket === undefined || bucket === null) return
    const left = this.count(bucket) - 1
    if (left === 0) this.#counts.delete(bucket)
    else this.#counts.set(bucket, left)
  }

  #checkRoom(bucket: string): void {
    const hidden = bucket === HIDDEN
    const [least, sharePpm] = hidden ? [HIDDEN_LINKS_FREE, HIDDEN_SHARE_PPM] : [1, this.#sharePpm]
    const limit = Math.max(least, Math.floor(((this.#connections.size + 1) * sharePpm) / PPM))
    const value = this.count(bucket) + 1
    if (value <= limit && (this.#counts.has(bucket) || this.#counts.size < SUBNETS_MAX)) return
    throw new SubnetFullError(`Connections from ${bucket} are ${value}, limit ${limit}`, {
      field: 'subnet',
      value,
      limit,
    })
  }

  #bucketOf(origin: Origin): string | null {
    if (origin.kind === 'relay') return `relay ${origin.relay}`
    if (this.#exemptPrivate && isPrivateAddress(origin.address)) return null
    // Whoever's address is hidden shares one bucket: hiding must not be a way to be everybody.
    return subnetOf(origin.address) ?? HIDDEN
  }
}
