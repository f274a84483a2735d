import type { LendingState, NetworkState, NodeSnapshot, Reason } from '../../node/contract.ts'
import { plural } from './number.ts'
import { clock, span } from './time.ts'

/** A state in words: what it is, why, and whether somebody should look. */
export interface Sentence {
  readonly text: string
  readonly tone: 'good' | 'busy' | 'idle' | 'attention'
}

const REASONS: Readonly<Record<string, string>> = {
  // Why this tab does not lend; the words of the core's `PauseReason`.
  'not-opted-in': 'you have not agreed to lend yet',
  user: 'by you',
  battery: 'on battery',
  metered: 'on a metered connection',
  quota: 'today’s share is used up',
  hidden: 'the tab is hidden',
  offline: 'offline',
  'storage-full': 'no storage is left',
  stopping: 'stopping',
  'no-workers': 'no core is lent',
  // Why nothing runs although it lends.
  'no-offers': 'nobody has work right now',
  'no-match': 'the work on offer does not fit what this tab lends',
  preparing: 'getting a program ready',
  'waiting-for-leases': 'asked for units, waiting for an answer',
  // Why the network is not what it should be; the words of `NetworkReason`.
  'not-started': 'the network is starting',
  'network-lost': 'this device is offline',
  'no-relay-configured': 'no relay is known',
  'relay-unreachable': 'the relay does not answer; trying again',
  'relay-full': 'the relay is full; trying the next',
  'relay-lost': 'the relay went away; connecting again',
  'waking-up': 'waking up after sleep',
  'no-other-peer': 'nobody else is here yet',
  dialling: 'connecting to other peers',
  'dials-failing': 'direct connections fail; going through the relay',
  'rtc-budget-used': 'this tab has used up its connections; reload it when idle',
  // Why a job waits or ended.
  'no-executors': 'waiting for a peer that lends and can run it',
  'few-executors': 'waiting for more executors: too few for the replicas asked for',
  'not-yet-valid': 'its time has not come yet',
  inputs: 'reading its inputs',
  outcome: 'fetching a large result',
  expired: 'its time is over',
}

/** The words for a reason; an unknown code is shown in words of its own rather than hidden. */
export function reasonWords(reason: Reason): string {
  const words = REASONS[reason.code] ?? reason.code.replaceAll('-', ' ')
  const until = reason.until === undefined ? '' : ` until ${clock(reason.until)}`
  const detail = reason.detail ? ` (${reason.detail})` : ''
  return `${words}${until}${detail}`
}

/** `Lending 2 of 8 cores`, `Paused: on battery`, `Not lending yet`. */
export function lendingSentence(lending: LendingState): Sentence {
  const { settings, pausedBecause, workersMax } = lending
  if (!settings.optedIn) return { text: 'Not lending yet: nothing runs here before you agree', tone: 'idle' }
  if (pausedBecause.length > 0) {
    return { text: `Paused: ${pausedBecause.map(reasonWords).join('; ')}`, tone: 'attention' }
  }
  const share = settings.cpuShare < 1 ? ` at ${Math.round(settings.cpuShare * 100)} %` : ''
  return { text: `Lending ${settings.workers} of ${plural(workersMax, 'core')}${share}`, tone: 'good' }
}

const NETWORK_WORDS: Readonly<Record<NetworkState, string>> = {
  starting: 'Starting the network',
  offline: 'Offline',
  connecting: 'Looking for the relay',
  relayed: 'Connected through the relay',
  meshed: 'Connected directly',
  stopped: 'The network is stopped',
}

/** Said before who is here while this tab is a guest: nothing it lends or asks for moves. */
const GUEST_SENTENCES = {
  guest: 'Here as a guest: no tasks yet',
  mining: 'Working to be let in: no tasks yet',
  refused: 'Not let in: no tasks',
} as const

/** What the network is doing, with its reason and, while it is looking, for how long. */
export function networkSentence(snapshot: NodeSnapshot, now: number): Sentence {
  const { network } = snapshot
  if (network.state === 'meshed' || network.peers > 0) {
    const direct = network.direct > 0 ? ` · ${network.direct} direct` : ''
    const peers = `${plural(network.peers, 'peer')}${direct}`
    const { state } = snapshot.admission
    if (state === 'admitted') return { text: peers, tone: 'good' }
    return { text: `${GUEST_SENTENCES[state]} · ${peers}`, tone: state === 'mining' ? 'busy' : 'attention' }
  }
  const words = NETWORK_WORDS[network.state]
  const waiting = network.state === 'connecting' || network.state === 'starting'
  const reason = network.reason === null ? '' : `: ${REASONS[network.reason.code] ?? network.reason.code}`
  // The network says in `detail` since when, as milliseconds.
  const startedAt = Number(network.reason?.detail ?? snapshot.startedAt)
  const since = waiting ? `, ${span(Math.max(0, now - startedAt))}` : ''
  const tone = network.state === 'offline' || network.state === 'stopped' ? 'attention' : waiting ? 'busy' : 'idle'
  return { text: `${words}${reason}${since}`, tone }
}

/** The one line that is on every page. */
export function statusSentence(snapshot: NodeSnapshot, now: number): Sentence {
  const lending = lendingSentence(snapshot.lending)
  const network = networkSentence(snapshot, now)
  const tone = network.tone === 'attention' || lending.tone === 'attention' ? 'attention' : pickTone(lending, network)
  return { text: `${lending.text} · ${network.text}`, tone }
}

function pickTone(lending: Sentence, network: Sentence): Sentence['tone'] {
  if (network.tone === 'busy') return 'busy'
  return lending.tone
}
