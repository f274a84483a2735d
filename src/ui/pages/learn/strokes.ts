/** Digits as a hand writes them: lines through points from 0 to 100, for who cannot draw and as a first example. */
export type Stroke = readonly (readonly [number, number])[]

export const DIGIT_STROKES: readonly (readonly Stroke[])[] = [
  [circle(50, 50, 22, 32, -90, 270)],
  [
    [
      [38, 30],
      [54, 16],
      [50, 84],
    ],
  ],
  [[...circle(50, 34, 20, 18, -160, 60), [32, 80], [46, 76], [72, 82]]],
  [[...circle(47, 33, 19, 16, -150, 80), ...circle(47, 65, 22, 18, -70, 150)]],
  [
    [
      [40, 16],
      [28, 54],
      [72, 54],
    ],
    [
      [62, 30],
      [58, 86],
    ],
  ],
  [[[68, 18], [38, 18], [35, 46], ...circle(46, 63, 22, 20, -80, 140)]],
  [[[62, 14], [44, 34], ...circle(48, 64, 17, 19, -170, 200)]],
  [
    [
      [28, 22],
      [70, 20],
      [44, 86],
    ],
  ],
  [[...circle(50, 33, 15, 16, 80, -270), ...circle(50, 67, 18, 18, -90, 270)]],
  [[...circle(48, 36, 17, 18, 0, -350), [65, 34], [58, 88]]],
]

/** Points of an arc, degrees clockwise from the right as the canvas has them. */
function circle(x: number, y: number, rx: number, ry: number, from: number, to: number): [number, number][] {
  const steps = 14
  return Array.from({ length: steps + 1 }, (_, step) => {
    const angle = ((from + ((to - from) * step) / steps) * Math.PI) / 180
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)]
  })
}
