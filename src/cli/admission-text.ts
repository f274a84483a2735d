import type { AdmissionInfo } from '../node/admission-contract.ts'

const ADVICE: Readonly<Record<string, string>> = {
  'no-invite': "give --relay the room's whole link, with #invite=…",
  'not-a-member': 'ask the founder for an invitation',
  'beacon-unknown': "waiting for the relay's beacon",
  'needs-work': 'it takes a proof of work',
  'mining-rests-battery': 'the proof of work rests on battery',
  'mining-rests-metered': 'the proof of work rests on a metered connection',
}

/** Why this peer is not let in yet, in one line; `null` when it is. */
export function admissionText({ state, reason, mining }: AdmissionInfo): string | null {
  if (state === 'admitted') return null
  if (mining !== null) {
    const { hashes, hashesExpected, hashesPerSecond, etaMs } = mining
    const left = etaMs === null ? '' : `, about ${Math.ceil(etaMs / 1_000)} s more on average`
    return `working to be let in: ${hashes} of about ${hashesExpected} tries, ${Math.round(hashesPerSecond)}/s${left}`
  }
  const why =
    reason === null ? '' : `: ${ADVICE[reason.code] ?? [reason.code, reason.detail].filter(Boolean).join(', ')}`
  return `${state === 'refused' ? 'not let in' : 'a guest, without tasks'}${why}`
}
