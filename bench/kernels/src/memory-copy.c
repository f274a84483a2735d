#include "kernel.h"
// Bulk copies and fills of many sizes, overlapping both ways.
static void run(const u8 *input, i32 length) {
  u32 rounds = argument(input, length, 0), size = argument(input, length, 1), hash = 0;
  u8 *buffer = starling_alloc((i32)(size * 2 + 1));
  for (u32 i = 0; i < size * 2; i++) buffer[i] = (u8)(i * 7);
  for (u32 i = 0; i < rounds; i++) {
    __builtin_memmove(buffer + i % 61, buffer + i % 127, size);
    __builtin_memset(buffer + i % size, (int)i, size / 8);
    __builtin_memcpy(buffer + size + i % 3, buffer, size / 2);
    hash = hash * 31 + buffer[(i * 97) % (size * 2)];
  }
  put_u32(hash);
}
