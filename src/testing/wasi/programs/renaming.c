// path_rename: every pairing of what is moved with what is there.
#include "wasi.h"

static u32 move(const char *from, const char *to) { return path_rename(TMP, S(from), TMP, S(to)); }
static u32 kind(const char *path) {
  filestat s;
  return path_filestat_get(TMP, NOFOLLOW, S(path), &s) == OK ? s.type : 99;
}
static void make(const char *path) { IS(path_create_directory(TMP, S(path)), OK); }

static void files(void) {
  touch(TMP, "a");
  u64 inode = stat_of(TMP, "a").inode;
  IS(move("a", "b"), OK);
  IS(kind("a"), 99);
  IS(stat_of(TMP, "b").inode, inode);
  IS(move("a", "c"), NOENT);
  IS(move("b", "x/c"), NOENT);
  IS(move("b", "b/c"), NOTDIR);
  IS(move("b", "b"), OK);
  IS(move("b/", "c"), NOTDIR);
  IS(move("b", "c/"), NOTDIR);
  touch(TMP, "old");
  u32 held = OPENED(TMP, "old", 0, FILE_RIGHTS);
  IS(write_bytes(held, "old", 3), 3);
  IS(move("b", "old"), OK);
  IS(stat_of(TMP, "old").inode, inode);
  filestat s;
  IS(fd_filestat_get(held, &s), OK);
  IS(s.links, 0);
  IS(s.size, 3);
  // Two names of one file: nothing happens.
  IS(path_link(TMP, 0, S("old"), TMP, S("same")), OK);
  IS(move("old", "same"), OK);
  IS(kind("old"), REGULAR);
  IS(kind("same"), REGULAR);
  make("d");
  IS(move("old", "d"), ISDIR);
  IS(move("old", "d/"), NOTDIR);
  IS(move("old", "d/old"), OK);
  IS(move("d/old", "../escaped"), PERM);
  IS(move("", "x"), NOENT);
  IS(move("d/old", ""), NOENT);
  IS(path_unlink_file(TMP, S("d/old")), OK);
}

static void directories(void) {
  make("p");
  make("p/q");
  IS(move("p", "p/q/r"), INVAL);
  IS(move("p", "p/r"), INVAL);
  IS(move("p", "p"), OK);
  IS(move("p/q", "p"), NOTEMPTY);
  IS(move("d", "same"), NOTDIR);
  IS(move("p", "d"), OK);
  IS(kind("p"), 99);
  IS(kind("d/q"), DIRECTORY_TYPE);
  make("full");
  touch(TMP, "full/f");
  IS(move("d", "full"), NOTEMPTY);
  IS(move("d/", "e/"), OK);
  IS(move("e", "full/e"), OK);
  IS(stat_of(TMP, "full").links, 3);
  IS(move(".", "x"), INVAL);
  IS(move("full/..", "x"), INVAL);
  IS(move("full/e", "."), INVAL);
  // The parent goes along: the way up from a moved directory leads to its new place.
  u32 dir;
  IS(path_open(TMP, 0, S("full/e/q"), DIRECTORY, RIGHT(READDIR), 0, 0, &dir), OK);
  IS(move("full/e/q", "q"), OK);
  u8 buffer[64];
  u32 n;
  dirent d;
  IS(fd_readdir(dir, buffer, 64, 1, &n), OK);
  memcpy(&d, buffer, 24);
  IS(d.inode, stat_of(TMP, ".").inode);
  IS(stat_of(TMP, "q/../same").inode, stat_of(TMP, "same").inode);
}

static void links(void) {
  IS(path_symlink(S("full"), TMP, S("l")), OK);
  IS(move("l", "m"), OK);
  IS(kind("m"), LINK_TYPE);
  IS(move("m/", "n"), NOTDIR);
  IS(move("m/f", "f"), OK);
  IS(kind("full/f"), 99);
  IS(move("f", "m"), OK);
  IS(kind("m"), REGULAR);
  IS(path_symlink(S("q"), TMP, S("l")), OK);
  IS(move("q", "l"), NOTDIR);
  IS(move("l", "q"), ISDIR);
  IS(path_rename(99, S("l"), TMP, S("k")), BADF);
  IS(path_rename(TMP, S("l"), 99, S("k")), BADF);
  IS(path_rename(TMP, S("l"), OUT, S("k")), OK);
  IS(path_unlink_file(OUT, S("k")), OK);
}

void _start(void) {
  files();
  directories();
  links();
}
