import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vite'
import product from '../../../vite.config.ts'

const FAKE = fileURLToPath(new URL('./fake-browser.ts', import.meta.url))

/**
 * The interface over a fake node: `vite build --config src/testing/ui/vite.harness.config.ts --outDir <somewhere outside dist>`.
 * Everything but the node is the product's own.
 */
// biome-ignore lint/style/noDefaultExport: Vite reads the default export
export default mergeConfig(product, {
  root: fileURLToPath(new URL('../../..', import.meta.url)),
  plugins: [
    {
      name: 'fake-node',
      enforce: 'pre',
      resolveId: (id: string, importer: string | undefined) =>
        id === './node/browser.ts' && importer?.endsWith('/src/main.tsx') ? FAKE : undefined,
    },
  ],
})
