#include "kernel.h"
// Takeuchi's function: four calls an activation, three arguments.
static NOINLINE i32 tak(i32 x, i32 y, i32 z) {
  if (y >= x) return z;
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}
static void run(const u8 *input, i32 length) {
  put_u32((u32)tak((i32)argument(input, length, 0), (i32)argument(input, length, 1), (i32)argument(input, length, 2)));
}
