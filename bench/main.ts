/**
 * `npm run bench [-- FILTER…]`: runs every module of this folder that exports `run`, and prints one line of JSON for each figure.
 * A filter picks modules whose name contains it. Modules run one after the other: two at once would measure each other.
 */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BenchLine } from './bench-line.ts'

interface BenchModule {
  readonly run?: () => Promise<readonly BenchLine[]>
}

const folder = dirname(fileURLToPath(import.meta.url))
const filters = process.argv.slice(2).map((filter) => filter.replaceAll('.', '-'))
const names = readdirSync(folder)
  .filter((name) => /^[\w-]+\.ts$/.test(name) && !/^(main|bench-line)\.ts$|\.test\.ts$/.test(name))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.replace(/\.ts$/, '').includes(filter)))
  .sort()

if (names.length === 0) {
  process.stderr.write(`No bench is called ${process.argv.slice(2).join(', ')}\n`)
  process.exitCode = 2
}
for (const name of names) {
  const started = performance.now()
  try {
    const { run } = (await import(pathToFileURL(join(folder, name)).href)) as BenchModule
    if (run === undefined) continue
    process.stderr.write(`${name}\n`)
    for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
    process.stderr.write(`${name} took ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
  } catch (error) {
    process.stderr.write(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exitCode = 1
  }
}
// Browsers and libp2p may keep handles for a while; the figures are out.
process.exit()
