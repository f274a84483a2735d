import type { LendingState, NetworkState, NodeSnapshot, Reason } from '../../node/contract.ts'
import { plural } from './number.ts'
import { clock, span } from './time.ts'

/** A state in words: what it is, why, and whether somebody should look. */
export interface Sentence {
  readonly text: string
  readonly tone: 'good' | 'busy' | 'idle' | 'attention'
}

const REASONS: Readonly<Record<string, string>> = {
  // Why this tab does not lend.
  'not-opted-in': 'you have not agreed to lend yet',
  'paused-by-user': 'you paused it',
  'on-battery': 'on battery',
  'on-metered': 'on a metered connection',
  'no-workers': 'no core is lent',
  stopped: 'the node was stopped',
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
  'paused-by-requester': 'you paused it',
  'no-executors': 'nobody here can run it yet',
  'waiting-for-executors': 'waiting for peers that lend',
  'not-enough-executors': 'too few different peers for the replicas asked for',
  'quorum-unreachable': 'too few honest peers agree',
  'budget-spent': 'the highest price is reached',
  'expired': 'its time is over',
  'module-refused': 'the module was refused',
  'units-failed': 'units failed on every peer that tried',
  cancelled: 'you cancelled it',
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

/** What the network is doing, with its reason and, while it is looking, for how long. */
export function networkSentence(snapshot: NodeSnapshot, now: number): Sentence {
  const { network } = snapshot
  if (network.state === 'meshed' || network.peers > 0) {
    const direct = network.direct > 0 ? ` · ${network.direct} direct` : ''
    return { text: `${plural(network.peers, 'peer')}${direct}`, tone: 'good' }
  }
  const words = NETWORK_WORDS[network.state]
  const reason = network.reason === null || network.reason.code === 'none' ? '' : `: ${reasonWords(network.reason)}`
  const waiting = network.state === 'connecting' || network.state === 'starting'
  const since = waiting && reason === '' ? `, ${span(now - snapshot.startedAt)}` : ''
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
