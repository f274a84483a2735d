// Hard links and symbolic links, and the ways a path may not go.
#include "wasi.h"

static void hard(void) {
  touch(TMP, "f");
  IS(path_link(TMP, 0, S("f"), TMP, S("g")), OK);
  IS(stat_of(TMP, "f").links, 2);
  IS(stat_of(TMP, "f").inode, stat_of(TMP, "g").inode);
  IS(write_bytes(OPENED(TMP, "g", 0, RIGHT(WRITE)), "hi", 2), 2);
  IS(stat_of(TMP, "f").size, 2);
  IS(path_link(TMP, 0, S("f"), TMP, S("g")), EXIST);
  IS(path_link(TMP, 0, S("f"), TMP, S("h/")), NOENT);
  IS(path_link(TMP, 0, S("f/"), TMP, S("h")), NOTDIR);
  IS(path_link(TMP, 0, S("none"), TMP, S("h")), NOENT);
  IS(path_link(TMP, 0, S("f"), TMP, S("none/h")), NOENT);
  IS(path_create_directory(TMP, S("d")), OK);
  IS(path_link(TMP, 0, S("d"), TMP, S("h")), PERM);
  IS(path_link(TMP, 2, S("f"), TMP, S("h")), INVAL);
  IS(path_link(99, 0, S("f"), TMP, S("h")), BADF);
  IS(path_link(TMP, 0, S("f"), 99, S("h")), BADF);
  IS(path_unlink_file(TMP, S("f")), OK);
  IS(stat_of(TMP, "g").links, 1);
}

static void symbolic(void) {
  char text[8] = "#######";
  u32 n, fd;
  filestat s;
  IS(path_symlink(S("d/../g"), TMP, S("l")), OK);
  IS(stat_of(TMP, "l").type, LINK_TYPE);
  IS(stat_of(TMP, "l").size, 6);
  IS(path_filestat_get(TMP, FOLLOW, S("l"), &s), OK);
  IS(s.type, REGULAR);
  IS(path_readlink(TMP, S("l"), text, 8, &n), OK);
  IS(n, 6);
  TRUE(same(text, "d/../g#", 7));
  IS(path_readlink(TMP, S("l"), text, 2, &n), OK);
  IS(n, 2);
  IS(path_readlink(TMP, S("l"), text, 0, &n), OK);
  IS(n, 0);
  IS(path_readlink(TMP, S("g"), text, 8, &n), INVAL);
  IS(path_readlink(TMP, S("d"), text, 8, &n), INVAL);
  IS(path_readlink(TMP, S("none"), text, 8, &n), NOENT);
  IS(path_readlink(TMP, S("l"), BAD, 8, &n), FAULT);
  IS(path_readlink(TMP, S("l"), text, 8, BAD), FAULT);
  IS(open_error(TMP, NOFOLLOW, "l", 0, 0), LOOP);
  IS(open_error(TMP, NOFOLLOW, "l", DIRECTORY, 0), LOOP);
  IS(open_error(TMP, FOLLOW, "l", 0, RIGHT(READ)), OK);
  IS(open_error(TMP, FOLLOW, "l", DIRECTORY, 0), NOTDIR);
  IS(open_error(TMP, FOLLOW, "l/", 0, 0), NOTDIR);
  IS(open_error(TMP, FOLLOW, "l", CREAT | EXCL, 0), EXIST);
  IS(path_symlink(S("x"), TMP, S("l")), EXIST);
  IS(path_symlink(S("x"), TMP, S("l/")), EXIST);
  IS(path_symlink(S("x"), TMP, S("new/")), NOENT);
  IS(path_symlink(S(""), TMP, S("new")), NOENT);
  IS(path_symlink(S("/abs"), TMP, S("new")), PERM);
  IS(path_symlink("a\0b", 3, TMP, S("new")), INVAL);
  IS(path_symlink(S("x"), 99, S("new")), BADF);
  // A link in the middle is always followed, one at the end as asked, one before a slash when opening.
  IS(path_symlink(S("d"), TMP, S("dl")), OK);
  touch(TMP, "dl/inner");
  IS(stat_of(TMP, "d/inner").type, REGULAR);
  IS(open_error(TMP, NOFOLLOW, "dl/", DIRECTORY, 0), OK);
  IS(path_filestat_get(TMP, NOFOLLOW, S("dl/"), &s), OK);
  IS(s.type, DIRECTORY_TYPE);
  IS(path_remove_directory(TMP, S("dl/")), NOTDIR);
  // Creating through a dangling link makes what it leads to; a link to a link counts.
  IS(path_symlink(S("d/made"), TMP, S("dangling")), OK);
  IS(path_symlink(S("dangling"), TMP, S("twice")), OK);
  IS(open_error(TMP, FOLLOW, "twice", 0, 0), NOENT);
  IS(open_error(TMP, FOLLOW, "twice", CREAT, 0), OK);
  IS(stat_of(TMP, "d/made").type, REGULAR);
  // Hard links of symbolic links, followed or not.
  IS(path_link(TMP, NOFOLLOW, S("l"), TMP, S("l2")), OK);
  IS(stat_of(TMP, "l2").type, LINK_TYPE);
  IS(stat_of(TMP, "l2").links, 2);
  IS(path_link(TMP, FOLLOW, S("l"), TMP, S("l3")), OK);
  IS(stat_of(TMP, "l3").type, REGULAR);
  // Times of the link itself, or of what it leads to.
  IS(path_filestat_set_times(TMP, NOFOLLOW, S("l"), 5, 6, ATIM | MTIM), OK);
  IS(stat_of(TMP, "l").modified, 6);
  TRUE(stat_of(TMP, "g").modified != 6);
  IS(path_filestat_set_times(TMP, FOLLOW, S("l"), 7, 8, ATIM | MTIM), OK);
  IS(stat_of(TMP, "g").accessed, 7);
  IS(path_unlink_file(TMP, S("l")), OK);
  IS(stat_of(TMP, "g").type, REGULAR);
  fd = OPENED(TMP, "g", 0, 0);
  IS(fd_close(fd), OK);
}

static void confined(void) {
  filestat s;
  IS(path_symlink(S("../in"), TMP, S("up")), OK);
  IS(path_filestat_get(TMP, FOLLOW, S("up"), &s), PERM);
  IS(path_filestat_get(TMP, FOLLOW, S("up/b"), &s), PERM);
  // The same link is fine for who was given the directory above.
  IS(path_filestat_get(ROOT, FOLLOW, S("tmp/up/b"), &s), OK);
  IS(open_error(TMP, FOLLOW, "..", 0, 0), PERM);
  IS(open_error(TMP, FOLLOW, "d/../../tmp", 0, 0), PERM);
  IS(open_error(TMP, FOLLOW, "/tmp", 0, 0), PERM);
  IS(open_error(TMP, FOLLOW, "/", 0, 0), PERM);
  IS(path_symlink(S("../../g"), TMP, S("d/out")), OK);
  IS(open_error(TMP, FOLLOW, "d/out", 0, 0), PERM);
  // A descriptor of a directory inside confines to it, wherever it is moved.
  u32 dir;
  IS(path_open(TMP, 0, S("d"), DIRECTORY, ~0ull & ~RIGHT(WRITE), ~0ull, 0, &dir), OK);
  IS(open_error(dir, FOLLOW, "inner", 0, 0), OK);
  IS(open_error(dir, FOLLOW, "../g", 0, 0), PERM);
  IS(path_create_directory(TMP, S("deep")), OK);
  IS(path_rename(TMP, S("d"), TMP, S("deep/d")), OK);
  IS(open_error(dir, FOLLOW, "..", 0, 0), PERM);
  IS(open_error(dir, FOLLOW, "inner", 0, 0), OK);
}

static void loops(void) {
  filestat s;
  IS(path_symlink(S("self"), TMP, S("self")), OK);
  IS(path_filestat_get(TMP, FOLLOW, S("self"), &s), LOOP);
  IS(path_filestat_get(TMP, NOFOLLOW, S("self"), &s), OK);
  IS(path_filestat_get(TMP, NOFOLLOW, S("self/x"), &s), LOOP);
  IS(path_symlink(S("pong/x"), TMP, S("ping")), OK);
  IS(path_symlink(S("ping"), TMP, S("pong")), OK);
  IS(open_error(TMP, FOLLOW, "ping", CREAT, 0), LOOP);
  // Forty links in a row can be followed, one more cannot.
  touch(TMP, "c00");
  char from[4] = "c00", to[4] = "c00";
  for (u32 i = 1; i <= 41; i++) {
    to[1] = (char)('0' + i / 10);
    to[2] = (char)('0' + i % 10);
    IS(path_symlink(S(from), TMP, S(to)), OK);
    IS(path_filestat_get(TMP, FOLLOW, S(to), &s), i <= 40 ? OK : LOOP);
    memcpy(from, to, 4);
  }
}

void _start(void) {
  hard();
  symbolic();
  confined();
  loops();
}
