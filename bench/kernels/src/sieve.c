#include "kernel.h"
// Primes below n by the sieve of Eratosthenes.
static void run(const u8 *input, i32 length) {
  u32 n = argument(input, length, 0);
  u8 *composite = starling_alloc((i32)n + 1);
  u32 count = 0, sum = 0;
  for (u32 i = 0; i <= n; i++) composite[i] = 0;
  for (u32 i = 2; i <= n; i++) {
    if (composite[i]) continue;
    count++;
    sum = sum * 31 + i;
    for (u64 j = (u64)i * i; j <= n; j += i) composite[j] = 1;
  }
  put_u32(count);
  put_u32(sum);
}
