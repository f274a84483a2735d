#include "kernel.h"
// Recursive quicksort of pseudo-random numbers.
static NOINLINE void sort(u32 *values, i32 low, i32 high) {
  while (low < high) {
    u32 pivot = values[(low + high) / 2];
    i32 i = low, j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        u32 swap = values[i];
        values[i++] = values[j];
        values[j--] = swap;
      }
    }
    if (j - low < high - i) sort(values, low, j), low = i;
    else sort(values, i, high), high = j;
  }
}
static void run(const u8 *input, i32 length) {
  u32 n = argument(input, length, 0), seed = argument(input, length, 1) | 1, hash = 0;
  u32 *values = starling_alloc((i32)(n * 4));
  for (u32 i = 0; i < n; i++) {
    seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
    values[i] = seed;
  }
  sort(values, 0, (i32)n - 1);
  for (u32 i = 0; i < n; i++) hash = hash * 31 + values[i];
  put_u32(hash);
  put_u32(n ? values[n / 2] : 0);
}
