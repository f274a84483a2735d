import * as v from 'valibot'
import { RelayUnavailableError } from './errors.ts'
import { WELL_KNOWN_BYTES_MAX, WELL_KNOWN_TIMEOUT_MS } from './limits.ts'

const schema = v.object({
  networkId: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  multiaddrs: v.pipe(v.array(v.pipe(v.string(), v.startsWith('/'), v.maxLength(512))), v.minLength(1), v.maxLength(32)),
})

export type RelayInfo = v.InferOutput<typeof schema>

/**
 * Asks a relay by the address of its page which network it serves and at which addresses.
 *
 * @throws {@link RelayUnavailableError} Saying what was asked and what came.
 */
export async function relayInfo(url: string): Promise<RelayInfo> {
  const asked = new URL('/.well-known/starling.json', url).href
  const refuse = (why: string, cause?: unknown): RelayUnavailableError =>
    new RelayUnavailableError(`No relay at ${url}: ${why}`, { field: 'relay', value: url }, { cause })
  const response = await fetch(asked, { signal: AbortSignal.timeout(WELL_KNOWN_TIMEOUT_MS) }).catch((error: Error) => {
    const { cause } = error as { cause?: { code?: string; message?: string } }
    throw refuse(cause?.code ?? cause?.message ?? error.message, error)
  })
  if (!response.ok) throw refuse(`${asked} answers ${response.status}`)
  const text = await boundedText(response, WELL_KNOWN_BYTES_MAX)
  if (text === null) throw refuse(`${asked} is longer than the limit of ${WELL_KNOWN_BYTES_MAX} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refuse(`${asked} is no JSON`, error)
  }
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw refuse(`${v.getDotPath(issue) ?? 'the whole'} of ${asked} is wrong: ${issue.message}`)
}

/** The body as text; `null` as soon as it is longer than `bytesMax`. */
async function boundedText(response: Response, bytesMax: number): Promise<string | null> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) return null
    chunks.push(chunk)
  }
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text()
}
