import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { say, seconds } from './log.mjs'
import { modernNode } from './modern-node.mjs'
import { inRoot } from './root.mjs'
import { run } from './run.mjs'

/** What the page is made of; a change anywhere in it asks for a new build. */
const INPUTS = [
  'index.html',
  'vite.config.ts',
  'package.json',
  'package-lock.json',
  'public',
  'src',
  'examples',
  'patches',
]
const TESTS = /\.(test|e2e)\.tsx?$|\.node\.ts$/
const BUILD_TIMEOUT_MS = 10 * 60_000

/** Text and WebAssembly shrink; pictures and fonts are compressed already. */
const COMPRESSIBLE = /\.(html|js|mjs|css|json|svg|wasm|webmanifest|map|txt)$/
/** Below a packet or so compression saves nothing. */
const COMPRESS_BYTES_MIN = 1024

/** @param {string} folder @returns {string[]} Paths of all files below, sorted. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]))
}

/** SHA-256 over the names and contents of everything the page is built from. */
export function inputsHash() {
  const hash = createHash('sha256')
  for (const input of INPUTS.map((name) => inRoot(name)).filter((path) => existsSync(path))) {
    for (const file of statSync(input).isDirectory() ? filesBelow(input) : [input]) {
      if (TESTS.test(file)) continue
      hash
        .update(file.slice(inRoot('').length))
        .update('\0')
        .update(readFileSync(file))
        .update('\0')
    }
  }
  return hash.digest('hex')
}

/** @param {string} dist Writes a `.br` and a `.gz` beside every file worth it, so that the relay never compresses. */
export async function precompress(dist) {
  const brotli = promisify(brotliCompress)
  const deflate = promisify(gzip)
  let count = 0
  for (const file of filesBelow(dist)) {
    const bytes = readFileSync(file)
    if (!COMPRESSIBLE.test(file) || bytes.length < COMPRESS_BYTES_MIN) continue
    const params = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
    const [br, gz] = await Promise.all([brotli(bytes, { params }), deflate(bytes, { level: 9 })])
    if (br.length < bytes.length) writeFileSync(`${file}.br`, br)
    if (gz.length < bytes.length) writeFileSync(`${file}.gz`, gz)
    count++
  }
  return count
}

/**
 * Builds the page into dist/ and compresses it; with `ifStale`, only when something it is made of changed.
 *
 * @param {{ ifStale?: boolean }} [options]
 * @throws When Vite fails.
 */
export async function build({ ifStale = false } = {}) {
  const stamp = inRoot('dist', '.inputs')
  const hash = inputsHash()
  if (ifStale && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  const started = performance.now()
  say('Building the page')
  const args = [inRoot('node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn']
  const { code } = await run(modernNode(), args, { timeoutMs: BUILD_TIMEOUT_MS, node: modernNode() })
  if (code !== 0) throw new Error(`vite build ended with code ${code}`)
  const compressed = await precompress(inRoot('dist'))
  writeFileSync(stamp, hash)
  say(`Built dist/ in ${seconds(started)} (${compressed} files compressed)`)
}
