import { EPSILON_STRONG, EPSILON_USEFUL, MEANINGFUL_PARTICIPANTS_MIN } from './limits.ts'

/** Why a promise of privacy means less than its figures say. */
export type PrivacyCaveat = 'epsilon-large' | 'delta-large' | 'few-participants' | 'no-noise'

export interface PrivacyMeaning {
  readonly level: 'none' | 'weak' | 'useful' | 'strong'
  readonly caveats: readonly PrivacyCaveat[]
  /** Plain sentences for whoever lends data, most important first. */
  readonly sentences: readonly string[]
}

/**
 * Says in plain words what ε and δ promise to one participant. Rule [D7].
 *
 * @param of.epsilon - Spent, or to be spent by the end; `Infinity` without noise.
 * @param of.participants - Clients whose data is in the sum.
 */
export function privacyMeaning(of: {
  readonly epsilon: number
  readonly delta: number
  readonly participants: number
}): PrivacyMeaning {
  const { epsilon, delta, participants } = of
  const caveats: PrivacyCaveat[] = []
  const sentences: string[] = []
  const say = (caveat: PrivacyCaveat, sentence: string) => {
    caveats.push(caveat)
    sentences.push(sentence)
  }
  if (!Number.isFinite(epsilon)) {
    say('no-noise', 'No noise is added: the model may show what is in your data.')
    return { level: 'none', caveats, sentences }
  }
  if (delta * participants >= 1) {
    const sentence = `δ is ${shown(delta)}, and 1 in ${participants} is ${shown(1 / participants)}: the promise would hold even if one participant's data were published whole.`
    say('delta-large', sentence)
  }
  if (epsilon > EPSILON_USEFUL)
    say('epsilon-large', `ε is ${shown(epsilon)}: ${oddsOf(epsilon)} That is no protection to rely on.`)
  if (participants < MEANINGFUL_PARTICIPANTS_MIN) {
    const sentence = `${participants} participants are few: enough noise to hide one among them would drown what they learn, so either the noise or the model means little.`
    say('few-participants', sentence)
  }
  if (!caveats.includes('epsilon-large')) sentences.push(`ε is ${shown(epsilon)}: ${oddsOf(epsilon)}`)
  return { level: levelOf(epsilon, caveats), caveats, sentences }
}

function levelOf(epsilon: number, caveats: readonly PrivacyCaveat[]): PrivacyMeaning['level'] {
  if (caveats.includes('delta-large')) return 'none'
  if (caveats.length > 0) return 'weak'
  return epsilon <= EPSILON_STRONG ? 'strong' : 'useful'
}

/** What somebody who guesses at even odds whether your data was used may come to believe at most. */
function oddsOf(epsilon: number): string {
  const belief = 1 / (1 + Math.exp(-epsilon))
  const percent = belief > 0.9999 ? 'over 99.99' : (100 * belief).toFixed(belief > 0.99 ? 2 : 0)
  return `whoever sees the model and thinks it even odds that your data was used may become ${percent} % sure.`
}

function shown(value: number): string {
  return value >= 0.01 ? value.toFixed(2) : value.toExponential(1)
}
