// Paths no file can have: too long, not UTF-8, with a NUL; and pointers to nowhere.
#include "wasi.h"

static char path[5000];
static u8 record[256];

static u32 stat_error(const void *at, u32 length) { return path_filestat_get(TMP, 0, at, length, record); }

static void lengths(void) {
  for (u32 i = 0; i < 5000; i++) path[i] = 'n';
  IS(path_create_directory(TMP, path, 255), OK);
  IS(path_create_directory(TMP, path, 256), NAMETOOLONG);
  IS(stat_error(path, 255), OK);
  IS(stat_error(path, 256), NAMETOOLONG);
  IS(stat_error(path, 4097), NAMETOOLONG);
  IS(stat_error(path, ~0u), NAMETOOLONG);
  // 85 times three bytes fit a name, 86 times do not.
  for (u32 i = 0; i < 258; i += 3) memcpy(path + i, "\xe2\x82\xac", 3);
  touch(TMP, "seed");
  IS(path_rename(TMP, S("seed"), TMP, path, 255), OK);
  IS(path_rename(TMP, path, 255, TMP, path, 258), NAMETOOLONG);
  IS(path_unlink_file(TMP, path, 255), OK);
  for (u32 i = 0; i < 5000; i++) path[i] = i % 2 ? '/' : '.';
  IS(stat_error(path, 4096), OK);
  IS(path_symlink(path, 4097, TMP, S("l")), NAMETOOLONG);
  IS(path_symlink(path, 4096, TMP, S("l")), OK);
  IS(path_filestat_get(TMP, FOLLOW, S("l"), record), OK);
}

static void encodings(void) {
  static const char *bad[] = {"\xff", "a\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ab\xe2\x82", "\x80"};
  for (u32 i = 0; i < 6; i++) {
    IS(stat_error(S(bad[i])), ILSEQ);
    IS(path_create_directory(TMP, S(bad[i])), ILSEQ);
    IS(open_error(TMP, 0, bad[i], CREAT, 0), ILSEQ);
    IS(path_symlink(S(bad[i]), TMP, S("x")), ILSEQ);
  }
  // Also where it is long enough to be decoded another way.
  for (u32 i = 0; i < 64; i++) path[i] = 'a';
  path[63] = '\xff';
  IS(stat_error(path, 64), ILSEQ);
  IS(stat_error("a\0b", 3), INVAL);
  IS(stat_error("\0", 1), INVAL);
  // A byte order mark is a character like any other, and case counts.
  touch(TMP, "\xef\xbb\xbf" "bom");
  IS(stat_error(S("bom")), NOENT);
  IS(stat_error(S("\xef\xbb\xbf" "bom")), OK);
  touch(TMP, "Case");
  IS(stat_error(S("case")), NOENT);
  // No normal form is imposed: two spellings of one letter are two names.
  touch(TMP, "\xc3\xa9");
  touch(TMP, "e\xcc\x81");
  // What means something elsewhere means nothing here.
  touch(TMP, "C:\\con");
  touch(TMP, "...");
  touch(TMP, "__proto__");
  IS(stat_error(S("__proto__")), OK);
  IS(stat_error(S("constructor")), NOENT);
}

static void pointers(void) {
  u32 n;
  IS(path_create_directory(TMP, BAD, 20), FAULT);
  IS(path_remove_directory(TMP, BAD, 20), FAULT);
  IS(path_unlink_file(TMP, BAD, 20), FAULT);
  IS(path_filestat_get(TMP, 0, BAD, 20, record), FAULT);
  IS(path_filestat_get(TMP, 0, S("Case"), BAD), FAULT);
  IS(path_filestat_set_times(TMP, 0, BAD, 20, 0, 0, 0), FAULT);
  IS(path_open(TMP, 0, BAD, 20, CREAT, 0, 0, 0, &n), FAULT);
  IS(path_open(TMP, 0, S("unmade"), CREAT, 0, 0, 0, BAD), FAULT);
  IS(stat_error(S("unmade")), NOENT);
  IS(path_link(TMP, 0, BAD, 20, TMP, S("x")), FAULT);
  IS(path_link(TMP, 0, S("Case"), TMP, BAD, 20), FAULT);
  IS(path_rename(TMP, BAD, 20, TMP, S("x")), FAULT);
  IS(path_rename(TMP, S("Case"), TMP, BAD, 20), FAULT);
  IS(path_symlink(BAD, 20, TMP, S("x")), FAULT);
  IS(path_symlink(S("Case"), TMP, BAD, 20), FAULT);
  IS(path_readlink(TMP, BAD, 20, record, 256, &n), FAULT);
  IS(fd_filestat_get(TMP, BAD), FAULT);
  IS(fd_fdstat_get(TMP, BAD), FAULT);
  IS(fd_tell(OPENED(TMP, "Case", 0, FILE_RIGHTS), BAD), FAULT);
}

// A read into memory that has just grown: 128 pages more, and the last bytes of them.
static void growth(void) {
  u32 pages = __builtin_wasm_memory_grow(0, 128);
  u8 *end = (u8 *)((pages + 128) * 65536);
  IS(random_get(end - 100, 100), OK);
  IS(random_get(end - 100, 101), FAULT);
  u64 time;
  IS(__builtin_wasm_memory_grow(0, 1), pages + 128);
  IS(clock_time_get(0, 0, end), OK);
  IS(clock_time_get(0, 0, &time), OK);
}

void _start(void) {
  lengths();
  encodings();
  pointers();
  growth();
}
