// What a program is given: "/", "/in" with "data/a.txt" ("abc") and "b", "/out" and "/tmp"; the first two read-only.
#include "wasi.h"

static void names(void) {
  static const char *expected[] = {"/", "/in", "/out", "/tmp"};
  for (u32 i = 0; i < 4; i++) {
    prestat p;
    char name[8] = "#######";
    fdstat d;
    IS(fd_prestat_get(ROOT + i, &p), OK);
    IS(p.tag, 0);
    IS(p.name_length, length_of(expected[i]));
    IS(fd_prestat_dir_name(ROOT + i, name, p.name_length), OK);
    TRUE(same(name, expected[i], p.name_length));
    IS(name[p.name_length], '#');
    IS(fd_prestat_dir_name(ROOT + i, name, 8), OK);
    IS(fd_prestat_dir_name(ROOT + i, name, p.name_length - 1), NAMETOOLONG);
    IS(fd_prestat_dir_name(ROOT + i, BAD, 8), FAULT);
    IS(fd_prestat_get(ROOT + i, BAD), FAULT);
    IS(fd_fdstat_get(ROOT + i, &d), OK);
    IS(d.type, DIRECTORY_TYPE);
    IS(d.base & (RIGHT(READ) | RIGHT(WRITE) | RIGHT(SEEK) | RIGHT(SET_SIZE)), 0);
    IS(d.inheriting & FILE_RIGHTS, FILE_RIGHTS);
  }
  prestat p;
  IS(fd_prestat_get(7, &p), BADF);
  IS(fd_prestat_dir_name(7, &p, 8), BADF);
  u32 own = OPENED(TMP, ".", DIRECTORY, 0);
  IS(fd_prestat_get(own, &p), BADF);
  IS(fd_close(own), OK);
}

static void one_tree(void) {
  char text[4];
  u32 fd = OPENED(ROOT, "in/data/a.txt", 0, RIGHT(READ));
  IS(read_bytes(fd, text, 4), 3);
  TRUE(same(text, "abc", 3));
  IS(fd_close(fd), OK);
  IS(stat_of(ROOT, "in/b").inode, stat_of(IN, "b").inode);
  IS(stat_of(ROOT, "out").inode, stat_of(OUT, ".").inode);
  touch(ROOT, "out/left");
  IS(stat_of(OUT, "left").type, REGULAR);
  IS(open_error(IN, FOLLOW, "../out/left", 0, 0), PERM);
  IS(open_error(IN, FOLLOW, "/in/b", 0, 0), PERM);
  IS(open_error(ROOT, FOLLOW, "in/../out/left", 0, 0), OK);
}

static void read_only(u32 dir, const char *file, const char *other) {
  u32 fd, n;
  iovec v = {"x", 1};
  IS(open_error(dir, FOLLOW, other, CREAT, 0), ROFS);
  IS(open_error(dir, FOLLOW, file, CREAT, RIGHT(READ)), OK);
  IS(open_error(dir, FOLLOW, file, CREAT | EXCL, 0), EXIST);
  IS(open_error(dir, FOLLOW, file, TRUNC, 0), ROFS);
  IS(open_error(dir, FOLLOW, file, 0, RIGHT(WRITE)), ROFS);
  fd = OPENED(dir, file, 0, FILE_RIGHTS & ~RIGHT(WRITE));
  IS(fd_write(fd, &v, 1, &n), BADF);
  IS(fd_filestat_set_size(fd, 0), ROFS);
  IS(fd_allocate(fd, 0, 10), ROFS);
  IS(fd_filestat_set_times(fd, 0, 0, MTIM_NOW), ROFS);
  IS(fd_close(fd), OK);
  IS(path_filestat_set_times(dir, 0, S(file), 0, 0, MTIM_NOW), ROFS);
  IS(path_unlink_file(dir, S(file)), ROFS);
  IS(path_rename(dir, S(file), dir, S(other)), ROFS);
  IS(path_link(dir, 0, S(file), dir, S(other)), ROFS);
  IS(path_symlink(S(file), dir, S(other)), ROFS);
  IS(path_create_directory(dir, S(other)), ROFS);
}

static void volumes(void) {
  touch(TMP, "t");
  TRUE(stat_of(IN, "b").device != stat_of(TMP, "t").device);
  IS(stat_of(OUT, ".").device, stat_of(TMP, ".").device);
  IS(path_rename(IN, S("b"), OUT, S("b")), XDEV);
  IS(path_rename(TMP, S("t"), IN, S("t")), XDEV);
  IS(path_link(IN, 0, S("b"), OUT, S("b")), XDEV);
  IS(path_rename(TMP, S("t"), OUT, S("moved")), OK);
  IS(path_remove_directory(ROOT, S("tmp")), ROFS);
  IS(path_rename(ROOT, S("tmp"), ROOT, S("else")), XDEV);
  IS(path_remove_directory(ROOT, S("out/..")), NOTEMPTY);
}

static void closing(void) {
  fdstat d;
  IS(fd_renumber(IN, 99), BADF);
  IS(fd_renumber(99, IN), BADF);
  IS(fd_renumber(IN, IN), OK);
  IS(fd_renumber(OUT, IN), OK);
  IS(fd_fdstat_get(OUT, &d), BADF);
  IS(stat_of(IN, "left").type, REGULAR);
  IS(fd_close(IN), OK);
  IS(fd_close(IN), BADF);
  prestat p;
  IS(fd_prestat_get(IN, &p), BADF);
  touch(ROOT, "out/still");
}

void _start(void) {
  names();
  one_tree();
  read_only(IN, "b", "new");
  volumes();
  IS(path_create_directory(ROOT, S("new")), ROFS);
  closing();
}
