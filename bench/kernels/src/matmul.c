#include "kernel.h"
// Product of two n by n matrices of doubles.
static void run(const u8 *input, i32 length) {
  u32 n = argument(input, length, 0);
  double *a = starling_alloc((i32)(n * n * 8)), *b = starling_alloc((i32)(n * n * 8)), *c = starling_alloc((i32)(n * n * 8));
  for (u32 i = 0; i < n * n; i++) a[i] = (double)(i % 17) - 8.25, b[i] = 1.0 / (double)(i + 1);
  for (u32 i = 0; i < n; i++)
    for (u32 j = 0; j < n; j++) {
      double sum = 0;
      for (u32 k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
      c[i * n + j] = sum;
    }
  double trace = 0;
  for (u32 i = 0; i < n; i++) trace += c[i * n + i];
  put_f64(trace);
  for (u32 i = 0; i < n; i++) put_f64(c[i * n + (i * 7) % n]);
}
