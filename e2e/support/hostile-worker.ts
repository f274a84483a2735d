import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * The node's worker as it is built, but for its network: that is one of `e2e/support/hostile/`. It lends nothing, for it cannot find
 * the sandbox's worker.
 */
export async function hostileWorker(network: 'replaying' | 'flooding'): Promise<string> {
  const result = await build({
    entryPoints: [here('../../src/workers/node/worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    logLevel: 'error',
    plugins: [
      {
        name: 'hostile-network',
        setup({ onResolve, onLoad }) {
          // Empty in a browser, as the application's own bundler has it.
          onResolve({ filter: /^util$/ }, ({ path }) => ({ path, namespace: 'absent' }))
          onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: '' }))
          onResolve({ filter: /\/net\/create-network\.ts$/ }, ({ importer }) =>
            importer.endsWith('browser-peer.ts') ? { path: here(`./hostile/${network}-network.ts`) } : undefined,
          )
        },
      },
    ],
  })
  const [file] = result.outputFiles
  if (file === undefined) throw new Error('The bundler wrote nothing')
  return file.text
}
