// Times of files: set by the program, and stamped by virtual time.
#include "wasi.h"

static u64 now(void) {
  u64 time;
  IS(clock_time_get(0, 0, &time), OK);
  return time;
}

void _start(void) {
  u64 before = now();
  touch(TMP, "f");
  filestat s = stat_of(TMP, "f");
  TRUE(s.modified >= before && s.modified <= now());
  TRUE(s.accessed >= before && s.changed >= s.modified);
  u32 fd = OPENED(TMP, "f", 0, FILE_RIGHTS);
  IS(fd_filestat_set_times(fd, 100, 200, ATIM | MTIM), OK);
  s = stat_of(TMP, "f");
  IS(s.accessed, 100);
  IS(s.modified, 200);
  TRUE(s.changed > before);
  IS(fd_filestat_set_times(fd, 300, 400, ATIM), OK);
  s = stat_of(TMP, "f");
  IS(s.accessed, 300);
  IS(s.modified, 200);
  IS(fd_filestat_set_times(fd, ~0ull, ~0ull, MTIM), OK);
  IS(stat_of(TMP, "f").modified, ~0ull);
  before = now();
  IS(fd_filestat_set_times(fd, 1, 1, ATIM_NOW | MTIM_NOW), OK);
  s = stat_of(TMP, "f");
  TRUE(s.accessed > before && s.accessed < now());
  IS(s.accessed, s.modified);
  IS(fd_filestat_set_times(fd, 5, 5, 0), OK);
  IS(stat_of(TMP, "f").modified, s.modified);
  IS(fd_filestat_set_times(fd, 1, 1, ATIM | ATIM_NOW), INVAL);
  IS(fd_filestat_set_times(fd, 1, 1, MTIM | MTIM_NOW), INVAL);
  IS(fd_filestat_set_times(fd, 1, 1, 16), INVAL);
  IS(path_filestat_set_times(TMP, 0, S("f"), 1, 1, ATIM | ATIM_NOW), INVAL);
  IS(path_filestat_set_times(TMP, 0, S("f"), 1, 1, 32), INVAL);
  IS(path_filestat_set_times(TMP, 2, S("f"), 1, 1, 0), INVAL);
  IS(path_filestat_get(TMP, 2, S("f"), &s), INVAL);
  IS(path_filestat_set_times(TMP, 0, S("none"), 1, 1, 0), NOENT);
  IS(path_filestat_set_times(99, 0, S("f"), 1, 1, 0), BADF);
  IS(path_filestat_get(99, 0, S("f"), &s), BADF);
  IS(path_filestat_set_times(TMP, 0, S("f"), 11, 12, ATIM | MTIM), OK);
  s = stat_of(TMP, "f");
  IS(s.accessed, 11);
  IS(s.modified, 12);

  // Writing, cutting and extending modify; reading and looking do not.
  IS(write_bytes(fd, "x", 1), 1);
  u64 written = stat_of(TMP, "f").modified;
  TRUE(written > before);
  char text[2];
  IS(read_bytes(fd, text, 2), 0);
  IS(write_bytes(fd, "", 0), 0);
  IS(stat_of(TMP, "f").modified, written);
  IS(fd_filestat_set_size(fd, 5), OK);
  u64 resized = stat_of(TMP, "f").modified;
  TRUE(resized > written);
  IS(fd_allocate(fd, 0, 9), OK);
  u64 allocated = stat_of(TMP, "f").modified;
  TRUE(allocated > resized);
  IS(fd_close(OPENED(TMP, "f", TRUNC, 0)), OK);
  TRUE(stat_of(TMP, "f").modified > allocated);

  // Names made or removed modify the directory, and change what they name.
  u64 dir = stat_of(TMP, ".").modified, file = stat_of(TMP, "f").changed;
  IS(path_link(TMP, 0, S("f"), TMP, S("g")), OK);
  TRUE(stat_of(TMP, ".").modified > dir);
  TRUE(stat_of(TMP, "f").changed > file);
  dir = stat_of(TMP, ".").modified;
  IS(path_unlink_file(TMP, S("g")), OK);
  TRUE(stat_of(TMP, ".").modified > dir);
  // What was there from the start has the time of the start.
  IS(stat_of(ROOT, "in/b").modified, 1577836800000000000);
  IS(stat_of(ROOT, "in").modified, 1577836800000000000);
}
