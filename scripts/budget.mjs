// Holds the size of what a visitor loads: the entry (all a first paint needs) and each worker, gzip, as stated in docs/LIMITS.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { inRoot } from './lib/root.mjs'

const KIB = 1024

/**
 * Budgets in KiB after gzip. The entry is every script and style index.html loads before anything is asked for; a worker's line is its whole
 * bundle. Each was set about a tenth above what it measured when it was last looked at: growth is a decision, not an accident.
 */
export const BUDGETS = [
  { name: 'entry scripts', kib: 150, files: 'entry-scripts' },
  { name: 'entry styles', kib: 20, files: 'entry-styles' },
  { name: 'node worker', kib: 330, files: /^node-worker-[-\w]+\.js$/ },
  // What the node worker loads next: the relay's table of peers, and what both need.
  { name: 'node worker, later', kib: 97, files: /^(dht|hmac)-[-\w]+\.js$/ },
  { name: 'sandbox worker', kib: 60, files: /^sandbox-worker-[-\w]+\.js$/ },
  // Loaded to be admitted to an open network.
  { name: 'pow worker', kib: 2, files: /^pow-worker-[-\w]+\.js$/, lazy: true },
  // Loaded when somebody trains. The kernels' line is jax-js with its WebGPU part.
  { name: 'training worker', kib: 24, files: /^training-worker-[-\w]+\.js$/, lazy: true },
  { name: 'aggregation worker', kib: 18, files: /^aggregation-worker-[-\w]+\.js$/, lazy: true },
  // Loaded when a task's sums are secret, and when it asks for proofs.
  { name: 'secret sums', kib: 12, files: /^round-sum-[-\w]+\.js$/, lazy: true },
  { name: 'proofs kernel', kib: 25, files: /^ristretto-[-\w]+\.wasm$/, lazy: true },
  { name: 'proofs worker', kib: 17, files: /^proofs-worker-[-\w]+\.js$/, lazy: true },
  { name: 'lab worker', kib: 16, files: /^lab-worker-[-\w]+\.js$/, lazy: true },
  { name: 'training kernels', kib: 105, files: /^(jax-engine|webgpu)-[-\w]+\.js$/, lazy: true },
]

/** @param {string} html @param {'entry-scripts' | 'entry-styles'} kind */
function entryFiles(html, kind) {
  const tags =
    kind === 'entry-scripts'
      ? /<(?:script|link rel="modulepreload")[^>]*(?:src|href)="\/?([^"]+\.js)"/g
      : /<link[^>]*href="\/?([^"]+\.css)"/g
  return [...html.matchAll(tags)].map((match) => match[1] ?? '')
}

/** @param {string} dist @returns {{ name: string, bytes: number, budgetBytes: number, files: string[], lazy: boolean }[]} */
export function measure(dist) {
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  const assets = existsSync(join(dist, 'assets')) ? readdirSync(join(dist, 'assets')) : []
  return BUDGETS.map(({ name, kib, files, lazy = false }) => {
    const paths =
      typeof files === 'string'
        ? entryFiles(html, /** @type {any} */ (files))
        : assets.filter((file) => files.test(file)).map((file) => `assets/${file}`)
    const bytes = paths.reduce((sum, path) => sum + gzipSync(readFileSync(join(dist, path)), { level: 9 }).length, 0)
    return { name, bytes, budgetBytes: kib * KIB, files: paths, lazy }
  })
}

if (process.argv[1] && import.meta.url.endsWith('/budget.mjs') && process.argv[1].endsWith('budget.mjs')) {
  let over = 0
  for (const line of measure(inRoot('dist'))) {
    const missing = line.files.length === 0
    const verdict = missing ? 'no such file in dist/' : line.bytes > line.budgetBytes ? 'OVER' : 'ok'
    // A page that nobody can train in has no training worker; every other line is of every build.
    if (verdict !== 'ok' && !(missing && line.lazy)) over++
    console.log(
      `budget ${line.name.padEnd(18)} ${(line.bytes / KIB).toFixed(1).padStart(7)} of ${String(line.budgetBytes / KIB).padStart(4)} KiB gzip  ${verdict}`,
    )
  }
  process.exitCode = over === 0 ? 0 : 1
}
