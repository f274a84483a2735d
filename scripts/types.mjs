// Checks the types of every environment: each tsconfig sees only the ambient types its files may use.
import { readdirSync } from 'node:fs'
import { ensureInstalled } from './lib/install.mjs'
import { say, seconds } from './lib/log.mjs'
import { modernNode } from './lib/modern-node.mjs'
import { inRoot, ROOT } from './lib/root.mjs'
import { run } from './lib/run.mjs'

await ensureInstalled()
const configs = readdirSync(ROOT).filter((name) => /^tsconfig\.(?!base\.).+\.json$/.test(name))
let failed = 0
for (const config of configs) {
  const started = performance.now()
  const { code } = await run(modernNode(), [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', config], {
    stdout: 'inherit',
  })
  if (code !== 0) failed++
  say(`types ${config}: ${code === 0 ? 'ok' : 'failed'} (${seconds(started)})`)
}
process.exitCode = failed === 0 ? 0 : 1
