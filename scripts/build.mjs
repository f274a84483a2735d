// npm run build: the page into dist/, compressed, ready for the relay.
import { build } from './lib/build.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { say } from './lib/log.mjs'

try {
  await ensureInstalled()
  await build({ ifStale: process.argv.includes('--if-stale') })
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
