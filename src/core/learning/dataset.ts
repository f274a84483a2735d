import { LimitExceededError } from '../codec/errors.ts'
import { InvalidDatasetError } from './errors.ts'
import { DATASET_BYTES_MAX, DATASET_CLASSES_MAX, DATASET_SAMPLES_MAX } from './limits.ts'

/** Samples ready for training. */
export interface Samples {
  /** Row-major, one sample after the other, `features` each; finite. */
  readonly values: Float32Array
  /** Class of each sample, below `classes`. */
  readonly labels: Uint8Array
  /** Values of one sample. */
  readonly features: number
  readonly classes: number
  /** What the classes are called, in order. */
  readonly labelNames: readonly string[]
  /** Pixels, when a sample is a grayscale picture; `null` for a table. */
  readonly picture: { readonly width: number; readonly height: number } | null
}

/** How the samples are dealt out to the peers of a test. */
export interface Partition {
  /** Peers. */
  readonly parts: number
  /** Which of them this is, from 0. */
  readonly part: number
  /** Dirichlet concentration: 0.3 is strongly skewed; `null` deals evenly (IID). */
  readonly alpha: number | null
  readonly seed: number
}

/** What may be told of a dataset without telling a sample. */
export interface DatasetSummary {
  /** Samples to train on, and samples kept out. */
  readonly training: number
  readonly heldOut: number
  readonly features: number
  readonly classes: number
  readonly labelNames: readonly string[]
  /** Training samples of each class. */
  readonly perClass: readonly number[]
  readonly picture: { readonly width: number; readonly height: number } | null
  /** Rows left out because a value was missing. */
  readonly dropped: number
}

/** Number of samples. */
export function sampleCount(samples: Samples): number {
  return samples.labels.length
}

/**
 * Refuses samples that do not hold together, before anything is trained on them.
 *
 * @throws {@link InvalidDatasetError} If lengths disagree, a label is no class, a value is not finite, or there is no sample.
 * @throws {@link LimitExceededError} If there are too many samples, bytes or classes.
 */
export function checkSamples(samples: Samples): void {
  const { values, labels, features, classes, labelNames, picture } = samples
  checkSize(labels.length, features)
  if (!Number.isSafeInteger(classes) || classes < 2) throw invalid('classes', classes, 2, 'at least')
  if (classes > DATASET_CLASSES_MAX) throw over('classes', classes, DATASET_CLASSES_MAX)
  if (labelNames.length !== classes) throw invalid('labelNames', labelNames.length, classes, 'exactly')
  if (values.length !== labels.length * features)
    throw invalid('values', values.length, labels.length * features, 'exactly')
  if (picture !== null && picture.width * picture.height !== features) {
    throw invalid('picture', picture.width * picture.height, features, 'pixels exactly')
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number
    if (label >= classes) {
      throw new InvalidDatasetError(`Label of sample ${i} is ${label}, limit ${classes - 1} at most`, {
        field: 'labels',
        row: i,
        value: label,
        limit: classes - 1,
      })
    }
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (!Number.isFinite(value)) {
      throw new InvalidDatasetError(
        `Feature ${i % features} of sample ${Math.floor(i / features)} is ${value}, not finite`,
        {
          field: 'values',
          row: Math.floor(i / features),
          column: i % features,
          value: String(value),
        },
      )
    }
  }
}

/**
 * Refuses a size before memory is taken for it: `count` samples of `features` 32-bit floats.
 *
 * @throws {@link InvalidDatasetError} If either is below 1.
 * @throws {@link LimitExceededError} If there are too many samples or bytes.
 */
export function checkSize(count: number, features: number): void {
  if (!Number.isSafeInteger(features) || features < 1) throw invalid('features', features, 1, 'at least')
  if (!Number.isSafeInteger(count) || count < 1) throw invalid('samples', count, 1, 'at least')
  if (count > DATASET_SAMPLES_MAX) throw over('samples', count, DATASET_SAMPLES_MAX)
  const bytes = count * features * Float32Array.BYTES_PER_ELEMENT
  if (bytes > DATASET_BYTES_MAX) throw over('bytes', bytes, DATASET_BYTES_MAX)
}

/** The samples at `rows`, in that order, as a dataset of its own. */
export function takeSamples(samples: Samples, rows: ArrayLike<number>): Samples {
  const { features } = samples
  const values = new Float32Array(rows.length * features)
  const labels = new Uint8Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    values.set(samples.values.subarray(row * features, (row + 1) * features), i * features)
    labels[i] = samples.labels[row] as number
  }
  return { ...samples, values, labels }
}

/** Samples of each class. */
export function classCounts(samples: Samples): number[] {
  const counts = new Array<number>(samples.classes).fill(0)
  for (const label of samples.labels) counts[label] = (counts[label] ?? 0) + 1
  return counts
}

function invalid(field: string, value: number, limit: number, how: string): InvalidDatasetError {
  return new InvalidDatasetError(`Dataset has ${field} ${value}, limit ${limit} ${how}`, { field, value, limit })
}

function over(field: string, value: number, limit: number): LimitExceededError {
  return new LimitExceededError(`Dataset has ${field} ${value}, limit ${limit}`, { field, value, limit })
}
