#include "kernel.h"
// Edit distance between the first half of the input and the second, repeated `input[0]` times.
static void run(const u8 *input, i32 length) {
  u32 rounds = length ? input[0] : 0, half = length ? ((u32)length - 1) / 2 : 0;
  const u8 *a = input + 1, *b = a + half;
  u32 *row = starling_alloc((i32)((half + 1) * 4)), total = 0;
  for (u32 round = 0; round <= rounds; round++) {
    for (u32 j = 0; j <= half; j++) row[j] = j;
    for (u32 i = 1; i <= half; i++) {
      u32 diagonal = row[0];
      row[0] = i;
      for (u32 j = 1; j <= half; j++) {
        u32 best = diagonal + (a[i - 1] != b[(j - 1 + round) % half]);
        diagonal = row[j];
        if (row[j] + 1 < best) best = row[j] + 1;
        if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
        row[j] = best;
      }
    }
    total = total * 3 + row[half];
  }
  put_u32(total);
}
