// Conway's Game of Life on a torus, in AssemblyScript.
let heap: usize = __heap_base

export function starling_alloc(length: i32): usize {
  const at = (heap + 15) & ~15
  heap = at + length
  const have = (<usize>memory.size()) << 16
  if (heap > have && memory.grow(<i32>((heap - have + 65535) >> 16)) < 0) unreachable()
  return at
}

function alive(cells: usize, size: i32, x: i32, y: i32): i32 {
  return load<u8>(cells + ((y + size) % size) * size + ((x + size) % size))
}

export function starling_run(input: usize, length: i32): i64 {
  const size = load<i32>(input)
  const turns = load<i32>(input, 4)
  let now = starling_alloc(size * size)
  let next = starling_alloc(size * size)
  let seed: u32 = 1
  for (let i = 0; i < size * size; i++) {
    seed = seed * 1664525 + 1013904223
    store<u8>(now + i, seed >> 28 < 5 ? 1 : 0)
  }
  for (let turn = 0; turn < turns; turn++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        let count = 0
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) if (dx != 0 || dy != 0) count += alive(now, size, x + dx, y + dy)
        }
        store<u8>(next + y * size + x, count == 3 || (count == 2 && alive(now, size, x, y)) ? 1 : 0)
      }
    }
    const swap = now
    now = next
    next = swap
  }
  return ((<i64>now) << 32) | <i64>(size * size)
}
