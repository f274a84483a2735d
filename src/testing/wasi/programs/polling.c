// poll_oneoff: time is virtual, and everything else is ready. Input "abc".
#include "wasi.h"

static subscription subs[4];
static event events[4];
static u32 n;

static u64 now(u32 clock) {
  u64 time;
  IS(clock_time_get(clock, 0, &time), OK);
  return time;
}
static void wait_for(u32 at, u32 clock, u64 timeout, u16 flags) {
  subs[at] = (subscription){.userdata = 100 + at, .tag = 0};
  subs[at].u.clock.id = clock;
  subs[at].u.clock.timeout = timeout;
  subs[at].u.clock.flags = flags;
}
static void watch(u32 at, u8 tag, u32 fd) {
  subs[at] = (subscription){.userdata = 100 + at, .tag = tag};
  subs[at].u.fd.fd = fd;
}

static void clocks(void) {
  u64 second = 1000000000, start = now(1), cpu = now(2);
  wait_for(0, 1, 3600 * second, 0);
  IS(poll_oneoff(subs, events, 1, &n), OK);
  IS(n, 1);
  IS(events[0].userdata, 100);
  IS(events[0].error, OK);
  IS(events[0].type, 0);
  u64 passed = now(1) - start;
  TRUE(passed >= 3600 * second && passed < 3601 * second);
  // Sleeping is not computing.
  TRUE(now(2) - cpu < second);
  // The earliest of several, and all that are due with it; absolute times on either clock; times gone by.
  wait_for(0, 1, 10 * second, 0);
  wait_for(1, 0, now(0) + 5 * second, 1);
  wait_for(2, 1, 5 * second, 0);
  start = now(1);
  IS(poll_oneoff(subs, events, 3, &n), OK);
  IS(n, 1);
  IS(events[0].userdata, 101);
  TRUE(now(1) - start <= 5 * second);
  wait_for(0, 1, 1, 1);
  wait_for(1, 1, 0, 0);
  wait_for(2, 1, 1, 0);
  IS(poll_oneoff(subs, events, 3, &n), OK);
  IS(n, 2);
  IS(events[1].userdata, 101);
  // A clock that stands still while one sleeps, and one that does not exist.
  wait_for(0, 2, second, 0);
  wait_for(1, 7, second, 0);
  wait_for(2, 1, second, 0);
  start = now(1);
  IS(poll_oneoff(subs, events, 3, &n), OK);
  IS(n, 2);
  IS(events[0].error, NOTSUP);
  IS(events[1].error, INVAL);
  TRUE(now(1) - start < second);
  wait_for(0, 1, second, 2);
  IS(poll_oneoff(subs, events, 1, &n), INVAL);
}

static void descriptors(void) {
  u64 start = now(1);
  u32 file = OPENED(TMP, "f", CREAT, FILE_RIGHTS);
  IS(write_bytes(file, "12345", 5), 5);
  watch(0, 1, 0);
  watch(1, 2, 1);
  watch(2, 1, 77);
  wait_for(3, 1, 1000000000, 0);
  IS(poll_oneoff(subs, events, 4, &n), OK);
  IS(n, 3);
  IS(events[0].userdata, 100);
  IS(events[0].type, 1);
  IS(events[0].error, OK);
  IS(events[0].bytes, 3);
  IS(events[0].flags, 0);
  IS(events[1].type, 2);
  IS(events[1].error, OK);
  IS(events[2].error, BADF);
  TRUE(now(1) - start < 1000000000);
  u64 at;
  IS(fd_seek(file, 1, SET, &at), OK);
  watch(0, 1, file);
  watch(1, 2, file);
  watch(2, 1, TMP);
  watch(3, 2, 0);
  IS(poll_oneoff(subs, events, 4, &n), OK);
  IS(n, 4);
  IS(events[0].bytes, 4);
  IS(events[1].error, OK);
  IS(events[2].error, ISDIR);
  IS(events[3].error, NOTCAPABLE);
  // At the end of a pipe nobody writes to.
  char text[8];
  IS(read_bytes(0, text, 8), 3);
  watch(0, 1, 0);
  IS(poll_oneoff(subs, events, 1, &n), OK);
  IS(n, 1);
  IS(events[0].bytes, 0);
  IS(events[0].flags, 1);
}

static void bad(void) {
  watch(0, 3, 0);
  IS(poll_oneoff(subs, events, 1, &n), INVAL);
  watch(0, 1, 0);
  IS(poll_oneoff(subs, events, 0, &n), INVAL);
  IS(poll_oneoff(subs, events, 5000, &n), INVAL);
  IS(poll_oneoff(subs, events, ~0u, &n), INVAL);
  IS(poll_oneoff(BAD, events, 1, &n), FAULT);
  IS(poll_oneoff(subs, BAD, 1, &n), FAULT);
  IS(poll_oneoff(subs, events, 1, BAD), FAULT);
  IS(poll_oneoff(subs, events, 4096, &n), FAULT);
}

void _start(void) {
  clocks();
  descriptors();
  bad();
}
