import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SANDBOX_WORKER_CSP } from '../workers/sandbox/csp.ts'
import { PAGE_CSP } from './headers.ts'
import { HEADER_BYTES_MAX, URL_LENGTH_MAX } from './limits.ts'
import { type Relay, startRelay } from './relay.ts'

const SCRIPT = 'export const answer = 42\n'.repeat(200)
const dir = mkdtempSync(join(tmpdir(), 'starling-relay-'))
const distDir = join(dir, 'dist')
let relay: Relay

interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** A request exactly as given: fetch would tidy paths and headers. */
function ask(
  path: string,
  options: { headers?: Record<string, string>; method?: string; port?: number } = {},
): Promise<Reply> {
  const { headers = {}, method = 'GET', port = relay.port } = options
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

/** Sends raw bytes and collects what comes until the relay closes. */
function raw(bytes: string | Buffer, port = relay.port): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    socket.on('error', reject)
  })
}

function start(more: Partial<Parameters<typeof startRelay>[0]> = {}): Promise<Relay> {
  return startRelay({ host: '127.0.0.1', port: 0, dataDir: null, distDir, ...more })
}

beforeAll(async () => {
  mkdirSync(join(distDir, 'assets'), { recursive: true })
  writeFileSync(join(distDir, 'index.html'), '<!doctype html><title>Starling</title>')
  writeFileSync(join(distDir, 'sw.js'), 'self.skipWaiting')
  writeFileSync(join(distDir, 'manifest.webmanifest'), '{}')
  writeFileSync(join(distDir, '.inputs'), 'hidden')
  writeFileSync(join(dir, 'secret.txt'), 'secret')
  for (const name of ['index-Abc12345.js', 'sandbox-worker-Abc12345.js']) {
    writeFileSync(join(distDir, 'assets', name), SCRIPT)
    writeFileSync(join(distDir, 'assets', `${name}.br`), brotliCompressSync(SCRIPT))
    writeFileSync(join(distDir, 'assets', `${name}.gz`), gzipSync(SCRIPT))
  }
  relay = await start({ name: 'the test room' })
})

afterAll(async () => {
  await relay.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('the page', () => {
  it('comes with every security header, also with errors and with 304', async () => {
    const page = await ask('/')
    const unchanged = await ask('/', { headers: { 'If-None-Match': page.headers.etag ?? '' } })
    const missing = await ask('/assets/none.js')
    const refused = await ask('/', { method: 'POST' })
    expect([page.status, unchanged.status, missing.status, refused.status]).toEqual([200, 304, 404, 405])
    for (const { headers } of [page, unchanged, missing, refused]) {
      expect(headers).toMatchObject({
        'content-security-policy': PAGE_CSP,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      })
    }
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(unchanged.body.length).toBe(0)
    expect(refused.headers.allow).toBe('GET, HEAD')
  })

  it('allows no inline script, no eval and no frame', () => {
    const directives = new Map(PAGE_CSP.split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1)]))
    expect(directives.get('default-src')).toEqual(["'none'"])
    expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"])
    expect(directives.get('style-src')).toEqual(["'self'"])
    expect(directives.get('frame-ancestors')).toEqual(["'none'"])
    expect(PAGE_CSP).not.toMatch(/unsafe-inline|'unsafe-eval'|\*/)
  })

  it('serves the sandbox worker under its own policy', async () => {
    const worker = await ask('/assets/sandbox-worker-Abc12345.js')
    expect(worker.headers['content-security-policy']).toBe(SANDBOX_WORKER_CSP)
    expect(worker.headers['cross-origin-embedder-policy']).toBe('require-corp')
  })

  it('keeps hashed files for ever and asks again for the others', async () => {
    expect((await ask('/assets/index-Abc12345.js')).headers['cache-control']).toBe(
      'public, max-age=31536000, immutable',
    )
    for (const path of ['/', '/index.html', '/sw.js', '/manifest.webmanifest']) {
      expect((await ask(path)).headers['cache-control'], path).toBe('no-cache')
    }
    expect((await ask('/manifest.webmanifest')).headers['content-type']).toContain('application/manifest+json')
  })

  it('is compressed as the client takes it, each encoding with its own tag', async () => {
    const asked = async (accepted: string) =>
      await ask('/assets/index-Abc12345.js', { headers: { 'Accept-Encoding': accepted } })
    const [br, gz, none, refusedBr] = await Promise.all([
      asked('gzip, deflate, br'),
      asked('gzip'),
      asked('identity'),
      asked('br;q=0, gzip'),
    ])
    expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT)
    expect(gunzipSync(gz.body).toString()).toBe(SCRIPT)
    expect(none.body.toString()).toBe(SCRIPT)
    expect([br, gz, none, refusedBr].map(({ headers }) => headers['content-encoding'])).toEqual([
      'br',
      'gzip',
      undefined,
      'gzip',
    ])
    expect(new Set([br, gz, none].map(({ headers }) => headers.etag)).size).toBe(3)
    expect(br.headers.vary).toBe('Accept-Encoding')
    const unchanged = await ask('/assets/index-Abc12345.js', {
      headers: { 'Accept-Encoding': 'br', 'If-None-Match': `"other", ${br.headers.etag}` },
    })
    expect(unchanged.status).toBe(304)
  })

  it('gives views of the application the page, and nothing else', async () => {
    const browser = { Accept: 'text/html,application/xhtml+xml' }
    expect((await ask('/jobs/abc?x=1', { headers: browser })).body.toString()).toContain('<title>Starling')
    expect((await ask('/jobs/abc')).status).toBe(404)
    expect((await ask('/assets/gone-Abc12345.js', { headers: browser })).status).toBe(404)
    expect((await ask('/assets/gone', { headers: browser })).status).toBe(404)
    expect((await ask('/.inputs', { headers: browser })).status).toBe(404)
  })

  it('answers HEAD without a body', async () => {
    const head = await ask('/assets/index-Abc12345.js', { method: 'HEAD' })
    expect(head.headers['content-length']).toBe(String(SCRIPT.length))
    expect(head.body.length).toBe(0)
  })

  it('ignores ranges', async () => {
    const ranged = await ask('/assets/index-Abc12345.js', { headers: { Range: 'bytes=5-2' } })
    expect([ranged.status, ranged.body.length]).toEqual([200, SCRIPT.length])
  })
})

describe('hostile requests', () => {
  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/%2e%2e%2f%2e%2e%2fetc/passwd',
    '//etc/passwd',
    '/assets/%00index-Abc12345.js',
    '/%',
    '/%c0%ae%c0%ae/secret.txt',
    '/.inputs',
    '/%2einputs',
    '/assets/index-Abc12345.js.br',
  ])('%s leads nowhere', async (path) => {
    const { status, body } = await ask(path)
    expect([400, 404]).toContain(status)
    expect(body.toString()).not.toContain('secret')
  })

  it('refuses a path over the limit and takes one at it', async () => {
    const at = `/${'a'.repeat(URL_LENGTH_MAX - 1)}`
    expect((await ask(at)).status).toBe(404)
    expect((await ask(`${at}a`)).status).toBe(414)
  })

  it('refuses headers over the limit', async () => {
    const reply = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(HEADER_BYTES_MAX)}\r\n\r\n`)
    expect(reply).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('refuses what is no HTTP, and an absolute or bare target', async () => {
    expect(await raw('\0\0\0\0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await raw('GET http://evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    )
    expect(await raw('CONNECT evil.example:80 HTTP/1.1\r\nHost: x\r\n\r\n')).not.toMatch(/^HTTP\/1\.1 2/)
  })

  it('never reads a body: the connection ends with the answer', async () => {
    const smuggled = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    const reply = await raw(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`)
    expect(reply).toMatch(/^HTTP\/1\.1 405 /)
    expect(reply.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(reply).toContain('Connection: close')
  })

  it('closes a client that sends its headers too slowly', async () => {
    const impatient = await start({ timeouts: { headersMs: 200, checkIntervalMs: 50 } })
    try {
      expect(await raw('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', impatient.port)).toMatch(/^HTTP\/1\.1 4\d\d |^$/)
    } finally {
      await impatient.stop()
    }
  })

  it('puts no Host header into addresses unless it is a host', async () => {
    const known = async (host: string) =>
      JSON.parse((await ask('/.well-known/starling.json', { headers: { Host: host } })).body.toString())
    for (const host of ['a/b', 'a b', 'x@y', '999.1.2.3', 'a..b', 'x:0', 'x:70000', '[::1', 'x\'"<>']) {
      for (const address of (await known(host)).multiaddrs) {
        expect(address, host).toMatch(/^\/(ip4|ip6|dns)\/[\w.:-]+\/(tcp|udp)\/\d+\//)
        expect(address.startsWith('/ip4/127.0.0.1/'), `${host}: ${address}`).toBe(true)
      }
    }
  })
})

describe('/.well-known/starling.json', () => {
  it('names the network and the address at which it was asked for, readable from everywhere', async () => {
    const { headers, body } = await ask('/.well-known/starling.json', { headers: { Host: `localhost:${relay.port}` } })
    const known = JSON.parse(body.toString())
    expect(known).toMatchObject({
      networkId: relay.networkId,
      name: 'the test room',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    })
    expect(known.multiaddrs[0]).toBe(`/ip4/127.0.0.1/tcp/${relay.port}/ws/p2p/${relay.peerId}`)
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers['cross-origin-resource-policy']).toBe('cross-origin')
    expect(headers['cache-control']).toBe('no-cache')
  })

  it('names the public address behind a proxy', async () => {
    const proxied = await start({ publicUrl: 'https://relay.example/' })
    try {
      const { body } = await ask('/.well-known/starling.json', { port: proxied.port })
      expect(JSON.parse(body.toString()).multiaddrs[0]).toBe(`/dns/relay.example/tcp/443/tls/ws/p2p/${proxied.peerId}`)
      expect(proxied.urls[0]).toBe('https://relay.example/')
    } finally {
      await proxied.stop()
    }
  })
})

describe('operation', () => {
  it('says that it is well, and counts', async () => {
    expect(JSON.parse((await ask('/healthz')).body.toString())).toEqual({ ok: true })
    const { headers, body } = await ask('/metrics')
    expect(headers['content-type']).toContain('version=0.0.4')
    const text = body.toString()
    expect(text).toMatch(/^relay_http_requests_total\{route="healthz",status="200"\} [1-9]/m)
    for (const name of [
      'relay_http_request_duration_seconds_count',
      'relay_reservations',
      'relay_connections',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toMatch(new RegExp(`^${name}[ {]`, 'm'))
    }
    // The format allows each family's type once.
    const types = text.match(/^# TYPE \S+/gm) ?? []
    expect(new Set(types).size).toBe(types.length)
  })

  it('moves to the next port when the wanted one is taken, and says which', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    const moved = await start({ port })
    try {
      expect(moved.port).toBeGreaterThan(port)
      expect(moved.urls).toEqual([`http://127.0.0.1:${moved.port}/`])
      expect((await ask('/healthz', { port: moved.port })).status).toBe(200)
    } finally {
      await moved.stop()
      taken.close()
    }
  })

  it('names the host it cannot listen on', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({ name: 'ListenError' })
  })

  it('does not start without a page that was promised', async () => {
    await expect(start({ distDir: dir })).rejects.toThrow(/No index\.html in .*npm run build/)
  })

  it('keeps its identity in a file that only its owner may read', async () => {
    const dataDir = join(dir, 'data')
    const first = await start({ dataDir })
    await first.stop()
    const second = await start({ dataDir })
    await second.stop()
    expect(second.peerId).toBe(first.peerId)
    expect(statSync(join(dataDir, 'relay-key')).mode & 0o777).toBe(0o600)
  })

  it('stops although clients hold their connections open', async () => {
    const stopping = await start()
    const idle = connect(stopping.port, '127.0.0.1')
    const webSocket = new WebSocket(`ws://127.0.0.1:${stopping.port}/`)
    await new Promise((resolve) => webSocket.addEventListener('open', resolve))
    const closed = Promise.all([
      new Promise((resolve) => idle.once('close', resolve)),
      new Promise((resolve) => webSocket.addEventListener('close', resolve)),
    ])
    const started = performance.now()
    await stopping.stop()
    await closed
    expect(performance.now() - started).toBeLessThan(10_000)
    await expect(ask('/healthz', { port: stopping.port })).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('WebSockets', () => {
  it('reach the libp2p host on the port of the page', async () => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${relay.port}/`)
    webSocket.binaryType = 'arraybuffer'
    let heard = ''
    // libp2p opens with multistream-select; a web server would have nothing to say.
    await new Promise<void>((resolve, reject) => {
      webSocket.addEventListener('open', () => webSocket.send(Buffer.from('\x13/multistream/1.0.0\n', 'latin1')))
      webSocket.addEventListener('message', ({ data }) => {
        heard += Buffer.from(data as ArrayBuffer).toString('latin1')
        if (heard.includes('\n')) resolve()
      })
      webSocket.addEventListener('close', () => reject(new Error(`Closed after ${heard}`)))
    })
    expect(heard).toContain('/multistream/1.0.0')
    expect((await ask('/metrics')).body.toString()).toMatch(/^relay_websocket_connections 1$/m)
    webSocket.close()
  })

  it('are refused elsewhere, and other upgrades everywhere', async () => {
    const upgrade = (path: string, protocol: string) =>
      raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
    expect(await upgrade('/assets/', 'websocket')).toMatch(/^HTTP\/1\.1 404 /)
    expect(await upgrade('/', 'h2c')).toMatch(/^HTTP\/1\.1 404 /)
  })
})

describe('TLS on the same port', () => {
  const dataDir = join(dir, 'tls')
  let secure: Relay
  beforeAll(async () => {
    // 0.0.0.0 is what makes it speak TLS; the test still only uses loopback.
    secure = await start({ host: '0.0.0.0', dataDir })
  })
  afterAll(async () => await secure.stop())

  /** One HTTPS request, trusting exactly the relay's own certificate. */
  function askTls(path: string): Promise<string> {
    const ca = readFileSync(join(dataDir, 'tls-cert.pem'))
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = tlsConnect({ port: secure.port, host: '127.0.0.1', ca }, () => {
        expect(socket.getPeerCertificate().fingerprint256).toBe(secure.tls?.fingerprint)
        socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${secure.port}\r\nConnection: close\r\n\r\n`)
      })
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.on('end', () => resolve(Buffer.concat(chunks).toString()))
      socket.on('error', reject)
    })
  }

  it('answers both, with a certificate that names its addresses', async () => {
    expect(await askTls('/healthz')).toMatch(/^HTTP\/1\.1 200 /)
    expect((await ask('/healthz', { port: secure.port })).status).toBe(200)
    expect(statSync(join(dataDir, 'tls-key.pem')).mode & 0o777).toBe(0o600)
    expect(secure.tls?.selfSigned).toBe(true)
  })

  it('tells a page that came over TLS a secure address, and one on this machine a plain one', async () => {
    expect(await askTls('/.well-known/starling.json')).toContain(
      `/ip4/127.0.0.1/tcp/${secure.port}/tls/ws/p2p/${secure.peerId}`,
    )
    const { body } = await ask('/.well-known/starling.json', { port: secure.port })
    expect(JSON.parse(body.toString()).multiaddrs[0]).toBe(`/ip4/127.0.0.1/tcp/${secure.port}/ws/p2p/${secure.peerId}`)
  })

  it('sends pages for other machines to TLS, this machine not, and no loopback address to others', async () => {
    const other = { Host: `192.0.2.7:${secure.port}`, Accept: 'text/html' }
    const redirect = await ask('/jobs?x=1', { port: secure.port, headers: other })
    expect([redirect.status, redirect.headers.location]).toEqual([307, `https://192.0.2.7:${secure.port}/jobs?x=1`])
    const local = await ask('/', {
      port: secure.port,
      headers: { Host: `localhost:${secure.port}`, Accept: 'text/html' },
    })
    expect(local.status).toBe(200)
    const known = await ask('/.well-known/starling.json', { port: secure.port, headers: other })
    expect(known.body.toString()).not.toContain('127.0.0.1')
    // A path that begins like a host must not choose where the redirect goes.
    const tricked = await ask('//evil.example/x', { port: secure.port, headers: other })
    expect(tricked.headers.location ?? '').not.toMatch(/^(https?:)?\/\/evil/)
  })

  it('closes a connection that never says anything', async () => {
    const quiet = await start({ host: '0.0.0.0', dataDir, timeouts: { firstByteMs: 100 } })
    try {
      expect(await raw('', quiet.port)).toBe('')
    } finally {
      await quiet.stop()
    }
  })

  it('keeps its certificate from one start to the next', async () => {
    const again = await start({ host: '0.0.0.0', dataDir })
    await again.stop()
    expect(again.tls?.fingerprint).toBe(secure.tls?.fingerprint)
  })
})
