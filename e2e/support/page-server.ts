import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileHeaders } from '../../src/relay/headers.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
}

export interface PageServer {
  readonly url: string
  stop(): Promise<void>
}

/** Serves a built page on loopback with the relay's own headers, for pages that need no relay. */
export async function servePage(dist: string, port = 0): Promise<PageServer> {
  const server: Server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const wanted = join(dist, path)
    const found = existsSync(wanted) && statSync(wanted).isFile()
    if (!found && extname(path) !== '') {
      response.writeHead(404).end()
      return
    }
    const file = found ? wanted : join(dist, 'index.html')
    response.writeHead(200, {
      ...fileHeaders(file.slice(dist.length)),
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  // An HTTP server's address is never a pipe's name here.
  const { port: taken } = server.address() as AddressInfo
  return {
    url: `http://localhost:${taken}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
