#include "kernel.h"
#include <wasm_simd128.h>
// The same with two points at once in vector lanes.
static void run(const u8 *input, i32 length) {
  u32 size = argument(input, length, 0), limit = argument(input, length, 1), hash = 2166136261u;
  v128_t four = wasm_f64x2_splat(4), two = wasm_f64x2_splat(2);
  for (u32 row = 0; row < size; row++)
    for (u32 column = 0; column < size; column += 2) {
      v128_t cx = wasm_f64x2_make(-2.2 + 3.0 * column / size, -2.2 + 3.0 * (column + 1) / size);
      v128_t cy = wasm_f64x2_splat(-1.5 + 3.0 * row / size), x = wasm_f64x2_splat(0), y = x, counts = x;
      for (u32 count = 0; count < limit; count++) {
        v128_t xx = wasm_f64x2_mul(x, x), yy = wasm_f64x2_mul(y, y);
        v128_t inside = wasm_f64x2_le(wasm_f64x2_add(xx, yy), four);
        if (!wasm_v128_any_true(inside)) break;
        counts = wasm_i64x2_sub(counts, inside);
        y = wasm_f64x2_add(wasm_f64x2_mul(two, wasm_f64x2_mul(x, y)), cy);
        x = wasm_f64x2_add(wasm_f64x2_sub(xx, yy), cx);
      }
      hash = (hash ^ (u32)wasm_i64x2_extract_lane(counts, 0)) * 16777619u;
      hash = (hash ^ (u32)wasm_i64x2_extract_lane(counts, 1)) * 16777619u;
    }
  put_u32(hash);
}
