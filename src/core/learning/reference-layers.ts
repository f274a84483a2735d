/**
 * Forward and backward passes of the layers, in plain loops over typed arrays: the oracle of every faster engine, and what computes where
 * none works. Buffers come from the caller; gradients are added to what is there.
 */
import { type ConvLayer, type DenseLayer, KERNEL_SIDE } from './model.ts'

/** 64-bit for gradient checks, 32-bit for training. */
export type Vector = Float32Array | Float64Array

/** `out[b][j] = bias[j] + Σᵢ weight[j][i] · in[b][i]`, through ReLU if the layer has it. */
export function denseForward(layer: DenseLayer, weights: Vector, input: Vector, output: Vector, count: number): void {
  const { inputs, outputs, relu } = layer
  for (let j = 0; j < outputs; j++) {
    const row = layer.weight.offset + j * inputs
    const bias = weights[layer.bias.offset + j] as number
    for (let b = 0; b < count; b++) {
      const sample = b * inputs
      let sum = bias
      for (let i = 0; i < inputs; i++) sum += (weights[row + i] as number) * (input[sample + i] as number)
      output[b * outputs + j] = relu && sum < 0 ? 0 : sum
    }
  }
}

/**
 * @param output - What {@link denseForward} made; ReLU passes no gradient where it is zero.
 * @param delta - Gradient by the output; masked in place.
 * @param inputDelta - Receives the gradient by the input; `null` for the first layer.
 */
export function denseBackward(
  layer: DenseLayer,
  weights: Vector,
  pass: { readonly input: Vector; readonly output: Vector; readonly delta: Vector; readonly inputDelta: Vector | null },
  gradient: Vector,
  count: number,
): void {
  const { inputs, outputs, relu } = layer
  const { input, output, delta, inputDelta } = pass
  if (relu) maskRelu(output, delta, count * outputs)
  inputDelta?.fill(0, 0, count * inputs)
  for (let j = 0; j < outputs; j++) {
    const row = layer.weight.offset + j * inputs
    let bias = 0
    for (let b = 0; b < count; b++) {
      const change = delta[b * outputs + j] as number
      if (change === 0) continue
      bias += change
      const sample = b * inputs
      for (let i = 0; i < inputs; i++) {
        gradient[row + i] = (gradient[row + i] as number) + change * (input[sample + i] as number)
      }
      if (inputDelta === null) continue
      for (let i = 0; i < inputs; i++) {
        inputDelta[sample + i] = (inputDelta[sample + i] as number) + change * (weights[row + i] as number)
      }
    }
    gradient[layer.bias.offset + j] = (gradient[layer.bias.offset + j] as number) + bias
  }
}

/**
 * 3×3 convolution with zero padding, ReLU into `maps`, then 2×2 means into `output`. Channels first: `[b][channel][y][x]`.
 *
 * @param maps - `count × outputs × height × width`: kept for the backward pass.
 */
export function convForward(
  layer: ConvLayer,
  weights: Vector,
  pass: { readonly input: Vector; readonly maps: Vector; readonly output: Vector },
  count: number,
): void {
  const { inputs, outputs, width, height } = layer
  const { input, maps, output } = pass
  const pixels = width * height
  for (let b = 0; b < count; b++) {
    for (let o = 0; o < outputs; o++) {
      const map = (b * outputs + o) * pixels
      maps.fill(weights[layer.bias.offset + o] as number, map, map + pixels)
      for (let c = 0; c < inputs; c++) {
        const kernel = layer.weight.offset + (o * inputs + c) * KERNEL_SIDE ** 2
        eachTap(layer, (tap, shift, x0, x1, y0, y1) => {
          const weight = weights[kernel + tap] as number
          const from = (b * inputs + c) * pixels + shift
          for (let y = y0; y < y1; y++) {
            for (let at = y * width + x0; at < y * width + x1; at++) {
              maps[map + at] = (maps[map + at] as number) + weight * (input[from + at] as number)
            }
          }
        })
      }
      for (let at = map; at < map + pixels; at++) if ((maps[at] as number) < 0) maps[at] = 0
      pool(maps, map, output, map / 4, width, height)
    }
  }
}

/** As {@link denseBackward}. `mapsDelta` is room for the gradient by the maps, as large as they. */
export function convBackward(
  layer: ConvLayer,
  weights: Vector,
  pass: {
    readonly input: Vector
    readonly maps: Vector
    readonly delta: Vector
    readonly mapsDelta: Vector
    readonly inputDelta: Vector | null
  },
  gradient: Vector,
  count: number,
): void {
  const { inputs, outputs, width, height } = layer
  const { input, maps, delta, mapsDelta, inputDelta } = pass
  const pixels = width * height
  inputDelta?.fill(0, 0, count * inputs * pixels)
  for (let b = 0; b < count; b++) {
    for (let o = 0; o < outputs; o++) {
      const map = (b * outputs + o) * pixels
      unpool(delta, map / 4, mapsDelta, map, width, height)
      let bias = 0
      for (let at = map; at < map + pixels; at++) {
        if (maps[at] === 0) mapsDelta[at] = 0
        bias += mapsDelta[at] as number
      }
      gradient[layer.bias.offset + o] = (gradient[layer.bias.offset + o] as number) + bias
      for (let c = 0; c < inputs; c++) {
        const kernel = layer.weight.offset + (o * inputs + c) * KERNEL_SIDE ** 2
        eachTap(layer, (tap, shift, x0, x1, y0, y1) => {
          const weight = weights[kernel + tap] as number
          const from = (b * inputs + c) * pixels + shift
          let sum = 0
          for (let y = y0; y < y1; y++) {
            for (let at = y * width + x0; at < y * width + x1; at++) {
              const change = mapsDelta[map + at] as number
              sum += change * (input[from + at] as number)
              if (inputDelta !== null) inputDelta[from + at] = (inputDelta[from + at] as number) + weight * change
            }
          }
          gradient[kernel + tap] = (gradient[kernel + tap] as number) + sum
        })
      }
    }
  }
}

/** The nine taps of a kernel: how far the input lies from the output's pixel, and the pixels for which it lies inside the picture. */
function eachTap(
  { width, height }: ConvLayer,
  visit: (tap: number, shift: number, x0: number, x1: number, y0: number, y1: number) => void,
): void {
  for (let tap = 0; tap < KERNEL_SIDE ** 2; tap++) {
    const dx = (tap % KERNEL_SIDE) - 1
    const dy = Math.floor(tap / KERNEL_SIDE) - 1
    visit(tap, dy * width + dx, Math.max(0, -dx), width - Math.max(0, dx), Math.max(0, -dy), height - Math.max(0, dy))
  }
}

function pool(maps: Vector, map: number, output: Vector, to: number, width: number, height: number): void {
  for (let y = 0; y < height / 2; y++) {
    for (let x = 0; x < width / 2; x++) {
      const at = map + 2 * y * width + 2 * x
      const upper = (maps[at] as number) + (maps[at + 1] as number)
      const lower = (maps[at + width] as number) + (maps[at + width + 1] as number)
      output[to + (y * width) / 2 + x] = (upper + lower) / 4
    }
  }
}

function unpool(delta: Vector, from: number, mapsDelta: Vector, map: number, width: number, height: number): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      mapsDelta[map + y * width + x] = (delta[from + ((y >> 1) * width) / 2 + (x >> 1)] as number) / 4
    }
  }
}

function maskRelu(output: Vector, delta: Vector, length: number): void {
  for (let i = 0; i < length; i++) if ((output[i] as number) <= 0) delta[i] = 0
}
