import { LimitExceededError } from '../../core/codec/errors.ts'
import { checkSamples, checkSize, type Samples } from '../../core/learning/dataset.ts'
import { readIdx } from '../../core/learning/dataset-idx.ts'
import { inferSchema, readTable, type TableSchema } from '../../core/learning/dataset-table.ts'
import { InvalidDatasetError } from '../../core/learning/errors.ts'
import { DATASET_CLASSES_MAX, PICTURE_SIDE_MAX } from '../../core/learning/limits.ts'
import type { DatasetSource, FileContent } from './contract.ts'
import { readDigits } from './digits.ts'
import { gunzip, isGzip } from './gunzip.ts'
import { FILE_BYTES_MAX, PICTURE_BYTES_MAX, PICTURE_FILES_MAX } from './limits.ts'
import type { TrainingPlatform } from './platform.ts'
import { readCsv } from './read-csv.ts'

export interface ReadDataset {
  readonly samples: Samples
  readonly dropped: number
  /** How a table was read; `null` for pictures. */
  readonly schema: TableSchema | null
}

/**
 * Reads any source into samples that hold together.
 *
 * @throws {@link InvalidDatasetError} Or {@link LimitExceededError}, naming what does not fit.
 */
export async function readDataset(source: DatasetSource, platform: TrainingPlatform): Promise<ReadDataset> {
  const read = await readSource(source, platform)
  checkSamples(read.samples)
  return read
}

async function readSource(source: DatasetSource, platform: TrainingPlatform): Promise<ReadDataset> {
  const whole = (samples: Samples): ReadDataset => ({ samples, dropped: 0, schema: null })
  switch (source.kind) {
    case 'bundled':
      return whole(await readDigits(await platform.bundledDigits()))
    case 'samples':
      return whole(source.samples)
    case 'idx': {
      const [images, labels] = [await content(source.images, 'images'), await content(source.labels, 'labels')]
      return whole(readIdx(images, labels, { classes: source.classes }))
    }
    case 'csv':
      return readTableFile(source)
    case 'images':
      return whole(await readPictures(source, platform))
    default:
      throw new InvalidDatasetError('Data source has a kind that is not known', { field: 'kind' })
  }
}

async function readTableFile(source: Extract<DatasetSource, { kind: 'csv' }>): Promise<ReadDataset> {
  const table = readCsv(await content(source.file, 'csv'))
  if (source.schema === null && source.label === null) {
    throw new InvalidDatasetError('Table has neither a schema nor the name of its label column', { field: 'label' })
  }
  const schema = source.schema ?? inferSchema(table, { label: source.label ?? '', classes: source.classes })
  return { ...readTable(table, schema, { incompleteRows: source.incompleteRows }), schema }
}

async function readPictures(
  source: Extract<DatasetSource, { kind: 'images' }>,
  platform: TrainingPlatform,
): Promise<Samples> {
  const { files, width, height } = source
  const decode = platform.decodePicture
  if (decode === null)
    throw new InvalidDatasetError('Pictures cannot be decoded here; a browser can', { field: 'images' })
  for (const [field, side] of [['width', width] as const, ['height', height] as const]) {
    if (!Number.isSafeInteger(side) || side < 1 || side > PICTURE_SIDE_MAX) throw over(field, side, PICTURE_SIDE_MAX)
  }
  if (files.length > PICTURE_FILES_MAX) throw over('images', files.length, PICTURE_FILES_MAX)
  const labelNames = source.labels ?? [...new Set(files.map(({ label }) => label))].sort()
  if (labelNames.length > DATASET_CLASSES_MAX) throw over('labels', labelNames.length, DATASET_CLASSES_MAX)
  const features = width * height
  checkSize(files.length, features)
  const values = new Float32Array(files.length * features)
  const labels = new Uint8Array(files.length)
  for (const [i, { file, label }] of files.entries()) {
    const position = labelNames.indexOf(label)
    if (position < 0) throw pictureError(i, `has label "${label.slice(0, 40)}", limit one of the task's classes`)
    if (file.size > PICTURE_BYTES_MAX) throw over(`image ${i + 1} bytes`, file.size, PICTURE_BYTES_MAX)
    const grays = await decode(file, width, height).catch((cause: unknown) => {
      throw pictureError(i, 'is no picture that this browser reads', cause)
    })
    for (let pixel = 0; pixel < features; pixel++) values[i * features + pixel] = (grays[pixel] as number) / 255
    labels[i] = position
  }
  return { values, labels, features, classes: labelNames.length, labelNames, picture: { width, height } }
}

/** A file's bytes, of bounded size; gzip undone. */
async function content(file: FileContent, field: string): Promise<Uint8Array> {
  const bytesCount = file instanceof Uint8Array ? file.length : file.size
  if (bytesCount > FILE_BYTES_MAX) throw over(`${field} bytes`, bytesCount, FILE_BYTES_MAX)
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer())
  return isGzip(bytes) ? gunzip(bytes, field) : bytes
}

function pictureError(index: number, what: string, cause?: unknown): InvalidDatasetError {
  return new InvalidDatasetError(`Image ${index + 1} ${what}`, { field: 'images', row: index + 1 }, { cause })
}

function over(field: string, value: number, limit: number): LimitExceededError {
  return new LimitExceededError(`Data have ${field} ${value}, limit ${limit}`, { field, value, limit })
}
