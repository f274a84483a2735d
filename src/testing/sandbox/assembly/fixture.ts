// What the sandbox's tests run: the first byte of the input chooses what happens, a little-endian u32 after it says how much.

const ECHO: u8 = 0
const SPIN: u8 = 1
const LOOP: u8 = 2
const RECURSE: u8 = 3
const TRAP: u8 = 4
const GROW: u8 = 5
const LONG_OUTPUT: u8 = 6
const WILD_OUTPUT: u8 = 7
const COUNT_CALLS: u8 = 8
const DIVIDE: u8 = 9
const BEYOND_MEMORY: u8 = 10
const NAN_BITS: u8 = 11

let calls: i32 = 0
let sink: f64 = 0

export function starling_alloc(length: i32): usize {
  calls++
  return heap.alloc(<usize>max(length, 1))
}

export function starling_run(pointer: usize, length: i32): u64 {
  const kind = load<u8>(pointer)
  const amount = length >= 5 ? load<u32>(pointer, 1) : 0
  if (kind == ECHO) return (<u64>pointer << 32) | <u64>length
  if (kind == SPIN) return answer(spin(amount))
  if (kind == LOOP) for (;;) sink += 1.0
  if (kind == RECURSE) return answer(recurse(amount))
  if (kind == TRAP) unreachable()
  if (kind == GROW) return answer(<u32>memory.grow(amount))
  if (kind == LONG_OUTPUT) {
    memory.grow(<i32>(amount >>> 16) + 1)
    return <u64>amount
  }
  if (kind == WILD_OUTPUT) return (<u64>0xffff0000 << 32) | <u64>amount
  if (kind == COUNT_CALLS) return answer(<u32>calls)
  if (kind == DIVIDE) return answer(100 / amount)
  if (kind == BEYOND_MEMORY) return answer(load<u32>(<usize>amount))
  if (kind == NAN_BITS) return nanBits(<f64>amount)
  return 0
}

function answer(value: u32): u64 {
  const at = heap.alloc(4)
  store<u32>(at, value)
  return (<u64>at << 32) | 4
}

/** A recurrence that no compiler shortens: about one nanosecond for each turn. */
function spin(turns: u32): u32 {
  let state: u32 = 1
  for (let i: u32 = 0; i < turns; i++) state = state * 747796405 + 2891336453
  return state
}

function recurse(depth: u32): u32 {
  if (depth == 0) return 0
  return recurse(depth - 1) * 31 + depth
}

/** 0 / 0 and its negative differ between processors before their bits are made canonical. */
function nanBits(zero: f64): u64 {
  const at = heap.alloc(16)
  const nan = zero / zero
  store<f64>(at, nan)
  store<f64>(at, -nan + 1.0, 8)
  return (<u64>at << 32) | 16
}
