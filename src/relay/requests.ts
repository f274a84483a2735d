import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { type Endpoint, endpointUrl, isLoopback, parseHost } from './addresses.ts'
import { COMMON_HEADERS, cacheControl, fileHeaders, PUBLIC_HEADERS } from './headers.ts'
import { URL_LENGTH_MAX } from './limits.ts'
import type { RelayMetrics } from './metrics.ts'
import { encodingOf, findPageFile, type PageFile, type PageFiles } from './page-files.ts'

/** What `/.well-known/starling.json` says: all a tab or a Node peer needs to join. */
export interface WellKnown {
  readonly networkId: string
  /** Of the relay, with `/p2p/`; the first is the one at which the file was asked for. */
  readonly multiaddrs: readonly string[]
  readonly version: string
  readonly name: string
  /** Where other machines open the page; empty when the room stays on this one. */
  readonly urls: readonly string[]
  /** The founder's signed statement, base64: the network's id is made from it. */
  readonly policy: string
  /** The founder's beacon of this epoch, base64, where the policy asks for one. */
  readonly beacon: string | null
}

export interface RequestsInit {
  /** `null`: this relay serves no page. */
  readonly files: PageFiles | null
  readonly metrics: RelayMetrics
  /** Whether the port speaks TLS too; then pages asked for by other machines are sent there. */
  readonly tls: boolean
  /** `null` until the libp2p host runs. */
  readonly wellKnown: (endpoint: Endpoint | null) => Promise<WellKnown | null>
}

interface Answer {
  readonly route: string
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer | string
}

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

/** Answers what is asked of the relay over HTTP. Bodies of requests are never read. */
export function requestHandler(init: RequestsInit): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const started = performance.now()
    answer(request, init)
      .catch((error: unknown) => {
        // Whatever went wrong is ours; its details are not the client's.
        process.stderr.write(`relay: ${error instanceof Error ? error.stack : String(error)}\n`)
        return plain('error', 500, 'Internal error')
      })
      .then(({ route, status, headers, body }) => {
        response.on('close', () => init.metrics.answered(route, status, (performance.now() - started) / 1000))
        const length = status === 304 ? {} : { 'Content-Length': Buffer.byteLength(body) }
        // A body that came although none is read would be taken for the next request.
        const unread = request.headers['content-length'] ?? request.headers['transfer-encoding']
        const close = unread === undefined || unread === '0' ? {} : { Connection: 'close' }
        response.writeHead(status, { ...COMMON_HEADERS, ...length, ...close, ...headers })
        response.end(request.method === 'HEAD' || status === 304 ? undefined : body)
      })
      .catch(() => response.destroy())
  }
}

/** Where the client believes it is talking to, from its Host header and the connection. */
export function endpointOf(request: IncomingMessage): Endpoint | null {
  return parseHost(request.headers.host, (request.socket as TLSSocket).encrypted === true)
}

function plain(route: string, status: number, text: string, headers: OutgoingHttpHeaders = {}): Answer {
  return {
    route,
    status,
    headers: { 'Content-Type': TEXT, 'Cache-Control': 'no-store', ...headers },
    body: `${text}\n`,
  }
}

async function answer(request: IncomingMessage, init: RequestsInit): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return plain('other', 405, 'Only GET and HEAD', { Allow: 'GET, HEAD' })
  }
  const url = request.url ?? '/'
  if (url.length > URL_LENGTH_MAX)
    return plain('other', 414, `The path is ${url.length} long, the limit is ${URL_LENGTH_MAX}`)
  const path = decodedPath(url)
  if (path === null) return plain('other', 400, 'The path is malformed')
  switch (path) {
    case '/healthz':
      return health(init)
    case '/metrics':
      return {
        route: 'metrics',
        status: 200,
        headers: { 'Content-Type': init.metrics.contentType, 'Cache-Control': 'no-store' },
        body: await init.metrics.text(),
      }
    case '/.well-known/starling.json':
      return wellKnown(request, init)
    default:
      return page(request, path, init)
  }
}

/** The path without its query, percent-decoded once; `null` when it cannot be, or holds what no file name does. */
function decodedPath(url: string): string | null {
  if (!url.startsWith('/')) return null
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    return /[\x00-\x1f\x7f\\]/.test(path) ? null : path
  } catch {
    return null
  }
}

async function health(init: RequestsInit): Promise<Answer> {
  const ready = (await init.wellKnown(null)) !== null
  const headers = { ...PUBLIC_HEADERS, 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' }
  return { route: 'healthz', status: ready ? 200 : 503, headers, body: `${JSON.stringify({ ok: ready })}\n` }
}

async function wellKnown(request: IncomingMessage, init: RequestsInit): Promise<Answer> {
  const known = await init.wellKnown(endpointOf(request))
  if (known === null) return plain('well-known', 503, 'The relay is starting', { 'Retry-After': '1' })
  const headers = { ...PUBLIC_HEADERS, 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-cache', Vary: 'Host' }
  return { route: 'well-known', status: 200, headers, body: `${JSON.stringify(known)}\n` }
}

function page(request: IncomingMessage, path: string, init: RequestsInit): Answer {
  if (init.files === null) return plain('page', 404, 'This relay serves no page')
  const wantsPage = request.headers.accept?.includes('text/html') ?? false
  const endpoint = endpointOf(request)
  const needsTls = init.tls && endpoint !== null && !endpoint.tls && !isLoopback(endpoint.host)
  if (needsTls && wantsPage) {
    // A page from another machine is a secure context (keys, service worker, isolation) only over TLS.
    const location = `${endpointUrl({ ...endpoint, tls: true })}${(request.url ?? '/').slice(1)}`
    return plain('redirect', 307, `Continue at ${location}`, { Location: location })
  }
  const file = findPageFile(init.files, path, wantsPage)
  return file === null ? plain('page', 404, 'Not found') : fileAnswer(request, file)
}

function fileAnswer(request: IncomingMessage, file: PageFile): Answer {
  const encoding = encodingOf(request.headers['accept-encoding'] as string | undefined, file)
  const etag = encoding === null ? file.etag : file.etag.replace(/"$/, `-${encoding}"`)
  const headers: OutgoingHttpHeaders = {
    ...fileHeaders(file.path),
    'Cache-Control': cacheControl(file.path),
    ETag: etag,
    Vary: 'Accept-Encoding',
  }
  const route = file.path.startsWith('/assets/') ? 'asset' : 'page'
  const seen = request.headers['if-none-match']?.split(/\s*,\s*/) ?? []
  if (seen.includes(etag) || seen.includes(`W/${etag}`) || seen.includes('*'))
    return { route, status: 304, headers, body: '' }
  const body = encoding === 'br' ? file.brotli : encoding === 'gzip' ? file.gzip : file.bytes
  return {
    route,
    status: 200,
    headers: { ...headers, 'Content-Type': file.type, ...(encoding === null ? {} : { 'Content-Encoding': encoding }) },
    body: body ?? file.bytes,
  }
}
