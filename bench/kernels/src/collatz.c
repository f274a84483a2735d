#include "kernel.h"
// The longest Collatz sequence that starts in [from, to).
static void run(const u8 *input, i32 length) {
  u32 from = argument(input, length, 0), to = argument(input, length, 1);
  u32 best = 0, best_steps = 0;
  for (u32 start = from ? from : 1; start < to; start++) {
    u64 value = start;
    u32 steps = 0;
    while (value != 1) {
      value = value & 1 ? 3 * value + 1 : value >> 1;
      steps++;
    }
    if (steps > best_steps) best = start, best_steps = steps;
  }
  put_u32(best);
  put_u32(best_steps);
}
