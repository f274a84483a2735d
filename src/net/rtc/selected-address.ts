/** The parts of an RTCStatsReport that lead to the other end's address. */
interface Stat {
  readonly id: string
  readonly type: string
  readonly selectedCandidatePairId?: string
  readonly remoteCandidateId?: string
  readonly selected?: boolean
  readonly nominated?: boolean
  readonly state?: string
  readonly address?: string | null
  readonly ip?: string | null
  readonly candidateType?: string
}

/**
 * Stands for a name that hides an address of the local network. Chromium says nothing of a remote candidate that was signalled as an
 * mDNS name, but that it is of type `host`; only multicast on the local link resolves such a name, so nobody elsewhere can have one.
 */
const HIDDEN_LOCAL_NAME = 'hidden.local'

/**
 * The address at which the other end of a connection is reached: that of the remote candidate of the selected pair. Not what it
 * says of itself, but where its packets come from.
 *
 * Source: W3C webrtc-stats, RTCTransportStats.selectedCandidatePairId; Firefox has no transport statistics and marks the pair instead.
 *
 * @returns `null` When no pair is selected, or the browser keeps the address to itself.
 */
export async function selectedRemoteAddress(pc: Pick<RTCPeerConnection, 'getStats'>): Promise<string | null> {
  const stats = new Map<string, Stat>()
  const report = (await pc.getStats()) as unknown as { forEach(each: (stat: Stat) => void): void }
  report.forEach((stat) => void stats.set(stat.id, stat))
  return remoteAddressIn([...stats.values()])
}

/** The same, of statistics at hand. */
export function remoteAddressIn(stats: readonly Stat[]): string | null {
  const byId = new Map(stats.map((stat) => [stat.id, stat]))
  const selectedId = stats.find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId)
  const pairs = stats.filter(({ type }) => type === 'candidate-pair')
  const pair =
    byId.get(selectedId?.selectedCandidatePairId ?? '') ??
    pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded')
  const remote = byId.get(pair?.remoteCandidateId ?? '')
  const address = remote?.address || remote?.ip
  if (address) return address
  return remote?.candidateType === 'host' ? HIDDEN_LOCAL_NAME : null
}
