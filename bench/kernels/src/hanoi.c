#include "kernel.h"
// The towers of Hanoi, counting and hashing moves.
static u32 hash, moves;
static NOINLINE void hanoi(u32 n, u32 from, u32 to, u32 over) {
  if (n == 0) return;
  hanoi(n - 1, from, over, to);
  hash = hash * 31 + from * 3 + to;
  moves++;
  hanoi(n - 1, over, to, from);
}
static void run(const u8 *input, i32 length) {
  hanoi(argument(input, length, 0), 0, 2, 1);
  put_u32(moves);
  put_u32(hash);
}
