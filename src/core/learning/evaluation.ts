/** How well a model does on samples, gathered batch by batch. */
export interface Score {
  samples: number
  /** Sum of cross-entropies, nats. */
  lossSum: number
  correct: number
  /** `confusion[truth * classes + predicted]`. */
  readonly confusion: Uint32Array
}

export function emptyScore(classes: number): Score {
  return { samples: 0, lossSum: 0, correct: 0, confusion: new Uint32Array(classes * classes) }
}

/**
 * Adds a batch to a score. The predicted class is the largest output, the first of equals.
 *
 * @param logits - Outputs before softmax, `labels.length × classes` or more.
 */
export function addToScore(score: Score, logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): void {
  for (let b = 0; b < labels.length; b++) {
    const label = labels[b] as number
    const row = b * classes
    let best = 0
    for (let j = 1; j < classes; j++) if ((logits[row + j] as number) > (logits[row + best] as number)) best = j
    const most = logits[row + best] as number
    let sum = 0
    for (let j = 0; j < classes; j++) sum += Math.exp((logits[row + j] as number) - most)
    score.lossSum += Math.log(sum) + most - (logits[row + label] as number)
    score.samples++
    if (best === label) score.correct++
    const cell = label * classes + best
    score.confusion[cell] = (score.confusion[cell] as number) + 1
  }
}

/** Softmax of one row of outputs. */
export function probabilitiesOf(logits: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const most = Math.max(...Array.from(logits))
  const shares = Float32Array.from(logits, (logit) => Math.exp(logit - most))
  const sum = shares.reduce((total, share) => total + share, 0)
  return shares.map((share) => share / sum)
}
