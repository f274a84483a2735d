#include "kernel.h"
// Largest singular value of an infinite matrix, cut at n.
static double entry(u32 i, u32 j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }
static void multiply(u32 n, const double *x, double *out, int transposed) {
  for (u32 i = 0; i < n; i++) {
    double sum = 0;
    for (u32 j = 0; j < n; j++) sum += (transposed ? entry(j, i) : entry(i, j)) * x[j];
    out[i] = sum;
  }
}
static void run(const u8 *input, i32 length) {
  u32 n = argument(input, length, 0);
  double *u = starling_alloc((i32)(n * 8)), *v = starling_alloc((i32)(n * 8)), *t = starling_alloc((i32)(n * 8));
  for (u32 i = 0; i < n; i++) u[i] = 1;
  for (int round = 0; round < 4; round++) {
    multiply(n, u, t, 0), multiply(n, t, v, 1);
    multiply(n, v, t, 0), multiply(n, t, u, 1);
  }
  double uv = 0, vv = 0;
  for (u32 i = 0; i < n; i++) uv += u[i] * v[i], vv += v[i] * v[i];
  put_f64(__builtin_sqrt(uv / vv));
}
