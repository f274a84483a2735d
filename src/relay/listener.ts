import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { ListenError } from './errors.ts'
import {
  CONNECTIONS_MAX,
  FIRST_BYTE_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  PORT_TRIES_MAX,
  REQUEST_TIMEOUT_MS,
  STOP_GRACE_MS,
  TIMEOUT_CHECK_INTERVAL_MS,
  TLS_HANDSHAKE_TIMEOUT_MS,
} from './limits.ts'

/** The first byte of a TLS handshake record (RFC 8446, 5.1); no HTTP method starts with it. */
const TLS_HANDSHAKE_BYTE = 0x16

export interface ListenerInit {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void
  /** Makes the relay answer TLS too, on the same port. */
  readonly tls: { readonly key: string; readonly cert: string } | null
  /** For tests. */
  readonly timeouts?: { readonly firstByteMs?: number; readonly headersMs?: number; readonly checkIntervalMs?: number }
}

/** One port that speaks HTTP and, when it has a certificate, TLS: the first byte of each connection decides. */
export class Listener {
  readonly #server: Server
  readonly #tls: TlsServer | null
  readonly #sockets = new Set<Socket>()
  readonly #firstByteTimeoutMs: number

  constructor(init: ListenerInit) {
    const headersTimeout = init.timeouts?.headersMs ?? HEADERS_TIMEOUT_MS
    this.#firstByteTimeoutMs = init.timeouts?.firstByteMs ?? FIRST_BYTE_TIMEOUT_MS
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout,
        requestTimeout: Math.max(headersTimeout, REQUEST_TIMEOUT_MS),
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: init.timeouts?.checkIntervalMs ?? TIMEOUT_CHECK_INTERVAL_MS,
      },
      init.onRequest,
    )
    this.#server.maxConnections = CONNECTIONS_MAX
    this.#server.on('upgrade', init.onUpgrade)
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (!socket.writable) return void socket.destroy()
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
    })
    // The HTTP server keeps its own connection handler; ours runs before it and chooses.
    const [serveHttp] = this.#server.listeners('connection') as ((socket: Socket) => void)[]
    this.#server.removeAllListeners('connection')
    const toHttp = (socket: Socket): void => serveHttp?.call(this.#server, socket)
    this.#tls =
      init.tls &&
      createTlsServer({ ...init.tls, ALPNProtocols: ['http/1.1'], handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS }, toHttp)
    this.#tls?.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#server.on('connection', (socket: Socket) => this.#accept(socket, toHttp))
  }

  /**
   * Listens on the first free port from `port` on.
   *
   * @throws {@link ListenError} When none of the next {@link PORT_TRIES_MAX} is free, or the host is not this machine's.
   */
  async listen(host: string, port: number): Promise<number> {
    for (let tried = 0; ; tried++) {
      try {
        await this.#listenOn(host, port === 0 ? 0 : port + tried)
        return (this.#server.address() as AddressInfo).port
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        const mayMove = code === 'EADDRINUSE' && port !== 0 && port + tried < 65_535
        if (mayMove && tried + 1 < PORT_TRIES_MAX) continue
        throw new ListenError(`Cannot listen on ${host}, port ${port + tried}: ${code ?? error}`, {
          field: 'port',
          value: port + tried,
        })
      }
    }
  }

  /** Open connections, of pages and WebSockets. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Takes no new connections, lets requests finish, then ends what is left. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, STOP_GRACE_MS)
    await closed
    clearTimeout(timer)
  }

  #listenOn(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  #accept(socket: Socket, toHttp: (socket: Socket) => void): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    // Without a listener a reset by the other side would be an uncaught exception.
    socket.on('error', () => socket.destroy())
    if (this.#tls === null) return toHttp(socket)
    const timer = setTimeout(() => socket.destroy(), this.#firstByteTimeoutMs)
    socket.once('close', () => clearTimeout(timer))
    socket.once('readable', () => {
      clearTimeout(timer)
      const first: Buffer | null = socket.read(1)
      if (first === null) return void socket.destroy()
      socket.unshift(first)
      if (first[0] === TLS_HANDSHAKE_BYTE) this.#tls?.emit('connection', socket)
      else toHttp(socket)
    })
  }
}
