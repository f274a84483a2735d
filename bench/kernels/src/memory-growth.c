#include "kernel.h"
// Grows memory until refused, touching every page, and reports what it got.
static void run(const u8 *input, i32 length) {
  u32 step = argument(input, length, 0), wanted = argument(input, length, 1), got = 0, hash = 0;
  while (got < wanted) {
    unsigned long old = __builtin_wasm_memory_grow(0, step);
    if (old == (unsigned long)-1) break;
    got += step;
    for (u32 page = 0; page < step; page++) {
      u32 *word = (u32 *)((old + page) << 16);
      hash = hash * 31 + *word + (u32)(old + page);
      *word = hash;
    }
  }
  put_u32(got);
  put_u32((u32)__builtin_wasm_memory_grow(0, 65536));
  put_u32((u32)__builtin_wasm_memory_size(0));
  put_u32(hash);
}
