#include "kernel.h"
// Iteration counts of a square piece of the Mandelbrot set.
static void run(const u8 *input, i32 length) {
  u32 size = argument(input, length, 0), limit = argument(input, length, 1), hash = 2166136261u;
  for (u32 row = 0; row < size; row++)
    for (u32 column = 0; column < size; column++) {
      double cx = -2.2 + 3.0 * column / size, cy = -1.5 + 3.0 * row / size, x = 0, y = 0;
      u32 count = 0;
      while (count < limit && x * x + y * y <= 4) {
        double next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        count++;
      }
      hash = (hash ^ count) * 16777619u;
    }
  put_u32(hash);
}
