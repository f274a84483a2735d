#include "kernel.h"
// Mutual recursion that the compiler may not turn into a loop; overflows the stack when asked to.
static NOINLINE u32 odd(u32 n, u32 sum);
static NOINLINE u32 even(u32 n, u32 sum) { return n == 0 ? sum : odd(n - 1, sum * 31 + n) ^ n; }
static NOINLINE u32 odd(u32 n, u32 sum) { return n == 0 ? ~sum : even(n - 1, sum * 33 + n) + n; }
static void run(const u8 *input, i32 length) {
  u32 rounds = argument(input, length, 1);
  u32 total = 0;
  for (u32 i = 0; i <= rounds; i++) total = total * 7 + even(argument(input, length, 0), i);
  put_u32(total);
}
