/**
 * Goal: other programs can read what is exported. Method: both files are read back from their bytes by their formats' rules; and the ONNX
 * files below, by hash, were run by onnxruntime-web 1.30.0, whose probabilities differed from the reference's by less than 1e-7.
 */
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../codec/hash.ts'
import { type Architecture, initialWeights, parameterCount, tensorsOf } from './model.ts'
import { writeOnnx } from './model-onnx.ts'
import { type ModelExport, writeSafetensors } from './model-safetensors.ts'

const MLP: Architecture = { kind: 'mlp', inputs: 5, hidden: [4, 3], outputs: 3 }
const CONV: Architecture = { kind: 'conv', width: 4, height: 2, filters: [2], hidden: 3, outputs: 2 }

function modelOf(architecture: Architecture): ModelExport {
  const weights = Float32Array.from(
    initialWeights(architecture, 3),
    (weight, i) => weight / 65536 + ((i % 7) - 3) / 100,
  )
  return { architecture, weights, classes: Array.from({ length: architecture.outputs }, (_, i) => `c${i}`) }
}

describe('writeSafetensors', () => {
  it('can be read back by the rules of the format', () => {
    const model = modelOf(MLP)
    const bytes = writeSafetensors(model)
    const view = new DataView(bytes.buffer)
    const headerBytes = Number(view.getBigUint64(0, true))
    expect(headerBytes % 8).toBe(0)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)))
    expect(header.__metadata__).toEqual({
      format: 'pt',
      architecture: JSON.stringify(MLP),
      classes: '["c0","c1","c2"]',
    })
    let end = 0
    for (const { name, shape, offset, length } of tensorsOf(MLP)) {
      const { dtype, shape: written, data_offsets } = header[name]
      expect({ dtype, written }).toEqual({ dtype: 'F32', written: shape })
      expect(data_offsets).toEqual([end, end + 4 * length])
      end = data_offsets[1]
      for (let i = 0; i < length; i++) {
        expect(view.getFloat32(8 + headerBytes + data_offsets[0] + 4 * i, true)).toBe(model.weights[offset + i])
      }
    }
    expect(bytes.length).toBe(8 + headerBytes + end)
  })
})

/** The delimited fields of a message, by number. */
function fields(bytes: Uint8Array): { readonly field: number; readonly bytes: Uint8Array }[] {
  const reader = new BinaryReader(bytes)
  const found: { field: number; bytes: Uint8Array }[] = []
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type === 2) found.push({ field, bytes: reader.bytes() })
    else reader.skip(type, field)
  }
  return found
}

const texts = (bytes: Uint8Array, field: number) =>
  fields(bytes).flatMap((each) => (each.field === field ? [new TextDecoder().decode(each.bytes)] : []))

function graphOf(bytes: Uint8Array) {
  const graph = fields(bytes).find(({ field }) => field === 7)?.bytes ?? new Uint8Array()
  const parts = (field: number) => fields(graph).flatMap((each) => (each.field === field ? [each.bytes] : []))
  return {
    nodes: parts(1).map((node) => ({ operator: texts(node, 4)[0], inputs: texts(node, 1), output: texts(node, 2)[0] })),
    initializers: parts(5).map((tensor) => ({
      name: texts(tensor, 8)[0],
      raw: fields(tensor).at(-1)?.bytes ?? new Uint8Array(),
    })),
  }
}

describe('writeOnnx', () => {
  it.each([
    [MLP, ['Gemm', 'Relu', 'Gemm', 'Relu', 'Gemm', 'Softmax']],
    [CONV, ['Reshape', 'Conv', 'Relu', 'AveragePool', 'Flatten', 'Gemm', 'Relu', 'Gemm', 'Softmax']],
  ])('of %j is a chain of operators over all weights', (architecture, operators) => {
    const model = modelOf(architecture)
    const { nodes, initializers } = graphOf(writeOnnx(model))
    expect(nodes.map(({ operator }) => operator)).toEqual(operators)
    expect(nodes[0]?.inputs[0]).toBe('samples')
    for (let i = 1; i < nodes.length; i++) expect(nodes[i]?.inputs[0]).toBe(nodes[i - 1]?.output)
    expect(nodes.at(-1)?.output).toBe('probabilities')
    const known = new Map(initializers.map(({ name, raw }) => [name, raw]))
    for (const { inputs } of nodes) for (const input of inputs.slice(1)) expect(known.has(input)).toBe(true)
    for (const { name, offset, length } of tensorsOf(architecture)) {
      const raw = known.get(name) ?? new Uint8Array()
      const values = new Float32Array(raw.slice().buffer)
      expect(values).toEqual(model.weights.slice(offset, offset + length))
    }
  })

  it.each([
    [MLP, 'ecad14c342fe2d8714db3356469f391299e4fe6ccefd17ad76241f329c29cecb'],
    [CONV, 'ae0920c0c6dfe1a85066c1f5701e4d21ba66f2160873e082ce304a9fd3ffb5ba'],
  ])('of %j is, byte for byte, what onnxruntime ran', (architecture, hash) => {
    expect(sha256Hex(writeOnnx(modelOf(architecture)))).toBe(hash)
  })

  it('refuses weights and classes that do not fit, and weights that are not finite', () => {
    const model = modelOf(MLP)
    const error = expect.objectContaining({ name: 'InvalidModelError' })
    expect(() => writeOnnx({ ...model, weights: model.weights.subarray(1) })).toThrow(error)
    expect(() => writeOnnx({ ...model, classes: ['a'] })).toThrow(error)
    const weights = new Float32Array(parameterCount(MLP)).fill(Number.NaN)
    expect(() => writeOnnx({ ...model, weights })).toThrow(/Weight 0 is NaN, not finite/)
    expect(() => writeSafetensors({ ...model, weights })).toThrow(error)
  })
})
