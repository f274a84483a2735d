/**
 * The safetensors format: a 64-bit little-endian header length, a JSON header that says where each tensor lies, and the data.
 * Source: https://github.com/huggingface/safetensors, "Format".
 */

import { InvalidModelError } from './errors.ts'
import { type Architecture, parameterCount, tensorsOf } from './model.ts'

const LENGTH_BYTES = 8
const ALIGNMENT = 8
const FLOAT_BYTES = 4

export interface ModelExport {
  readonly architecture: Architecture
  /** Flat, in units of weights. */
  readonly weights: Float32Array
  /** Names of the classes, one for each output. */
  readonly classes: readonly string[]
}

/**
 * Writes a model as safetensors: `layers.<n>.weight` and `layers.<n>.bias`, F32, shaped as PyTorch has them. The architecture and the
 * classes are in the metadata, as JSON.
 *
 * @throws {@link InvalidModelError} If the weights or classes do not fit the architecture, or a weight is not finite.
 */
export function writeSafetensors(model: ModelExport): Uint8Array<ArrayBuffer> {
  checkExport(model)
  const { architecture, weights, classes } = model
  const entries: Record<string, unknown> = {
    __metadata__: {
      format: 'pt',
      architecture: JSON.stringify(architecture),
      classes: JSON.stringify(classes),
    },
  }
  for (const { name, shape, offset, length } of tensorsOf(architecture)) {
    const data_offsets = [offset * FLOAT_BYTES, (offset + length) * FLOAT_BYTES]
    entries[name] = { dtype: 'F32', shape, data_offsets }
  }
  const text = new TextEncoder().encode(JSON.stringify(entries))
  const headerBytes = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + weights.length * FLOAT_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(headerBytes), true)
  // The header is filled up with spaces, which are white space in JSON.
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes)
  bytes.set(text, LENGTH_BYTES)
  bytes.set(floatBytes(weights), LENGTH_BYTES + headerBytes)
  return bytes
}

/** Little-endian, whatever the machine is. */
export function floatBytes(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * FLOAT_BYTES)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) view.setFloat32(i * FLOAT_BYTES, values[i] as number, true)
  return bytes
}

/** @throws {@link InvalidModelError} */
export function checkExport({ architecture, weights, classes }: ModelExport): void {
  const expected = parameterCount(architecture)
  if (weights.length !== expected) throw misfit('weights', weights.length, expected)
  if (classes.length !== architecture.outputs) throw misfit('classes', classes.length, architecture.outputs)
  const broken = weights.findIndex((weight) => !Number.isFinite(weight))
  if (broken >= 0) {
    throw new InvalidModelError(`Weight ${broken} is ${weights[broken]}, not finite`, {
      field: 'weights',
      index: broken,
    })
  }
}

function misfit(field: string, value: number, limit: number): InvalidModelError {
  return new InvalidModelError(`Model has ${field} ${value}, limit ${limit} exactly`, { field, value, limit })
}
