import { collatz } from './collatz/example.ts'
import type { Example, ExampleValues } from './example.ts'
import { mandelbrot } from './mandelbrot/example.ts'
import { optionPrice } from './option-price/example.ts'
import { rayTracer } from './ray-tracer/example.ts'

/** All examples, in the order they are shown. */
export const EXAMPLES: readonly Example[] = [mandelbrot, rayTracer, collatz, optionPrice]

/** The job that a fresh room runs by itself: 48 tiles of some tens of milliseconds each. */
export const WELCOME: { readonly example: Example; readonly values: ExampleValues } = {
  example: mandelbrot,
  values: {},
}

export function exampleById(id: string): Example | null {
  return EXAMPLES.find((example) => example.id === id) ?? null
}
