import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Where a client reached this relay, or could. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?$/i

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name)
  )
}

/**
 * Reads a Host header; `null` when it is not a host and an optional port. What it returns ends up in addresses that peers dial, so
 * nothing else may pass.
 */
export function parseHost(header: string | undefined, tls: boolean): Endpoint | null {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/@]+)(?::(\d{1,5}))?$/i.exec(header ?? '')
  if (match === null) return null
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '').toLowerCase()
  const port = match[2] === undefined ? (tls ? 443 : 80) : Number(match[2])
  if (port < 1 || port > 65_535) return null
  const valid = isIP(host) !== 0 || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host))
  return valid ? { host, port, tls } : null
}

/** The WebSocket address of an endpoint as a multiaddr: `/ip4/127.0.0.1/tcp/4000/ws`, `/dns/relay.example/tcp/443/tls/ws`. */
export function webSocketMultiaddr({ host, port, tls }: Endpoint): string {
  // Plain loopback has one spelling, so that peers that came by different names know the same address.
  const plain = !tls && isLoopback(host)
  const kind = plain ? 'ip4' : isIP(host) === 4 ? 'ip4' : isIP(host) === 6 ? 'ip6' : 'dns'
  return `/${kind}/${plain ? '127.0.0.1' : host}/tcp/${port}${tls ? '/tls' : ''}/ws`
}

export function endpointUrl({ host, port, tls }: Endpoint): string {
  const name = isIP(host) === 6 ? `[${host}]` : host
  const suffix = port === (tls ? 443 : 80) ? '' : `:${port}`
  return `${tls ? 'https' : 'http'}://${name}${suffix}/`
}

/** Addresses of this machine that others on its networks can reach; IPv4 first, because people read them aloud. */
export function lanAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const usable = all.filter((entry) => !entry.internal && !entry.address.startsWith('fe80:'))
  return [
    ...usable.filter((entry) => entry.family === 'IPv4'),
    ...usable.filter((entry) => entry.family !== 'IPv4'),
  ].map((entry) => entry.address)
}

/**
 * Every endpoint of a relay that listens on `host`: this machine's own first. Other machines get TLS when there is a certificate, because a
 * page without it is no secure context there.
 */
export function endpointsOf(host: string, port: number, tls: boolean): Endpoint[] {
  if (isLoopback(host)) return [{ host: host === 'localhost' ? 'localhost' : host, port, tls: false }]
  if (host !== '0.0.0.0' && host !== '::') return [{ host, port, tls }]
  const reachable = lanAddresses().filter((address) => host === '::' || isIP(address) === 4)
  return [{ host: 'localhost', port, tls: false }, ...reachable.map((address) => ({ host: address, port, tls }))]
}
