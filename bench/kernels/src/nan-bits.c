#include "kernel.h"
// Every scalar way to make a NaN, with the bits written out raw, and the ways to carry given bits unchanged.
static NOINLINE double through_call(double a, double b) { return a - b; }
static volatile double infinity = 1e308;
static void run(const u8 *input, i32 length) {
  double x, inf = infinity * 10, zero = infinity * 0;
  u64 bits = (u64)argument(input, length, 1) << 32 | argument(input, length, 0);
  __builtin_memcpy(&x, &bits, 8);
  float f = (float)x, finf = (float)inf, fzero = (float)zero;
  put_u64(bits);
  put_f64(x);                           // carried: must stay as given
  put_f64(inf - inf), put_f64(-inf + inf), put_f64(zero / zero), put_f64(-zero / zero), put_f64(inf * zero), put_f64(inf / inf);
  put_f64(__builtin_sqrt(-inf)), put_f64(x + 1), put_f64(1 - x), put_f64(x * -1), put_f64(x / 3), put_f64(x + x);
  put_f64(__builtin_sqrt(x)), put_f64(__builtin_ceil(x)), put_f64(__builtin_floor(x)), put_f64(__builtin_trunc(x));
  put_f64(__builtin_rint(x)), put_f64(__builtin_wasm_min_f64(x, 1)), put_f64(__builtin_wasm_max_f64(1, x));
  put_f64(__builtin_fabs(x)), put_f64(-x), put_f64(__builtin_copysign(1.5, inf - inf)), put_f64(__builtin_copysign(inf - inf, -1));
  put_f64(through_call(inf, inf)), put_f64(-through_call(inf, inf)), put_f64(__builtin_fabs(x - x));
  put_f32(f), put_f32(finf - finf), put_f32(fzero / fzero), put_f32(f + 1), put_f32(f * -2), put_f32(__builtin_sqrtf(f));
  put_f32(__builtin_wasm_min_f32(f, 1)), put_f32(__builtin_ceilf(f)), put_f64((double)f), put_f64((double)(f + 1));
  double sum = 0, chosen = x;
  for (u32 i = 0; i < 10; i++) {
    sum += i == 5 ? x : 1;              // accumulates in a local over a loop
    chosen = i & 1 ? chosen : sum + i;  // mixes carried and computed bits
    put_f64(chosen);
    chosen = x;
  }
  put_f64(sum);
}
