import { defineExample, wholeOption } from '../example.ts'
import { cornersOf, tilesView, tilingOf } from '../tiles.ts'
import job from './job.json' with { type: 'json' }

/** The size `scene.txt` states; tiles must lie within it. */
const WIDTH = 720
const HEIGHT = 480

/** Renders the still life of `scene.txt`, one tile in each unit. */
export const rayTracer = defineExample({
  id: 'ray-tracer',
  job,
  options: [
    wholeOption('tile', {
      label: 'Tile',
      help: 'Edge of the square that one unit draws, pixels; 720 × 480 is cut evenly by 40, 48, 60, 80 and 120',
      default: '60',
      min: '8',
      max: '240',
    }),
  ],
  plan(read) {
    const edge = read.count('tile')
    if (WIDTH % edge !== 0 || HEIGHT % edge !== 0) throw new RangeError(`Tile is ${edge}; it must divide 720 and 480`)
    const tiling = tilingOf(WIDTH, HEIGHT, edge)
    const inputs = [...cornersOf(tiling)].map(({ x, y }) => ({
      args: ['/in/scene.txt', `${x}`, `${y}`, `${edge}`, `${edge}`, 'rgba'],
      env: [],
      stdin: new Uint8Array(0),
      files: [],
    }))
    return { inputs, view: tilesView(tiling), caption: `${WIDTH} × ${HEIGHT} pixels, 16 samples each` }
  },
})
