#include "kernel.h"
// Number of ways to place n queens, by backtracking on bit sets.
static NOINLINE u32 place(u32 all, u32 columns, u32 left, u32 right) {
  if (columns == all) return 1;
  u32 count = 0, free = all & ~(columns | left | right);
  while (free) {
    u32 bit = free & -free;
    free -= bit;
    count += place(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}
static void run(const u8 *input, i32 length) { put_u32(place((1u << argument(input, length, 0)) - 1, 0, 0, 0)); }
