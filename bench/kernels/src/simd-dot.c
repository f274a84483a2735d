#include "kernel.h"
#include <wasm_simd128.h>
// Repeated y = a x + y and a dot product in vectors of four floats.
static void run(const u8 *input, i32 length) {
  u32 n = argument(input, length, 0) & ~3u, rounds = argument(input, length, 1);
  float *x = starling_alloc((i32)(n * 4)), *y = starling_alloc((i32)(n * 4));
  for (u32 i = 0; i < n; i++) x[i] = (float)(i % 100) / 100, y[i] = 1 / (float)(i + 1);
  v128_t a = wasm_f32x4_splat(0.001f), dot = wasm_f32x4_splat(0);
  for (u32 round = 0; round < rounds; round++)
    for (u32 i = 0; i < n; i += 4) {
      v128_t next = wasm_f32x4_add(wasm_f32x4_mul(a, wasm_v128_load(x + i)), wasm_v128_load(y + i));
      wasm_v128_store(y + i, next);
      dot = wasm_f32x4_add(dot, wasm_f32x4_mul(next, wasm_v128_load(x + i)));
    }
  for (int lane = 0; lane < 4; lane++) put_f32(((float *)&dot)[lane]);
}
