// Arguments, environment, clocks, randomness, yielding, signals and the end of a program.
#include "wasi.h"

static char buffer[256];
static char *pointers[8];

static void arguments(void) {
  u32 count, size;
  IS(args_sizes_get(&count, &size), OK);
  IS(count, 3);
  IS(size, 8 + 1 + 6);
  IS(args_get(pointers, buffer), OK);
  TRUE(same(pointers[0], "process", 8));
  TRUE(same(pointers[1], "", 1));
  TRUE(same(pointers[2], "h\xc3\xa9 b", 6));
  TRUE(pointers[1] == buffer + 8);
  IS(args_sizes_get(BAD, &size), FAULT);
  IS(args_sizes_get(&count, BAD), FAULT);
  IS(args_get(BAD, buffer), FAULT);
  IS(args_get(pointers, BAD), FAULT);
}

static void environment(void) {
  u32 count, size;
  IS(environ_sizes_get(&count, &size), OK);
  IS(count, 2);
  IS(size, 4 + 4);
  IS(environ_get(pointers, buffer), OK);
  TRUE(same(pointers[0], "A=1", 4));
  TRUE(same(pointers[1], "B==", 4));
  IS(environ_sizes_get(BAD, &size), FAULT);
  IS(environ_get(pointers, BAD), FAULT);
}

static void clocks(void) {
  for (u32 id = 0; id < 4; id++) {
    u64 step, before, after;
    IS(clock_res_get(id, &step), OK);
    TRUE(step > 0);
    IS(clock_time_get(id, 0, &before), OK);
    IS(clock_time_get(id, ~0ull, &after), OK);
    IS(after - before, step);
  }
  u64 time;
  IS(clock_time_get(0, 0, &time), OK);
  IS(time / 1000000000, 1577836800);
  IS(clock_res_get(4, &time), INVAL);
  IS(clock_time_get(4, 0, &time), INVAL);
  IS(clock_time_get(~0u, 0, &time), INVAL);
  IS(clock_res_get(0, BAD), FAULT);
  IS(clock_time_get(0, 0, BAD), FAULT);
}

static void randomness(void) {
  static u8 bytes[1000];
  u32 seen = 0, ones = 0;
  IS(random_get(bytes, 0), OK);
  IS(random_get(bytes + 1, 998), OK);
  IS(bytes[0], 0);
  IS(bytes[999], 0);
  for (u32 i = 1; i < 999; i++) {
    seen |= bytes[i];
    for (u32 bit = 0; bit < 8; bit++) ones += bytes[i] >> bit & 1;
  }
  IS(seen, 255);
  TRUE(ones > 3600 && ones < 4400);
  IS(random_get(BAD, 100), FAULT);
  IS(random_get(bytes, ~0u), FAULT);
}

static void signals(void) {
  IS(proc_raise(0), OK);
  IS(proc_raise(16), OK);
  IS(proc_raise(18), NOTSUP);
  IS(proc_raise(31), INVAL);
  IS(proc_raise(~0u), INVAL);
}

void _start(void) {
  arguments();
  environment();
  clocks();
  randomness();
  signals();
  IS(sched_yield(), OK);
  IS(write_bytes(1, "done\n", 5), 5);
  proc_exit(42);
}
