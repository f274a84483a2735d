#include "kernel.h"
// Rounding, denormals, signed zeros, extremes and conversions in both widths.
static const u64 edges[] = {0, 1, 0x8000000000000000, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000, 0x3ff0000000000001,
    0xbff8000000000000, 0x4330000000000001, 0x43e0000000000000, 0xc3e0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
    0xfff0000000000000, 0x7ff8000000000000, 0x36a0000000000000, 0x380fffffe0000000, 0x47efffffe0000000, 0x47effffff0000000};
#define COUNT (sizeof edges / 8)
static void run(const u8 *input, i32 length) {
  u32 from = argument(input, length, 0);
  for (u32 i = from; i < COUNT; i++) {
    double x;
    __builtin_memcpy(&x, &edges[i], 8);
    float f = (float)x;
    put_f32(f), put_f64(__builtin_rint(x)), put_f64(__builtin_floor(-x)), put_f64(__builtin_sqrt(x)), put_f32(f * f), put_f32(f / 3);
    put_u64((u64)(x == x && x < 9e18 && x > -9e18 ? (i64)x : 0)), put_f64((double)(i64)edges[i]), put_f32((float)edges[i]);
    for (u32 j = from; j < COUNT; j++) {
      double y;
      __builtin_memcpy(&y, &edges[j], 8);
      put_f64(x + y), put_f64(x - y), put_f64(x * y), put_f64(x / y), put_f64(__builtin_wasm_min_f64(x, y));
      put_f64(__builtin_wasm_max_f64(x, y)), put_f32(f + (float)y), put_f32(f * (float)y), put_u32((x < y) | (x == y) << 1);
    }
  }
}
