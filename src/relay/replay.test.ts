import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { OFFERS_TOPIC_PREFIX } from '../core/tasks/messages.ts'
import { createNetwork } from '../net/create-network.ts'
import { createIdentity } from '../net/identity.ts'
import type { Network } from '../net/network.ts'
import { inviteLink } from '../node/capability.ts'
import { startNodePeer } from '../node/node-peer.node.ts'
import type { Peer } from '../node/peer.ts'
import { type Relay, startRelay } from './relay.ts'

const MODULE = new URL('../../examples/collatz/collatz.wasm', import.meta.url)
const WAIT_MS = 40_000
const dir = mkdtempSync(join(tmpdir(), 'starling-replay-'))

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; !(await done()); await delay(100)) {
    if (Date.now() > deadline) throw new Error(`Waited ${WAIT_MS} ms for ${what}`)
  }
}

async function refused(peer: Peer, labels: { readonly reason: string; readonly kind: string }): Promise<number> {
  const found = (await peer.metrics()).find((sample) => {
    const { reason, kind } = sample.labels
    return sample.name === 'starling_statements_refused_total' && reason === labels.reason && kind === labels.kind
  })
  return found?.value ?? 0
}

/**
 * Goal: whoever hears gossip cannot tell it again. Method: a relay, a requester and an executor as they are run, and a stranger that
 * publishes what it heard under its own name, changed and unchanged.
 */
describe('gossip that is told again', () => {
  let relay: Relay
  let requester: Peer
  let executor: Peer
  let stranger: Network
  const heard: Uint8Array[] = []

  beforeAll(async () => {
    mkdirSync(join(dir, 'dist'))
    writeFileSync(join(dir, 'dist', 'index.html'), '<!doctype html>')
    relay = await startRelay({ host: '127.0.0.1', port: 0, dataDir: null, distDir: join(dir, 'dist') })
    const options = {
      dataDir: ':memory:',
      relay: inviteLink(relay.urls[0] ?? '', relay.invite),
      workersMax: 1,
      listen: ['/ip4/127.0.0.1/udp/0/webrtc-direct'],
    }
    requester = await startNodePeer(options)
    executor = await startNodePeer(options)
    stranger = createNetwork({
      networkId: relay.networkId,
      identity: await createIdentity(),
      relays: relay.multiaddrs(),
      environment: 'node',
    })
    stranger.subscribe(OFFERS_TOPIC_PREFIX + relay.networkId, (_, bytes) => heard.push(bytes))
    await stranger.start()
  }, 60_000)

  afterAll(async () => {
    await Promise.allSettled([requester?.stop(), executor?.stop(), stranger?.stop()])
    await relay?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it('[T3] is refused by name and counted, and the job goes on', { timeout: 120_000 }, async () => {
    const job = await requester.submitJob({
      name: 'Collatz',
      abi: 'reactor',
      module: new Uint8Array(readFileSync(MODULE)),
      inputs: Array.from({ length: 20 }, (_, unit) => ({
        args: [],
        env: [],
        stdin: new TextEncoder().encode(`${1_000_000 + unit * 1_000} 1000`),
        files: [],
      })),
      sharedFiles: [],
      view: { kind: 'none' },
      options: { replicas: 1, quorum: 1, useOwnWorkers: false },
    })
    await until('an offer to be heard', () => heard.length > 0)
    const topic = OFFERS_TOPIC_PREFIX + relay.networkId
    const offer = heard[0] as Uint8Array
    await until('the replay to be counted', async () => {
      // gossipsub drops equal messages of one author; each try is a message of its own all the same, by its number.
      await stranger.publish(topic, offer)
      return (await refused(executor, { reason: 'replayed', kind: 'offer' })) > 0
    })
    const changed = offer.slice()
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    await until('the forgery to be counted', async () => {
      await stranger.publish(topic, changed)
      return (
        (await refused(executor, { reason: 'signature', kind: 'offer' })) +
          (await refused(executor, { reason: 'replayed', kind: 'offer' })) >
        1
      )
    })
    // Only now: a job that is done is offered no more.
    await executor.setLending({ optedIn: true })
    await until('the job to end', async () => (await requester.job(job))?.state === 'done')
  })
})
