import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const PAGES = fileURLToPath(new URL('../pages/', import.meta.url))
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }

/** The same isolation headers as the relay sends with the application. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store',
}

/** A loopback server of the test pages, which are independent of the application's interface. */
export interface PageServer {
  readonly origin: string
  readonly http: Server
  /** Adds a document, such as `/.well-known/starling.json`. */
  set(path: string, body: string): void
  close(): Promise<void>
}

/** Bundles entries of `e2e/pages` as a browser would get them: `name.ts` becomes `/name.js`. */
async function bundle(entries: readonly string[]): Promise<Map<string, string>> {
  const result = await build({
    entryPoints: entries.map((entry) => `${PAGES}${entry}.ts`),
    outdir: PAGES,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    logLevel: 'error',
  })
  return new Map(result.outputFiles.map((file) => [`/${file.path.slice(PAGES.length)}`, file.text]))
}

/** Serves `/<entry>.js`, and `/<entry>.html` around it. */
export async function servePages(entries: readonly string[], port = 0): Promise<PageServer> {
  const documents = await bundle(entries)
  for (const entry of entries) {
    documents.set(
      `/${entry}.html`,
      `<!doctype html><meta charset="utf-8"><title>${entry}</title><script type="module" src="/${entry}.js"></script>`,
    )
  }
  const http = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const body = documents.get(path)
    if (body === undefined) response.writeHead(404, HEADERS).end()
    else response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(path)] ?? 'application/json' }).end(body)
  })
  // Upgraded sockets are not the server's any more: it would wait for them for ever.
  const sockets = new Set<Socket>()
  http.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    http,
    set: (path, body) => documents.set(path, body),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
