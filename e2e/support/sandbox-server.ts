import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { SANDBOX_WORKER_HEADERS } from '../../src/workers/sandbox/csp.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const PAGE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store',
}

/** A loopback server of one page, of the sandbox worker under the policy it has in production, and of what the page fetches. */
export interface SandboxServer {
  readonly origin: string
  set(path: string, body: string | Uint8Array): void
  /** The next body that is posted to `/result`. */
  result(timeoutMs: number): Promise<unknown>
  close(): Promise<void>
}

/**
 * @param entries - Bundles by the path they are served at, each an entry below the repository. Those whose path begins with
 *   `/sandbox-worker` get the sandbox worker's headers.
 * @param headers - Sent with everything, such as a policy.
 */
export async function serveSandboxPage(
  entries: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<SandboxServer> {
  const documents = new Map<string, string | Uint8Array>()
  for (const [path, entry] of Object.entries(entries)) documents.set(path, await bundle(entry))
  documents.set(
    '/',
    '<!doctype html><meta charset="utf-8"><title>sandbox</title><script type="module" src="/page.js"></script>',
  )
  let deliver: (result: unknown) => void = () => {}
  const http = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (path === '/result') {
      void readBody(request).then((body) => deliver(JSON.parse(body)))
      response.writeHead(204).end()
      return
    }
    const body = documents.get(path)
    const own = { ...PAGE_HEADERS, ...headers }
    const sent = path.startsWith('/sandbox-worker') ? { ...own, ...SANDBOX_WORKER_HEADERS } : own
    if (body === undefined) response.writeHead(404, sent).end()
    else response.writeHead(200, { ...sent, 'Content-Type': typeOf(path, body) }).end(body)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    set: (path, body) => documents.set(path, body),
    result: (timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`No result within ${timeoutMs} ms`)), timeoutMs)
        deliver = (result) => {
          clearTimeout(timer)
          resolve(result)
        }
      }),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
}

async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [`${ROOT}${entry}`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    minify: true,
    logLevel: 'error',
  })
  // One entry without an output folder gives one file.
  return result.outputFiles[0]?.text ?? ''
}

function typeOf(path: string, body: string | Uint8Array): string {
  if (path.endsWith('.js')) return 'text/javascript'
  if (path.endsWith('.json')) return 'application/json'
  return typeof body === 'string' ? 'text/html' : 'application/wasm'
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
