import type { AdmissionInfo, MiningInfo, PolicyInfo } from '../../node/admission-contract.ts'
import { count, duration, plural, rate, significant } from './number.ts'

const REASONS: Readonly<Record<string, string>> = {
  'no-invite':
    'This room lets in whoever opens its full link. Ask for the link, or scan the QR code, on a device that is in.',
  'not-a-member': 'This network lets in its members. Ask its founder for an invitation.',
  'beacon-unknown': 'Waiting for the relay to say what this hour’s proof must be made for.',
  'needs-work':
    'This network is open to everyone who does a little work first, so that nobody can appear a thousand times.',
  'mining-rests-battery':
    'The work it takes to be let in rests while this device runs on its battery, as lending does. It goes on by itself on mains power.',
  'mining-rests-metered':
    'The work it takes to be let in rests while this connection is metered, as lending does. It goes on by itself on another.',
  StaleTicketError: 'Others say that this tab’s ticket is over. Is the clock of this device right?',
  FutureTicketError: 'Others say that this tab’s ticket has not begun. Is the clock of this device right?',
  MinerUnavailableError:
    'This browser cannot do the work that is asked: it needs WebAssembly with SIMD. A newer browser can.',
}

/** Why this tab is not let in, and what can be done. */
export function admissionReason({ state, reason }: AdmissionInfo): string {
  if (reason === null) return state === 'refused' ? 'Others do not take this tab’s ticket.' : ''
  const detail = reason.detail ? `: ${reason.detail}` : ''
  return REASONS[reason.code] ?? `${reason.code}${detail}`
}

/** What a guest may do and what not, in one sentence. */
export const GUEST_WORDS = 'As a guest, this tab sees who is here, but gets no tasks and gives none.'

/** Who is let in, and what holds inside, as the founder signed it. */
export function policyWords({ kind, quotas, subnetLimits }: PolicyInfo): string {
  const door = {
    room: 'A room: whoever has its link is let in.',
    open: 'An open network: whoever has worked for it is let in.',
    members: 'A network of members: who is listed or invited is let in.',
  }[kind]
  const inside = quotas
    ? ' How much each may ask for grows with good work.'
    : ' Inside, everyone computes at full speed.'
  return `${door}${inside}${subnetLimits ? ' No single address range may be most of anyone’s connections.' : ''}`
}

/** `21.4 k of about 65.5 k tries · 1,400 tries/s on 2 cores`. */
export function miningWords({ hashes, hashesExpected, hashesPerSecond, workers, state }: MiningInfo): string {
  const tries = `${count(hashes)} tries of about ${count(hashesExpected)}`
  if (state === 'paused') return `${tries} · paused`
  const speed = hashesPerSecond === 0 ? 'starting' : rate(Number(significantWhole(hashesPerSecond)), 'tries')
  return `${tries} · ${speed} on ${plural(workers, 'core')}`
}

/** Chance has no memory: what is left does not shrink with what was tried. */
export function etaWords({ etaMs, state }: MiningInfo): string {
  if (state === 'paused') return 'Resume to go on where it stopped.'
  return etaMs === null ? 'Measuring how long it takes.' : `About ${duration(etaMs)} more on average; luck decides.`
}

/** Three digits, so that the figure does not flicker. */
function significantWhole(value: number): string {
  return significant(value).replaceAll(',', '')
}
