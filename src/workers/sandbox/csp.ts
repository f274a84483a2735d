/**
 * Headers the sandbox worker's script must be served with. A dedicated worker fetched over the network is governed by the
 * policy of its own response (CSP Level 3, §4.2 "Integration with HTML": workers), so this holds even if the page's is looser.
 *
 * - `default-src 'none'`: no connection of any kind, no worker below this one, no import of another script.
 * - `script-src 'wasm-unsafe-eval'`: WebAssembly may be compiled; `eval` and `Function` may not. The worker's bundle must be one file.
 * - COEP and CORP: without them a page that is cross-origin isolated cannot start the worker at all.
 */
export const SANDBOX_WORKER_CSP = [
  "default-src 'none'",
  "script-src 'wasm-unsafe-eval'",
  "connect-src 'none'",
  "worker-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The response headers of the sandbox worker's script. */
export const SANDBOX_WORKER_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': SANDBOX_WORKER_CSP,
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** How the server knows the file: the build names the worker's bundle so. */
export const SANDBOX_WORKER_FILE = /(^|\/)sandbox-worker[-.\w]*\.js$/
