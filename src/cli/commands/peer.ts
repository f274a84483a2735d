import { createServer } from 'node:http'
import type { NodeApi } from '../../node/contract.ts'
import { prometheusText } from '../../node/metrics.ts'
import { startNodePeer } from '../../node/node-peer.node.ts'
import { ListenError } from '../../relay/errors.ts'
import { admissionText } from '../admission-text.ts'
import { ownPassphrase } from '../passphrase-input.ts'
import type { Context } from './context.ts'

const LOOK_INTERVAL_MS = 1_000

export interface PeerOptions {
  readonly relay: string
  readonly dataDir: string
  readonly workers?: number
  readonly cpuShare: number
  /** 0: none. */
  readonly metricsPort: number
  readonly verbose: boolean
}

/** `starling peer`: a peer in Node that lends, until somebody stops it. */
export async function peerCommand(options: PeerOptions, { terminal, lifetime }: Context): Promise<void> {
  const peer = await startNodePeer({
    dataDir: options.dataDir,
    relay: options.relay,
    ...ownPassphrase(),
    onLog: ({ level, scope, message }) => {
      if (level === 'error' || level === 'warn' || options.verbose) terminal.complain(`${level} ${scope}: ${message}`)
    },
  })
  await lifetime.add('the peer', () => peer.stop())
  const { settings } = await peer.setLending({
    optedIn: true,
    cpuShare: options.cpuShare,
    pauseOnBattery: false,
    pauseOnMetered: false,
    ...(options.workers !== undefined && { workers: options.workers }),
  })
  const { peerId, networkId, admission } = await peer.snapshot()
  const metricsUrl =
    options.metricsPort === 0 ? null : await serveMetrics(peer, options.metricsPort, { terminal, lifetime })
  if (terminal.json) await terminal.writeJson({ peerId, networkId, workers: settings.workers, metricsUrl })
  else
    terminal.say(
      `Peer ${peerId} lends ${settings.workers} of this machine's cores in "${admission.policy?.name}"; Ctrl-C stops it`,
    )
  const outside = admissionText(admission)
  if (outside !== null) terminal.complain(`This peer is ${outside}`)
  const timer = setInterval(
    () => void peer.snapshot().then((snapshot) => terminal.progress(peerText(snapshot))),
    LOOK_INTERVAL_MS,
  )
  await lifetime.untilInterrupted()
  clearInterval(timer)
  terminal.endProgress()
}

function peerText({ network, lending, admission }: Awaited<ReturnType<NodeApi['snapshot']>>): string {
  const outside = admissionText(admission)
  if (outside !== null) return `${network.state}, ${network.peers} peers; ${outside}`
  return `${network.state}, ${network.peers} peers (${network.direct} direct), ${lending.active} units running, ${lending.queued} waiting, ${lending.unitsDone} done`
}

/** Prometheus scrapes this; on loopback only, because the figures say what this machine does. */
async function serveMetrics(peer: NodeApi, port: number, { terminal, lifetime }: Context): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end()
    peer
      .metrics()
      .then((samples) =>
        response
          .writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(prometheusText(samples)),
      )
      .catch(() => response.writeHead(500).end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new ListenError(`Cannot serve metrics on port ${port}: ${error.code ?? error.message}`, {
          field: '--metrics-port',
          value: port,
        }),
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  await lifetime.add('the metrics', () => server.close())
  const url = `http://127.0.0.1:${port}/metrics`
  terminal.say(`Metrics at ${url}`)
  return url
}
