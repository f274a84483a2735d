// Bytes into and out of files: positions, vectors, appending, sizes, and the end of the space (64 KiB in this test).
#include "wasi.h"

static u8 block[70000];

static void positions(void) {
  u32 fd = OPENED(TMP, "p", CREAT, FILE_RIGHTS), n;
  u64 at;
  char text[16];
  IS(write_bytes(fd, "0123456789", 10), 10);
  IS(fd_tell(fd, &at), OK);
  IS(at, 10);
  IS(fd_seek(fd, -4, END, &at), OK);
  IS(at, 6);
  IS(read_bytes(fd, text, 16), 4);
  TRUE(same(text, "6789", 4));
  IS(read_bytes(fd, text, 16), 0);
  IS(fd_seek(fd, -8, CUR, &at), OK);
  IS(at, 2);
  IS(fd_seek(fd, -3, CUR, &at), INVAL);
  IS(fd_seek(fd, -1, SET, &at), INVAL);
  IS(fd_seek(fd, 0, 3, &at), INVAL);
  IS(fd_seek(fd, 0, CUR, BAD), FAULT);
  IS(fd_seek(fd, 0x7fffffffffffffff, SET, &at), INVAL);
  IS(fd_tell(fd, &at), OK);
  IS(at, 2);
  iovec v[2] = {{text, 2}, {text + 8, 3}};
  IS(fd_pread(fd, v, 2, 4, &n), OK);
  IS(n, 5);
  TRUE(same(text, "45", 2) && same(text + 8, "678", 3));
  IS(fd_pread(fd, v, 2, 8, &n), OK);
  IS(n, 2);
  IS(fd_pread(fd, v, 2, 1ull << 40, &n), OK);
  IS(n, 0);
  IS(fd_pread(fd, v, 2, ~0ull, &n), INVAL);
  IS(fd_pwrite(fd, v, 2, ~0ull, &n), INVAL);
  IS(fd_pwrite(fd, v, 2, 1ull << 40, &n), FBIG);
  IS(fd_tell(fd, &at), OK);
  IS(at, 2);
  // Past the end, the gap reads as zeros.
  IS(fd_seek(fd, 5, END, &at), OK);
  IS(write_bytes(fd, "X", 1), 1);
  IS(stat_of(TMP, "p").size, 16);
  v[0].length = 6;
  v[0].buffer = text;
  IS(fd_pread(fd, v, 1, 10, &n), OK);
  TRUE(same(text, "\0\0\0\0\0X", 6));
  IS(fd_close(fd), OK);
  IS(path_unlink_file(TMP, S("p")), OK);
}

static void appending(void) {
  u32 fd, n;
  u64 at;
  iovec v = {"zz", 2};
  IS(path_open(TMP, 0, S("a"), CREAT, FILE_RIGHTS, 0, APPEND, &fd), OK);
  IS(write_bytes(fd, "one", 3), 3);
  IS(fd_seek(fd, 0, SET, &at), OK);
  IS(write_bytes(fd, "two", 3), 3);
  IS(fd_tell(fd, &at), OK);
  IS(at, 6);
  IS(fd_pwrite(fd, &v, 1, 1, &n), OK);
  char text[8];
  v = (iovec){text, 8};
  IS(fd_pread(fd, &v, 1, 0, &n), OK);
  IS(n, 6);
  TRUE(same(text, "ozztwo", 6));
  IS(fd_fdstat_set_flags(fd, 0), OK);
  IS(fd_seek(fd, 0, SET, &at), OK);
  IS(write_bytes(fd, "O", 1), 1);
  IS(stat_of(TMP, "a").size, 6);
  IS(fd_close(fd), OK);
  IS(path_unlink_file(TMP, S("a")), OK);
}

static void vectors(void) {
  u32 fd = OPENED(TMP, "v", CREAT, FILE_RIGHTS), n = 77;
  static iovec many[1025];
  for (u32 i = 0; i < 1025; i++) many[i] = (iovec){"ab", i % 3};
  IS(fd_write(fd, many, 1025, &n), INVAL);
  IS(fd_write(fd, many, ~0u, &n), INVAL);
  IS(stat_of(TMP, "v").size, 0);
  IS(fd_write(fd, many, 1024, &n), OK);
  IS(n, 1023);
  many[1] = (iovec){BAD, 100};
  IS(fd_write(fd, many, 2, &n), FAULT);
  IS(fd_read(fd, many, 2, &n), FAULT);
  many[1] = (iovec){block, ~0u};
  IS(fd_write(fd, many, 2, &n), FAULT);
  IS(fd_write(fd, BAD, 1, &n), FAULT);
  IS(fd_write(fd, many, 1, BAD), FAULT);
  IS(stat_of(TMP, "v").size, 1023);
  IS(fd_close(fd), OK);
  IS(path_unlink_file(TMP, S("v")), OK);
}

static void sizes(void) {
  u32 fd = OPENED(TMP, "s", CREAT, FILE_RIGHTS), n;
  char text[4];
  iovec v = {text, 4};
  IS(write_bytes(fd, "abcdef", 6), 6);
  IS(fd_filestat_set_size(fd, 2), OK);
  IS(fd_filestat_set_size(fd, 6), OK);
  IS(fd_pread(fd, &v, 1, 1, &n), OK);
  TRUE(same(text, "b\0\0\0", 4));
  IS(fd_filestat_set_size(fd, 1ull << 40), FBIG);
  IS(fd_filestat_set_size(fd, ~0ull), INVAL);
  IS(fd_filestat_set_size(fd, 1 << 20), NOSPC);
  IS(fd_allocate(fd, 0, 3), OK);
  IS(stat_of(TMP, "s").size, 6);
  IS(fd_allocate(fd, 4, 10), OK);
  IS(stat_of(TMP, "s").size, 14);
  IS(fd_allocate(fd, 0, 0), INVAL);
  IS(fd_allocate(fd, ~0ull, 1), INVAL);
  IS(fd_allocate(fd, 0, ~0ull), INVAL);
  IS(fd_allocate(fd, 0x7fffffffffffffff, 0x7fffffffffffffff), FBIG);
  IS(fd_allocate(fd, 0, 1 << 20), NOSPC);
  IS(stat_of(TMP, "s").size, 14);
  for (u32 advice = 0; advice < 6; advice++) IS(fd_advise(fd, 1, 2, advice), OK);
  IS(fd_advise(fd, 0, 0, 6), INVAL);
  IS(fd_advise(fd, ~0ull, 0, 0), INVAL);
  IS(fd_sync(fd), OK);
  IS(fd_datasync(fd), OK);
  IS(fd_close(fd), OK);
  IS(path_unlink_file(TMP, S("s")), OK);
}

static void space(void) {
  u32 fd = OPENED(TMP, "full", CREAT, FILE_RIGHTS), n;
  // More than fits is taken in part, the next byte is refused; what exists can still be replaced.
  IS(write_bytes(fd, block, 70000), 65536);
  iovec v = {"x", 1};
  IS(fd_write(fd, &v, 1, &n), NOSPC);
  IS(fd_pwrite(fd, &v, 1, 0, &n), OK);
  iovec two[2] = {{"ab", 2}, {"cd", 2}};
  IS(fd_pwrite(fd, two, 2, 65534, &n), OK);
  IS(n, 2);
  u32 other = OPENED(OUT, "other", CREAT, FILE_RIGHTS);
  IS(fd_write(other, &v, 1, &n), NOSPC);
  // Unlinked, it holds its space until it is closed.
  IS(path_unlink_file(TMP, S("full")), OK);
  IS(fd_write(other, &v, 1, &n), NOSPC);
  IS(fd_close(fd), OK);
  IS(fd_write(other, &v, 1, &n), OK);
  IS(fd_filestat_set_size(other, 65536), OK);
  IS(fd_filestat_set_size(other, 3), OK);
  IS(fd_filestat_set_size(other, 65536), OK);
  IS(fd_filestat_set_size(other, 1), OK);
  // Replaced by another descriptor, it is closed as well.
  fd = OPENED(TMP, "full", CREAT, FILE_RIGHTS);
  IS(write_bytes(fd, block, 70000), 65535);
  IS(path_unlink_file(TMP, S("full")), OK);
  IS(fd_pwrite(other, two, 2, 1, &n), NOSPC);
  IS(fd_renumber(OPENED(TMP, "third", CREAT, 0), fd), OK);
  IS(fd_pwrite(other, two, 2, 1, &n), OK);
  IS(fd_filestat_set_size(other, 1), OK);
}

static void directories(void) {
  u32 dir = OPENED(TMP, ".", DIRECTORY, ~0ull & ~RIGHT(WRITE)), n;
  u64 at;
  iovec v = {block, 1};
  IS(fd_read(dir, &v, 1, &n), ISDIR);
  IS(fd_write(dir, &v, 1, &n), ISDIR);
  IS(fd_pread(dir, &v, 1, 0, &n), ISDIR);
  IS(fd_pwrite(dir, &v, 1, 0, &n), ISDIR);
  IS(fd_seek(dir, 0, SET, &at), ISDIR);
  IS(fd_tell(dir, &at), ISDIR);
  IS(fd_filestat_set_size(dir, 0), ISDIR);
  IS(fd_allocate(dir, 0, 1), ISDIR);
  IS(fd_advise(dir, 0, 0, 0), BADF);
  IS(fd_sync(dir), OK);
}

static void closed(void) {
  u32 n;
  u64 at;
  iovec v = {block, 1};
  IS(fd_read(99, &v, 1, &n), BADF);
  IS(fd_write(99, &v, 1, &n), BADF);
  IS(fd_pread(99, &v, 1, 0, &n), BADF);
  IS(fd_pwrite(99, &v, 1, 0, &n), BADF);
  IS(fd_seek(99, 0, SET, &at), BADF);
  IS(fd_tell(99, &at), BADF);
  IS(fd_sync(99), BADF);
  IS(fd_datasync(99), BADF);
  IS(fd_advise(99, 0, 0, 0), BADF);
  IS(fd_allocate(99, 0, 1), BADF);
  IS(fd_filestat_set_size(99, 0), BADF);
  IS(fd_filestat_set_times(99, 0, 0, 0), BADF);
  IS(fd_filestat_get(99, block), BADF);
  IS(fd_fdstat_get(99, block), BADF);
  IS(fd_fdstat_set_flags(99, 0), BADF);
  IS(fd_fdstat_set_rights(99, 0, 0), BADF);
  IS(fd_readdir(99, block, 8, 0, &n), BADF);
  IS(fd_close(99), BADF);
}

void _start(void) {
  positions();
  appending();
  vectors();
  sizes();
  space();
  directories();
  closed();
}
