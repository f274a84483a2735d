import { SANDBOX_WORKER_FILE, SANDBOX_WORKER_HEADERS } from '../workers/sandbox/csp.ts'

/**
 * What the page and its workers may do.
 *
 * - `'wasm-unsafe-eval'` compiles WebAssembly and nothing else; there is no inline script and no `eval`.
 * - `connect-src`: relays are other hosts (`ws:`, `wss:`), and `https:` is WebTransport and another relay's well-known file. WebRTC is not
 *   governed by it.
 * - `img-src blob: data:`: pictures assembled from results, and the QR code.
 */
export const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self' ws: wss: https:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Sent with everything. COOP and COEP isolate the page, which SharedArrayBuffer and precise timers need. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': PAGE_CSP,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** For what pages of other origins may read: where this relay is, and whether it is well. */
export const PUBLIC_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/** The headers of one file of the page: the sandbox worker has its own, stricter ones. */
export function fileHeaders(path: string): Readonly<Record<string, string>> {
  return SANDBOX_WORKER_FILE.test(path) ? { ...COMMON_HEADERS, ...SANDBOX_WORKER_HEADERS } : COMMON_HEADERS
}

/** Names with a hash never change, so they are kept for a year; everything else is asked for again each time. */
export function cacheControl(path: string): string {
  return /^\/assets\/.+-[\w-]{8,}\.\w+$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
}
