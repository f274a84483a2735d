/**
 * A relay alone, configured by its environment, for a container or a service manager: `PORT`, `HOST`, `DATA_DIR`, `DIST_DIR`, `NAME`, `POLICY`
 * (room, open or members), `POLICY_CHANGES` (JSON, for tests), `GUEST_PLACES`, `PUBLIC_URL`, `TLS_CERT` and `TLS_KEY`. People use `starling relay`, which says more.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { PolicyKind } from '../core/admission/policy.ts'
import { startRelay } from './relay.ts'

const { env } = process
const distDir = env.DIST_DIR ?? fileURLToPath(new URL('../../dist', import.meta.url))

const relay = await startRelay({
  host: env.HOST ?? '127.0.0.1',
  port: Number(env.PORT ?? 4000),
  dataDir: env.DATA_DIR ?? null,
  distDir: existsSync(distDir) ? distDir : null,
  ...(env.NAME && { name: env.NAME }),
  policy: {
    // Checked by the policy's own schema when the network is founded.
    ...(env.POLICY && { kind: env.POLICY as PolicyKind }),
    ...(env.POLICY_CHANGES && { changes: JSON.parse(env.POLICY_CHANGES) }),
  },
  ...(env.GUEST_PLACES && { guestPlacesMax: Number(env.GUEST_PLACES) }),
  ...(env.PUBLIC_URL && { publicUrl: env.PUBLIC_URL }),
  ...(env.TLS_CERT && env.TLS_KEY && { tlsFiles: { cert: env.TLS_CERT, key: env.TLS_KEY } }),
})
const { urls, peerId, networkId, invite } = relay
process.stdout.write(`${JSON.stringify({ urls, peerId, networkId, invite, multiaddrs: relay.multiaddrs() })}\n`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void relay.stop().finally(() => process.exit(0)))
}
