// Writes to standard output without end: the host ends it.
#include "wasi.h"

static char block[1000];

void _start(void) {
  for (;;) IS(write_bytes(1, block, 1000), 1000);
}
