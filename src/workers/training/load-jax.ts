import type { Engine } from './engine.ts'

/**
 * Loads jax-js and its engine on a device; `null` when the device is not there.
 *
 * Where there is shared memory, jax-js spreads its kernels over workers that it starts from `blob:` URLs. The page's policy refuses these
 * (`worker-src 'self'`), and jax-js then goes on as if they had computed: results would be what lay in memory. With
 * `SharedArrayBuffer` gone before jax-js looks for it, it computes in this worker. So this must run in a worker that has no other use for shared
 * memory.
 */
export async function loadJax(device: 'webgpu' | 'wasm'): Promise<Engine | null> {
  if (typeof Worker !== 'undefined') Reflect.deleteProperty(globalThis, 'SharedArrayBuffer')
  const { jaxEngine } = await import('./jax-engine.ts')
  return jaxEngine(device)
}
