#include "kernel.h"
#include <wasm_simd128.h>
// NaNs in vector lanes, of both widths, seen through stores, integer lanes, shuffles and conversions.
// Not optimised: what matters is which instructions run, and clang 14 does not finish on this file at -O1.
#pragma clang optimize off
static void put(v128_t value) {
  put_u64((u64)wasm_i64x2_extract_lane(value, 0));
  put_u64((u64)wasm_i64x2_extract_lane(value, 1));
}
static void run(const u8 *input, i32 length) {
  u32 a = argument(input, length, 0), b = argument(input, length, 1);
  v128_t x = wasm_i32x4_make((i32)a, (i32)b, 0x7f800000, (i32)0xff800000), y = wasm_i64x2_make((i64)a << 32 | b, 0x7ff0000000000000);
  v128_t one = wasm_f32x4_splat(1), minus = wasm_f64x2_splat(-1);
  put(wasm_f32x4_add(x, one)), put(wasm_f32x4_sub(x, x)), put(wasm_f32x4_mul(x, wasm_f32x4_splat(0))), put(wasm_f32x4_div(x, x));
  put(wasm_f32x4_sqrt(x)), put(wasm_f32x4_min(x, one)), put(wasm_f32x4_max(one, x)), put(wasm_f32x4_ceil(x)), put(wasm_f32x4_floor(x));
  put(wasm_f32x4_trunc(x)), put(wasm_f32x4_nearest(x)), put(wasm_f32x4_neg(x)), put(wasm_f32x4_abs(x));
  put(wasm_f32x4_pmin(x, one)), put(wasm_f32x4_pmax(wasm_f32x4_sub(x, x), one)), put(wasm_f32x4_neg(wasm_f32x4_sub(x, x)));
  put(wasm_f64x2_add(y, minus)), put(wasm_f64x2_sub(y, y)), put(wasm_f64x2_mul(y, wasm_f64x2_splat(0))), put(wasm_f64x2_div(y, y));
  put(wasm_f64x2_sqrt(wasm_f64x2_neg(y))), put(wasm_f64x2_min(y, minus)), put(wasm_f64x2_max(minus, y)), put(wasm_f64x2_ceil(y));
  put(wasm_f64x2_floor(y)), put(wasm_f64x2_trunc(y)), put(wasm_f64x2_nearest(y)), put(wasm_f64x2_pmin(y, minus));
  put(wasm_f32x4_demote_f64x2_zero(y)), put(wasm_f64x2_promote_low_f32x4(x));
  put(wasm_i32x4_add(wasm_f32x4_add(x, one), one)), put(wasm_v128_xor(wasm_f64x2_sub(y, y), wasm_f32x4_sub(x, x)));
  put(wasm_i32x4_shuffle(wasm_f32x4_sub(x, x), wasm_f64x2_sub(y, y), 0, 5, 2, 7)), put(wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_sub(x, x)));
  put_f32(wasm_f32x4_extract_lane(wasm_f32x4_sub(x, x), 2)), put_f64(wasm_f64x2_extract_lane(wasm_f64x2_mul(y, minus), 0));
  put(wasm_f32x4_replace_lane(x, 1, wasm_f32x4_extract_lane(x, 2) - wasm_f32x4_extract_lane(x, 2)));
  v128_t sum = one;
  for (u32 i = 0; i < 8; i++) sum = wasm_f32x4_add(sum, i == 4 ? x : one);
  put(sum);
}
