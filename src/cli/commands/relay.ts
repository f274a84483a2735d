import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PolicyKind } from '../../core/admission/policy.ts'
import type { PeerId } from '../../core/codec/ids.ts'
import { inviteLink } from '../../node/capability.ts'
import { type Relay, startRelay } from '../../relay/relay.ts'
import { type Context, DIST_DIR } from './context.ts'

export interface RelayOptions {
  readonly port: number
  readonly host: string
  readonly dataDir: string | null
  readonly name?: string
  readonly policy?: PolicyKind
  /** Root ids of a new network of members. */
  readonly members?: readonly string[]
  readonly publicUrl?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** Starts a relay as the options say and tells the person where it is and what their browser will ask. */
export async function openRelay(options: RelayOptions, { terminal, lifetime }: Context): Promise<Relay> {
  const relay = await startRelay({
    host: options.host,
    port: options.port,
    dataDir: options.dataDir,
    distDir: existsSync(join(DIST_DIR, 'index.html')) ? DIST_DIR : null,
    policy: {
      ...(options.policy !== undefined && { kind: options.policy }),
      // Checked by the policy's own schema when the network is founded.
      ...(options.members !== undefined && { changes: { members: options.members as readonly PeerId[] } }),
    },
    ...(options.name !== undefined && { name: options.name }),
    ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
    ...(options.tlsCert !== undefined &&
      options.tlsKey !== undefined && { tlsFiles: { cert: options.tlsCert, key: options.tlsKey } }),
    logger: {
      log: (level, message) => {
        if (level === 'error') terminal.complain(`relay: ${message}`)
      },
    },
  })
  await lifetime.add('the relay', () => relay.stop())
  if (options.port !== 0 && relay.port !== options.port) {
    terminal.complain(`Port ${options.port} is taken; using ${relay.port}`)
  }
  return relay
}

/** The address to share, and what to expect there. */
export function shareLines(relay: Relay): { readonly url: string; readonly lines: string[] } {
  const [here = '', ...others] = relay.urls.map((url) => inviteLink(url, relay.invite))
  const shared = others[0] ?? here
  const lines = [
    ...(shared === here ? [] : [`On this machine: ${here}`]),
    `${shared === here ? 'Open' : 'In this room:   '} ${shared}`,
  ]
  if (shared.startsWith('https:') && relay.tls?.selfSigned === true) {
    lines.push(
      'The first time, a browser will warn that the connection is not private, because this relay made its certificate itself:',
      `choose to go on if it shows this fingerprint (SHA-256) ${relay.tls.fingerprint}`,
    )
  }
  return { url: shared, lines }
}

/** `starling relay`: runs until somebody stops it. */
export async function relayCommand(options: RelayOptions, context: Context): Promise<void> {
  const relay = await openRelay(options, context)
  const { terminal, lifetime } = context
  if (terminal.json) {
    const { port, urls, peerId, networkId, tls } = relay
    await terminal.writeJson({
      port,
      urls,
      inviteUrls: urls.map((each) => inviteLink(each, relay.invite)),
      policy: relay.policy.kind,
      peerId,
      networkId,
      multiaddrs: relay.multiaddrs(),
      fingerprint: tls?.fingerprint ?? null,
    })
  } else {
    for (const line of shareLines(relay).lines) await terminal.write(`${line}\n`)
  }
  for (const address of relay.multiaddrs()) terminal.say(`  ${address}`)
  terminal.say('Ctrl-C stops it')
  await lifetime.untilInterrupted()
}
