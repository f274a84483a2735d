/** Noise multiplier, in millionths: what divides the standard deviation of the noise by the clip norm. Less than this protects nobody. */
export const NOISE_MULTIPLIER_PPM_MIN = 10_000

/** Largest noise multiplier, in millionths: a thousand clip norms drown any model. */
export const NOISE_MULTIPLIER_PPM_MAX = 1_000_000_000

/** Standard deviation of one participant's share of the noise, in 2^-16ths. Below it, a sum of discrete Gaussians is no longer one to 10^-60. */
export const SHARE_DEVIATION_MIN = 4

/** How many standard deviations of noise the bound of a sum allows for: beyond it 4·10^-33 of all draws lie. */
export const NOISE_TAIL_DEVIATIONS = 12

/** Draws of one sample before a source is declared broken; the chance that a good one gets there is below 2^-200. */
export const SAMPLE_DRAWS_MAX = 10_000

/** Kinds of step that one ledger adds up: every change of noise or sampling is one. */
export const LEDGER_ENTRIES_MAX = 256

/** Steps of one kind: more than anything trains. */
export const LEDGER_STEPS_MAX = 100_000_000

/** Largest budget that may be set: beyond it the promise is empty, and a task should say that it makes none. */
export const EPSILON_MAX = 1_000

/** Up to this ε a promise is commonly called strong. Source: NIST SP 800-226, section 2.2. */
export const EPSILON_STRONG = 1

/** Up to this ε a promise is commonly called useful. Beyond, ratios of probabilities exceed 20,000. Source: NIST SP 800-226. */
export const EPSILON_USEFUL = 10

/** Participants below which hiding one among the others says little, whatever ε is. */
export const MEANINGFUL_PARTICIPANTS_MIN = 30
