// path_open: what flags and rights make of a path.
#include "wasi.h"

static void flags(void) {
  u32 fd;
  touch(TMP, "file");
  IS(path_create_directory(TMP, S("dir")), OK);
  IS(open_error(TMP, FOLLOW, "none", 0, 0), NOENT);
  IS(open_error(TMP, FOLLOW, "none/none", CREAT, 0), NOENT);
  IS(open_error(TMP, FOLLOW, "file/none", CREAT, 0), NOTDIR);
  IS(open_error(TMP, FOLLOW, "file/", 0, 0), NOTDIR);
  IS(open_error(TMP, FOLLOW, "file/.", 0, 0), NOTDIR);
  IS(open_error(TMP, FOLLOW, "new/", CREAT, 0), ISDIR);
  IS(open_error(TMP, FOLLOW, "", 0, 0), NOENT);
  IS(open_error(TMP, FOLLOW, "file", CREAT | EXCL, 0), EXIST);
  IS(open_error(TMP, FOLLOW, "file", DIRECTORY, 0), NOTDIR);
  IS(open_error(TMP, FOLLOW, "new", CREAT | DIRECTORY, 0), INVAL);
  IS(open_error(TMP, FOLLOW, "dir", CREAT, 0), ISDIR);
  IS(open_error(TMP, FOLLOW, "dir", CREAT | EXCL, 0), EXIST);
  IS(open_error(TMP, FOLLOW, "dir", TRUNC, 0), ISDIR);
  IS(open_error(TMP, FOLLOW, "dir", 0, RIGHT(WRITE)), ISDIR);
  IS(open_error(TMP, FOLLOW, "dir", DIRECTORY, RIGHT(READ)), OK);
  IS(open_error(TMP, FOLLOW, "dir///", DIRECTORY, 0), OK);
  IS(open_error(TMP, FOLLOW, "././/dir/../dir/.", DIRECTORY, 0), OK);
  IS(open_error(TMP, FOLLOW, "file", 16, 0), INVAL);
  IS(open_error(TMP, 2, "file", 0, 0), INVAL);
  IS(path_open(TMP, 0, S("file"), 0, 0, 0, 32, &fd), INVAL);
  IS(path_open(TMP, 0, S("file"), 0, 0, 0, 31, &fd), OK);
  fdstat d;
  IS(fd_fdstat_get(fd, &d), OK);
  IS(d.flags, 31);
  IS(fd_fdstat_set_flags(fd, 0), NOTCAPABLE);
  fd = OPENED(TMP, "file", 0, FILE_RIGHTS);
  IS(fd_fdstat_set_flags(fd, 32), INVAL);
  IS(fd_fdstat_set_flags(fd, APPEND | SYNCFLAG), OK);
  IS(fd_fdstat_get(fd, &d), OK);
  IS(d.flags, APPEND | SYNCFLAG);
  IS(write_bytes(fd, "12345", 5), 5);
  u32 cut = OPENED(TMP, "file", TRUNC | CREAT, RIGHT(WRITE));
  IS(stat_of(TMP, "file").size, 0);
  IS(fd_close(cut), OK);
}

static void rights(void) {
  u32 fd, n;
  u64 at;
  fdstat d;
  char text[4];
  iovec v = {text, 4};
  fd = OPENED(TMP, "file", 0, RIGHT(READ) | RIGHT(SEEK) | RIGHT(LINK_SOURCE));
  IS(fd_fdstat_get(fd, &d), OK);
  // Rights a file cannot use are not kept.
  IS(d.base, RIGHT(READ) | RIGHT(SEEK));
  IS(d.inheriting, 0);
  IS(fd_write(fd, &v, 1, &n), BADF);
  IS(fd_tell(fd, &at), OK);
  IS(fd_filestat_get(fd, text), NOTCAPABLE);
  IS(fd_sync(fd), NOTCAPABLE);
  IS(fd_datasync(fd), NOTCAPABLE);
  IS(fd_advise(fd, 0, 0, 0), NOTCAPABLE);
  IS(fd_allocate(fd, 0, 1), NOTCAPABLE);
  IS(fd_filestat_set_size(fd, 0), NOTCAPABLE);
  IS(fd_filestat_set_times(fd, 0, 0, ATIM), NOTCAPABLE);
  IS(fd_fdstat_set_rights(fd, RIGHT(READ) | RIGHT(WRITE), 0), NOTCAPABLE);
  IS(fd_fdstat_set_rights(fd, RIGHT(READ) | RIGHT(63), 0), NOTCAPABLE);
  IS(fd_fdstat_set_rights(fd, RIGHT(READ), RIGHT(READ)), NOTCAPABLE);
  IS(fd_fdstat_set_rights(fd, RIGHT(READ), 0), OK);
  IS(fd_seek(fd, 1, SET, &at), NOTCAPABLE);
  IS(fd_tell(fd, &at), NOTCAPABLE);
  IS(fd_pread(fd, &v, 1, 0, &n), NOTCAPABLE);
  IS(fd_read(fd, &v, 1, &n), OK);
  IS(fd_fdstat_set_rights(fd, 0, 0), OK);
  IS(fd_read(fd, &v, 1, &n), BADF);
  // What a directory does not pass on cannot be asked for below it; all 64 bits stand for all there are.
  u32 dir, below;
  IS(path_open(TMP, 0, S("."), DIRECTORY, RIGHT(OPEN), RIGHT(READ) | RIGHT(OPEN), 0, &dir), OK);
  IS(path_open(dir, 0, S("file"), 0, RIGHT(READ), 0, 0, &below), OK);
  IS(path_open(dir, 0, S("file"), 0, RIGHT(WRITE), 0, 0, &below), NOTCAPABLE);
  IS(path_open(dir, 0, S("dir"), 0, 0, RIGHT(WRITE), 0, &below), NOTCAPABLE);
  IS(path_open(dir, 0, S("new"), CREAT, 0, 0, 0, &below), NOTCAPABLE);
  IS(path_open(dir, 0, S("file"), TRUNC, 0, 0, 0, &below), NOTCAPABLE);
  IS(path_open(TMP, 0, S("file"), 0, ~0ull, ~0ull, 0, &below), OK);
  IS(fd_fdstat_get(below, &d), OK);
  IS(d.base, FILE_RIGHTS);
  filestat s;
  IS(path_filestat_get(dir, 0, S("file"), &s), NOTCAPABLE);
  IS(path_filestat_set_times(dir, 0, S("file"), 0, 0, ATIM), NOTCAPABLE);
  IS(path_create_directory(dir, S("x")), NOTCAPABLE);
  IS(path_remove_directory(dir, S("dir")), NOTCAPABLE);
  IS(path_unlink_file(dir, S("file")), NOTCAPABLE);
  IS(path_rename(dir, S("file"), TMP, S("x")), NOTCAPABLE);
  IS(path_rename(TMP, S("file"), dir, S("x")), NOTCAPABLE);
  IS(path_link(dir, 0, S("file"), TMP, S("x")), NOTCAPABLE);
  IS(path_link(TMP, 0, S("file"), dir, S("x")), NOTCAPABLE);
  IS(path_symlink(S("file"), dir, S("x")), NOTCAPABLE);
  IS(path_readlink(dir, S("file"), text, 4, &n), NOTCAPABLE);
  IS(fd_readdir(dir, text, 4, 0, &n), NOTCAPABLE);
  IS(fd_fdstat_set_flags(dir, 0), NOTCAPABLE);
}

static void descriptors(void) {
  u32 fd, last = 0;
  IS(path_open(99, 0, S("file"), 0, 0, 0, 0, &fd), BADF);
  IS(path_open(~0u, 0, S("file"), 0, 0, 0, 0, &fd), BADF);
  fd = OPENED(TMP, "file", 0, 0);
  IS(open_error(fd, FOLLOW, "x", 0, 0), NOTDIR);
  // An unlinked file lives until its last descriptor is closed.
  u32 held = OPENED(TMP, "held", CREAT, FILE_RIGHTS);
  IS(write_bytes(held, "kept", 4), 4);
  IS(path_unlink_file(TMP, S("held")), OK);
  filestat s;
  IS(fd_filestat_get(held, &s), OK);
  IS(s.links, 0);
  IS(s.size, 4);
  char text[4];
  iovec v = {text, 4};
  u32 n;
  IS(fd_pread(held, &v, 1, 0, &n), OK);
  TRUE(same(text, "kept", 4));
  // As many as the table holds.
  for (;;) {
    u32 error = path_open(TMP, 0, S("file"), 0, 0, 0, 0, &fd);
    if (error != OK) { IS(error, MFILE); break; }
    last = fd;
  }
  IS(last, 1023);
  IS(open_error(TMP, FOLLOW, "not-made", CREAT, 0), MFILE);
  IS(path_filestat_get(TMP, 0, S("not-made"), &s), NOENT);
  IS(fd_close(500), OK);
  IS(OPENED(TMP, "file", 0, 0), 500);
}

void _start(void) {
  flags();
  rights();
  descriptors();
}
