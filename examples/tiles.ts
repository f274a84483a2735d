import type { ResultView } from '../src/node/contract.ts'

/** A picture cut into equal tiles. */
export interface Tiling {
  readonly width: number
  readonly height: number
  readonly columns: number
  readonly rows: number
  readonly tileWidth: number
  readonly tileHeight: number
}

/** Cuts a picture into squares of `tileEdge`; its size is rounded up to whole tiles, so that all are equal. */
export function tilingOf(width: number, height: number, tileEdge: number): Tiling {
  const columns = Math.ceil(width / tileEdge)
  const rows = Math.ceil(height / tileEdge)
  return {
    width: columns * tileEdge,
    height: rows * tileEdge,
    columns,
    rows,
    tileWidth: tileEdge,
    tileHeight: tileEdge,
  }
}

/** Upper left corners of the tiles, row by row: unit `i` draws tile `i`. */
export function* cornersOf(tiling: Tiling): Generator<{ readonly x: number; readonly y: number }> {
  for (let row = 0; row < tiling.rows; row++) {
    for (let column = 0; column < tiling.columns; column++)
      yield { x: column * tiling.tileWidth, y: row * tiling.tileHeight }
  }
}

export function tilesView({ columns, rows, tileWidth, tileHeight }: Tiling): ResultView {
  return { kind: 'tiles', columns, rows, tileWidth, tileHeight }
}

/** Copies a tile's RGBA bytes to its place in the RGBA bytes of the whole picture. */
export function placeTile(picture: Uint8Array, tiling: Tiling, unit: number, tile: Uint8Array): void {
  const rowBytes = tiling.tileWidth * 4
  const x = (unit % tiling.columns) * rowBytes
  const y = Math.floor(unit / tiling.columns) * tiling.tileHeight
  for (let row = 0; row < tiling.tileHeight; row++) {
    picture.set(tile.subarray(row * rowBytes, (row + 1) * rowBytes), (y + row) * tiling.width * 4 + x)
  }
}
