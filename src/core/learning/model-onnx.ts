/**
 * ONNX, IR version 8, operator set 13. Field numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; the wire format is protobuf's.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { type Architecture, inputsOf, type Layer, layersOf, type TensorSpec } from './model.ts'
import { checkExport, floatBytes, type ModelExport } from './model-safetensors.ts'

const IR_VERSION = 8
const OPERATOR_SET = 13
const TENSOR_FLOAT = 1
const TENSOR_INT64 = 7
const ATTRIBUTE_INT = 2
const ATTRIBUTE_INTS = 7
/** Wire type of strings, bytes and messages. */
const DELIMITED = 2
const VARINT = 0

type Write = (writer: BinaryWriter) => void
type Attributes = Readonly<Record<string, number | readonly number[]>>

/**
 * Writes a model as ONNX: `samples` (float, batch × inputs) in, `probabilities` (float, batch × outputs) out. Samples are to be
 * normalised as in training. The classes are in the metadata, as JSON.
 *
 * @throws {@link InvalidModelError} If the weights or classes do not fit the architecture, or a weight is not finite.
 */
export function writeOnnx(model: ModelExport): Uint8Array<ArrayBuffer> {
  checkExport(model)
  const bytes = encoded((writer) => {
    writer.tag(1, VARINT).int64(IR_VERSION)
    writer.tag(2, DELIMITED).string('starling')
    message(writer, 7, (graph) => writeGraph(graph, model))
    message(writer, 8, (operators) => operators.tag(2, VARINT).int64(OPERATOR_SET))
    message(writer, 14, (property) => {
      property.tag(1, DELIMITED).string('classes')
      property.tag(2, DELIMITED).string(JSON.stringify(model.classes))
    })
  })
  return new Uint8Array(bytes)
}

function writeGraph(graph: BinaryWriter, { architecture, weights }: ModelExport): void {
  const layers = layersOf(architecture)
  writeNodes(graph, architecture, layers)
  graph.tag(2, DELIMITED).string(architecture.kind)
  for (const { weight, bias } of layers) {
    writeTensor(graph, weight, weights)
    writeTensor(graph, bias, weights)
  }
  if (architecture.kind === 'conv') {
    const shape = [-1n, 1n, BigInt(architecture.height), BigInt(architecture.width)]
    message(graph, 5, (tensor) => {
      tensor.tag(1, VARINT).int64(shape.length)
      tensor.tag(2, VARINT).int32(TENSOR_INT64)
      tensor.tag(8, DELIMITED).string('picture')
      tensor.tag(9, DELIMITED).bytes(int64Bytes(shape))
    })
  }
  message(graph, 11, (value) => writeValue(value, 'samples', inputsOf(architecture)))
  message(graph, 12, (value) => writeValue(value, 'probabilities', architecture.outputs))
}

function writeNodes(graph: BinaryWriter, architecture: Architecture, layers: readonly Layer[]): void {
  let signal = 'samples'
  const node = (operator: string, inputs: readonly string[], attributes: Attributes = {}, output?: string) => {
    const name = output ?? `${operator.toLowerCase()}.${inputs[1] ?? signal}`
    writeNode(graph, { operator, inputs: [signal, ...inputs], output: name, attributes })
    signal = name
  }
  if (architecture.kind === 'conv') node('Reshape', ['picture'])
  let flat = architecture.kind === 'mlp'
  for (const layer of layers) {
    if (layer.kind === 'conv') {
      node('Conv', [layer.weight.name, layer.bias.name], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
      node('Relu', [])
      node('AveragePool', [], { kernel_shape: [2, 2], strides: [2, 2] })
      continue
    }
    if (!flat) node('Flatten', [], { axis: 1 })
    flat = true
    node('Gemm', [layer.weight.name, layer.bias.name], { transB: 1 })
    if (layer.relu) node('Relu', [])
  }
  node('Softmax', [], { axis: 1 }, 'probabilities')
}

function writeNode(
  graph: BinaryWriter,
  node: {
    readonly operator: string
    readonly inputs: readonly string[]
    readonly output: string
    readonly attributes: Attributes
  },
): void {
  message(graph, 1, (writer) => {
    for (const input of node.inputs) writer.tag(1, DELIMITED).string(input)
    writer.tag(2, DELIMITED).string(node.output)
    writer.tag(3, DELIMITED).string(node.output)
    writer.tag(4, DELIMITED).string(node.operator)
    for (const [name, value] of Object.entries(node.attributes)) {
      message(writer, 5, (attribute) => {
        attribute.tag(1, DELIMITED).string(name)
        if (typeof value === 'number') attribute.tag(3, VARINT).int64(value)
        else for (const item of value) attribute.tag(8, VARINT).int64(item)
        attribute.tag(20, VARINT).int32(typeof value === 'number' ? ATTRIBUTE_INT : ATTRIBUTE_INTS)
      })
    }
  })
}

function writeTensor(graph: BinaryWriter, { name, shape, offset, length }: TensorSpec, weights: Float32Array): void {
  message(graph, 5, (tensor) => {
    for (const side of shape) tensor.tag(1, VARINT).int64(side)
    tensor.tag(2, VARINT).int32(TENSOR_FLOAT)
    tensor.tag(8, DELIMITED).string(name)
    tensor.tag(9, DELIMITED).bytes(floatBytes(weights.subarray(offset, offset + length)))
  })
}

/** A float tensor of any number of rows of `width`. */
function writeValue(value: BinaryWriter, name: string, width: number): void {
  value.tag(1, DELIMITED).string(name)
  message(value, 2, (type) =>
    message(type, 1, (tensor) => {
      tensor.tag(1, VARINT).int32(TENSOR_FLOAT)
      message(tensor, 2, (shape) => {
        message(shape, 1, (dimension) => dimension.tag(2, DELIMITED).string('batch'))
        message(shape, 1, (dimension) => dimension.tag(1, VARINT).int64(width))
      })
    }),
  )
}

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, DELIMITED).fork()
  write(writer)
  writer.join()
}

function encoded(write: Write): Uint8Array {
  const writer = new BinaryWriter()
  write(writer)
  return writer.finish()
}

function int64Bytes(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setBigInt64(i * 8, value, true)
  return bytes
}
