// npm start: installs what is missing, builds what changed, then hands over to `starling start` under a modern Node.
// Plain JavaScript without dependencies, because on a fresh clone nothing else can run.
import { build } from './lib/build.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { say } from './lib/log.mjs'
import { modernNode } from './lib/modern-node.mjs'
import { inRoot } from './lib/root.mjs'
import { run } from './lib/run.mjs'

const args = process.argv.slice(2)
try {
  if (!args.includes('--help') && !args.includes('-h')) {
    await ensureInstalled()
    await build({ ifStale: true })
  } else await ensureInstalled()
  const node = modernNode()
  const { code } = await run(node, [inRoot('bin', 'starling.mjs'), 'start', ...args], { stdout: 'inherit', node })
  process.exitCode = code
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
