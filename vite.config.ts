import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Workers' names tell the relay which policy each is served with. */
const WORKER_NAMES = [
  { entry: '/src/workers/sandbox/', name: 'sandbox-worker' },
  { entry: '/src/workers/node/', name: 'node-worker' },
  { entry: '/src/workers/aggregation/', name: 'aggregation-worker' },
  { entry: '/src/workers/training/', name: 'training-worker' },
  { entry: '/src/workers/lab/', name: 'lab-worker' },
  { entry: '/src/workers/pow/', name: 'pow-worker' },
  { entry: '/src/workers/proofs/', name: 'proofs-worker' },
] as const

/** Precached files above this are a mistake in the build, not something to make a phone download. */
const PRECACHE_FILE_BYTES_MAX = 4 * 1024 * 1024

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      // The page asks before it takes a new version: a reload would stop a working node.
      registerType: 'prompt',
      injectRegister: false,
      manifest: {
        id: '/',
        name: 'Starling',
        short_name: 'Starling',
        description: 'This tab helps a room of browsers compute, safely and only while you agree.',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#f6f7f7',
        theme_color: '#0b6e66',
        categories: ['productivity', 'utilities'],
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          { src: '/mark.svg', sizes: 'any', type: 'image/svg+xml' },
        ],
      },
      workbox: {
        globPatterns: ['**/*.{html,js,css,svg,png,wasm,txt,obj}'],
        // The trainer's kernels are for those who train; the bundled digits are left out by their ending.
        globIgnores: ['**/node_modules/**/*', '**/jax-engine-*.js', '**/webg{l,pu}-*.js'],
        // Once used they are kept, so that the attack lab works offline. Their name has their hash.
        runtimeCaching: [
          {
            urlPattern: /\/assets\/digits-[-\w]+\.bin$/,
            handler: 'CacheFirst',
            options: { cacheName: 'digits', expiration: { maxEntries: 1 } },
          },
        ],
        navigateFallback: '/index.html',
        // What the relay answers itself is never a page.
        navigateFallbackDenylist: [/^\/\.well-known\//, /^\/metrics/, /^\/healthz/, /^\/ws/],
        maximumFileSizeToCacheInBytes: PRECACHE_FILE_BYTES_MAX,
        cleanupOutdatedCaches: true,
      },
    }),
  ],
  resolve: {
    alias: {
      // See that file: the original needs a looser Content-Security-Policy.
      'react-style-singleton': here('./src/ui/parts/style-singleton.ts'),
    },
  },
  worker: {
    format: 'es',
    rolldownOptions: {
      output: {
        entryFileNames: ({ facadeModuleId }) => {
          const worker = WORKER_NAMES.find(({ entry }) => facadeModuleId?.includes(entry))
          return `assets/${worker?.name ?? '[name]'}-[hash].js`
        },
      },
    },
  },
  build: {
    target: ['chrome120', 'firefox120', 'safari17'],
    sourcemap: false,
    // Inlined assets would be data: URLs, which the policy refuses for code and WebAssembly.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
