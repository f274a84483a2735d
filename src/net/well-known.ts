import * as v from 'valibot'
import { InvalidMessageError } from '../core/codec/errors.ts'
import { NETWORK_CHARS_MAX } from '../core/identity/limits.ts'
import { ADDRESS_CHARS_MAX, RELAYS_MAX } from '../core/routing/limits.ts'
import { RelayAddressError } from './errors.ts'
import { WELL_KNOWN_BYTES_MAX, WELL_KNOWN_TIMEOUT_MS } from './limits.ts'

/** Where a page says how to join its network. */
export const WELL_KNOWN_PATH = '/.well-known/starling.json'

/** What a page says about its network. */
export interface NetworkCard {
  readonly networkId: string
  /** Of its relays, with `/p2p/`. */
  readonly multiaddrs: readonly string[]
  readonly version?: string | undefined
  readonly name?: string | undefined
}

const cardSchema = v.object({
  networkId: v.pipe(v.string(), v.minLength(1), v.maxLength(NETWORK_CHARS_MAX)),
  multiaddrs: v.pipe(
    v.array(v.pipe(v.string(), v.startsWith('/'), v.maxLength(ADDRESS_CHARS_MAX))),
    v.minLength(1),
    v.maxLength(4 * RELAYS_MAX),
  ),
  version: v.optional(v.pipe(v.string(), v.maxLength(64))),
  name: v.optional(v.pipe(v.string(), v.maxLength(128))),
})

/**
 * Asks a page for its network and relays.
 *
 * @param origin - `https://relay.example`, with or without a path, which is left out.
 * @throws {@link RelayAddressError} When there is no answer, or {@link InvalidMessageError} when it is not one.
 */
export async function fetchNetworkCard(origin: string): Promise<NetworkCard> {
  const url = new URL(WELL_KNOWN_PATH, origin)
  let text: string
  try {
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(WELL_KNOWN_TIMEOUT_MS) })
    if (!response.ok) throw new RelayAddressError(`${url} answers with status ${response.status}`)
    text = await boundedText(response)
  } catch (cause) {
    if (cause instanceof RelayAddressError) throw cause
    throw new RelayAddressError(`${url} does not answer: ${(cause as Error).message}`, {}, { cause })
  }
  return parseNetworkCard(text)
}

/** @throws {@link InvalidMessageError} Naming the field that is wrong. */
export function parseNetworkCard(text: string): NetworkCard {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InvalidMessageError('The network card is not JSON', { field: 'card' }, { cause })
  }
  const result = v.safeParse(cardSchema, value, { abortEarly: true })
  if (result.success) return result.output
  const field = v.getDotPath(result.issues[0]) ?? 'card'
  throw new InvalidMessageError(`${field} of the network card: ${result.issues[0].message}`, { field })
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = response.body?.getReader()
  while (reader !== undefined) {
    const { done, value } = await reader.read()
    if (done) break
    bytes += value.byteLength
    if (bytes > WELL_KNOWN_BYTES_MAX) {
      await reader.cancel()
      throw new RelayAddressError(`The network card is over ${WELL_KNOWN_BYTES_MAX} bytes`)
    }
    chunks.push(value)
  }
  return new TextDecoder().decode(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer())
}
