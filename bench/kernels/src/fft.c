#include "kernel.h"
// In-place radix-2 transform of 2^n complex numbers, with its own sine by recurrence.
static void run(const u8 *input, i32 length) {
  u32 bits = argument(input, length, 0), n = 1u << bits;
  double *re = starling_alloc((i32)(n * 8)), *im = starling_alloc((i32)(n * 8));
  for (u32 i = 0; i < n; i++) re[i] = (double)(i * i % 251) / 251, im[i] = 0;
  for (u32 i = 1, j = 0; i < n; i++) {
    u32 bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      double swap = re[i];
      re[i] = re[j], re[j] = swap;
    }
  }
  double cosine = -1; // of half the turn between neighbours, halved each level
  for (u32 size = 2; size <= n; size <<= 1) {
    double c = cosine, s = -__builtin_sqrt(1 - c * c);
    for (u32 start = 0; start < n; start += size) {
      double wr = 1, wi = 0;
      for (u32 k = 0; k < size / 2; k++) {
        u32 a = start + k, b = a + size / 2;
        double tr = re[b] * wr - im[b] * wi, ti = re[b] * wi + im[b] * wr;
        re[b] = re[a] - tr, im[b] = im[a] - ti, re[a] += tr, im[a] += ti;
        double next = wr * c - wi * s;
        wi = wr * s + wi * c, wr = next;
      }
    }
    cosine = __builtin_sqrt((1 + cosine) / 2);
  }
  double sum = 0;
  for (u32 i = 0; i < n; i++) sum += re[i] * (double)(i & 15) - im[i];
  put_f64(sum);
  for (u32 i = 0; i < 8 && i < n; i++) put_f64(re[i]), put_f64(im[i]);
}
