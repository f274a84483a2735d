import { join } from 'node:path'
import { isPeerId, peerIdOf } from '../../core/identity/peer-id.ts'
import { rootIdOf } from '../../core/identity/root.ts'
import { inviteLink } from '../../node/capability.ts'
import { PlatformVerifier } from '../../node/verifier.ts'
import { makeInvite } from '../../relay/founding.ts'
import { loadDeviceKeyFile } from '../../storage/device-key-file.node.ts'
import { UsageError } from '../errors.ts'
import type { Context } from './context.ts'

export interface InviteOptions {
  /** Of the relay. */
  readonly dataDir: string
  /** Address of the network's page. */
  readonly relay: string
  readonly root: string | null
  readonly days: number
}

const DAY_MS = 24 * 60 * 60_000

/** `starling invite`: the link that lets somebody in, made where the network was founded. */
export async function inviteCommand(options: InviteOptions, { terminal }: Context): Promise<void> {
  const { root, dataDir } = options
  if (root !== null && !isPeerId(root)) throw new UsageError(`${root} is no root id; the Identity page shows it`)
  const nowMs = Date.now()
  const invite = await makeInvite(dataDir, {
    root: root === null ? null : rootIdOf(root),
    expiresAtMs: nowMs + options.days * DAY_MS,
    loadFounder: async () => {
      const key = await loadDeviceKeyFile(join(dataDir, 'relay-key'))
      return { author: peerIdOf(key.publicKey), sign: (bytes) => key.sign(bytes) }
    },
    verifier: new PlatformVerifier(),
    nowMs,
  })
  const url = inviteLink(options.relay, invite)
  if (terminal.json) await terminal.writeJson({ url, invite })
  else await terminal.write(`${url}\n`)
}
