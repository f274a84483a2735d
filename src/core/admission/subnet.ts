/** Groups of hexadecimal digits of an IPv6 address that name a /48. */
const IPV6_SUBNET_GROUPS = 3

/**
 * The subnet that an address counts under: its /24 (IPv4) or /48 (IPv6). An IPv4 address inside IPv6 counts as IPv4.
 *
 * @returns `null` For what is no address, such as a host name that hides one (mDNS).
 */
export function subnetOf(address: string): string | null {
  const ipv4 = parseIpv4(address)
  if (ipv4 !== null) return `${ipv4.slice(0, 3).join('.')}.0/24`
  const groups = parseIpv6(address)
  if (groups === null) return null
  const mapped = mappedIpv4(groups)
  if (mapped !== null) return `${mapped.slice(0, 3).join('.')}.0/24`
  return `${groups
    .slice(0, IPV6_SUBNET_GROUPS)
    .map((group) => group.toString(16))
    .join(':')}::/48`
}

/** A name of the local network only (RFC 6762): what browsers show instead of an address there. */
const MDNS = /^[^.]+\.local$/

/**
 * Whether an address is loopback, link-local, private (RFC 1918, RFC 4193) or shared by a carrier's customers (RFC 6598): one that
 * says nothing of who is behind it to anybody outside.
 */
export function isPrivateAddress(address: string): boolean {
  if (MDNS.test(address)) return true
  const groups = parseIpv6(address)
  const [a = 256, b = 256] = parseIpv4(address) ?? (groups && mappedIpv4(groups)) ?? []
  if (a <= 255) {
    if (a === 10 || a === 127 || a === 0) return true
    if (a === 172) return b >= 16 && b <= 31
    if (a === 192) return b === 168
    if (a === 169) return b === 254
    return a === 100 && b >= 64 && b <= 127
  }
  if (groups === null) return false
  const [first = 0] = groups
  const loopback = groups.slice(0, 7).every((group) => group === 0) && (groups[7] ?? 0) <= 1
  return loopback || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80
}

function parseIpv4(text: string): number[] | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return null
  const bytes = match.slice(1).map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : null
}

/** Eight groups, or `null`. Takes brackets and a zone, as URLs and interfaces write them. */
function parseIpv6(text: string): number[] | null {
  let plain = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const tail = /:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1]
  if (tail !== undefined) {
    const bytes = parseIpv4(tail)
    if (bytes === null) return null
    const [a = 0, b = 0, c = 0, d = 0] = bytes
    plain = `${plain.slice(0, -tail.length)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  }
  const halves = plain.split('::')
  if (halves.length > 2 || !plain.includes(':')) return null
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - rest.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...rest]
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null
  return all.map((group) => Number.parseInt(group, 16))
}

/** ::ffff:0:0/96, RFC 4291 section 2.5.5.2. */
function mappedIpv4(groups: readonly number[]): number[] | null {
  if (!groups.slice(0, 5).every((group) => group === 0) || groups[5] !== 0xffff) return null
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255]
}
