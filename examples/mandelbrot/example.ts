import { decimalOption, defineExample, inputOf, type OptionReader, wholeOption } from '../example.ts'
import { cornersOf, type Tiling, tilesView, tilingOf } from '../tiles.ts'
import job from './job.json' with { type: 'json' }

const INPUT_BYTES = 56

/** Draws the Mandelbrot set, one tile in each unit. */
export const mandelbrot = defineExample({
  id: 'mandelbrot',
  job,
  options: [
    wholeOption('width', {
      label: 'Width',
      help: 'Pixels; rounded up to whole tiles',
      default: '1024',
      min: '64',
      max: '16384',
    }),
    wholeOption('height', {
      label: 'Height',
      help: 'Pixels; rounded up to whole tiles',
      default: '768',
      min: '64',
      max: '16384',
    }),
    wholeOption('tile', {
      label: 'Tile',
      help: 'Edge of the square that one unit draws, pixels',
      default: '128',
      min: '16',
      max: '1024',
    }),
    decimalOption('centreX', {
      label: 'Centre, real',
      help: 'The point in the middle of the picture',
      default: '-0.7436',
      min: '-3',
      max: '3',
    }),
    decimalOption('centreY', {
      label: 'Centre, imaginary',
      help: 'The point in the middle of the picture',
      default: '0.1318',
      min: '-3',
      max: '3',
    }),
    decimalOption('span', {
      label: 'Span',
      help: 'Width of the picture in the plane; smaller is deeper',
      default: '0.0046',
      min: '1e-12',
      max: '8',
    }),
    wholeOption('iterations', {
      label: 'Iterations',
      help: 'How long a point is followed before it counts as inside',
      default: '1000',
      min: '16',
      max: '1000000',
    }),
    wholeOption('samples', {
      label: 'Samples',
      help: 'Each pixel is the mean of this many points squared',
      default: '2',
      min: '1',
      max: '8',
    }),
  ],
  plan(read) {
    const tiling = tilingOf(read.count('width'), read.count('height'), read.count('tile'))
    const inputs = [...cornersOf(tiling)].map((corner) => inputOf(tileInput(read, tiling, corner)))
    const caption = `${tiling.width} × ${tiling.height} pixels, ${read.decimal('span')} wide`
    return { inputs, view: tilesView(tiling), caption }
  },
})

/** The 56 bytes that `mandelbrot.ts` describes. */
function tileInput(read: OptionReader, tiling: Tiling, corner: { readonly x: number; readonly y: number }): Uint8Array {
  const view = new DataView(new ArrayBuffer(INPUT_BYTES))
  const doubles = [read.decimal('centreX'), read.decimal('centreY'), read.decimal('span') / tiling.width]
  const { width, height, tileWidth, tileHeight } = tiling
  const { x, y } = corner
  const words = [width, height, x, y, tileWidth, tileHeight, read.count('iterations'), read.count('samples')]
  doubles.forEach((value, i) => {
    view.setFloat64(i * 8, value, true)
  })
  words.forEach((value, i) => {
    view.setUint32(24 + i * 4, value, true)
  })
  return new Uint8Array(view.buffer)
}
