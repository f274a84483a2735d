import type { MessageCounters } from './messages.ts'
import type { MetricSample, NetworkStatus, PeerConnection } from './network.ts'

export interface NetworkFigures {
  readonly status: NetworkStatus
  readonly connections: readonly PeerConnection[]
  readonly messages: MessageCounters
  readonly blocks: Readonly<Record<'fetched' | 'failed' | 'served' | 'missing' | 'refused', number>>
  readonly problems: number
}

/** The network's figures under their Prometheus names. */
export function networkSamples({ status, connections, messages, blocks, problems }: NetworkFigures): MetricSample[] {
  const others = connections.filter((connection) => !connection.relay)
  const sum = (pick: (connection: PeerConnection) => number) => connections.reduce((all, one) => all + pick(one), 0)
  const rtts = others.flatMap(({ rttMs }) => rttMs ?? []).sort((a, b) => a - b)
  return [
    gauge('network_peers', 'Peers linked', status.direct, { path: 'direct' }),
    gauge('network_peers', 'Peers linked', status.relayed, { path: 'relayed' }),
    gauge('network_known_peers', 'Peers heard of lately', status.known),
    gauge('network_relay_reservations', 'Reservations held', status.relays.filter(isReserved).length),
    gauge('network_rtc_connections', 'RTCPeerConnections counted by the browser', status.rtc.used),
    gauge('network_rtc_connections_limit', 'RTCPeerConnections at which no dial is made', status.rtc.limit),
    gauge('network_rtt_seconds', 'Median round trip to linked peers', (rtts[Math.floor(rtts.length / 2)] ?? 0) / 1000),
    counter('network_dials_total', 'Dials by outcome', status.dials.succeeded, { status: 'success' }),
    counter('network_dials_total', 'Dials by outcome', status.dials.failed, { status: 'failure' }),
    counter(
      'network_bytes_total',
      'Payload bytes of messages and blocks',
      sum(({ bytesIn }) => bytesIn),
      {
        direction: 'in',
      },
    ),
    counter(
      'network_bytes_total',
      'Payload bytes of messages and blocks',
      sum(({ bytesOut }) => bytesOut),
      {
        direction: 'out',
      },
    ),
    counter('network_messages_total', 'Messages by what became of them', messages.sent, { status: 'sent' }),
    counter('network_messages_total', 'Messages by what became of them', messages.received, { status: 'received' }),
    counter('network_messages_total', 'Messages by what became of them', messages.refused, { status: 'refused' }),
    counter('network_messages_total', 'Messages by what became of them', messages.dropped, { status: 'dropped' }),
    ...Object.entries(blocks).map(([outcome, value]) =>
      counter('network_blocks_total', 'Blocks by what became of them', value, { status: outcome }),
    ),
    counter('network_problems_total', 'Errors without a caller', problems),
    ...Object.entries(status.gossip).map(([topic, peers]) =>
      gauge('network_gossip_mesh_peers', 'Peers in the gossip mesh of a topic', peers, { topic }),
    ),
  ]
}

function isReserved({ state }: NetworkStatus['relays'][number]): boolean {
  return state === 'reserved'
}

function gauge(name: string, help: string, value: number, labels: Record<string, string> = {}): MetricSample {
  return { name, kind: 'gauge', help, value, labels }
}

function counter(name: string, help: string, value: number, labels: Record<string, string> = {}): MetricSample {
  return { name, kind: 'counter', help, value, labels }
}
