#include "kernel.h"
// Ackermann's function: deep and branching recursion with tiny frames.
static NOINLINE u32 ackermann(u32 m, u32 n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
static void run(const u8 *input, i32 length) {
  u32 rounds = argument(input, length, 2);
  u32 sum = 0;
  for (u32 i = 0; i <= rounds; i++) sum += ackermann(argument(input, length, 0), argument(input, length, 1));
  put_u32(sum);
}
