// Making, removing and listing directories.
#include "wasi.h"

static u8 buffer[4096];

static void making(void) {
  IS(path_create_directory(TMP, S("a")), OK);
  IS(path_create_directory(TMP, S("a")), EXIST);
  IS(path_create_directory(TMP, S("a/")), EXIST);
  IS(path_create_directory(TMP, S(".")), EXIST);
  IS(path_create_directory(TMP, S("a/..")), EXIST);
  IS(path_create_directory(TMP, S("a/b/")), OK);
  IS(path_create_directory(TMP, S("x/y")), NOENT);
  IS(path_create_directory(TMP, S("../y")), PERM);
  touch(TMP, "f");
  IS(path_create_directory(TMP, S("f")), EXIST);
  IS(path_create_directory(TMP, S("f/g")), NOTDIR);
  IS(stat_of(TMP, "a").links, 3);
  IS(stat_of(TMP, "a").type, DIRECTORY_TYPE);
  IS(path_symlink(S("nowhere"), TMP, S("dangling")), OK);
  IS(path_create_directory(TMP, S("dangling")), EXIST);
  IS(path_create_directory(TMP, S("dangling/")), EXIST);
}

static void removing(void) {
  IS(path_remove_directory(TMP, S("a")), NOTEMPTY);
  IS(path_remove_directory(TMP, S("a/b/.")), INVAL);
  IS(path_remove_directory(TMP, S("a/b/..")), NOTEMPTY);
  IS(path_remove_directory(TMP, S("f")), NOTDIR);
  IS(path_remove_directory(TMP, S("f/")), NOTDIR);
  IS(path_remove_directory(TMP, S("none")), NOENT);
  IS(path_remove_directory(TMP, S("dangling")), NOTDIR);
  IS(path_unlink_file(TMP, S("a")), ISDIR);
  IS(path_unlink_file(TMP, S("a/")), ISDIR);
  IS(path_unlink_file(TMP, S(".")), ISDIR);
  IS(path_unlink_file(TMP, S("f/")), NOTDIR);
  IS(path_unlink_file(TMP, S("none")), NOENT);
  IS(path_unlink_file(TMP, S("dangling/")), NOTDIR);
  IS(path_unlink_file(TMP, S("dangling")), OK);
  IS(path_unlink_file(TMP, S("f")), OK);
  u32 held = OPENED(TMP, "a/b", DIRECTORY, ~0ull & ~RIGHT(WRITE)), inner = 0, n;
  IS(path_open(TMP, 0, S("a/b"), DIRECTORY, RIGHT(CREATE_FILE) | RIGHT(OPEN) | RIGHT(READDIR) | RIGHT(STAT), 0, 0, &inner), OK);
  IS(path_remove_directory(TMP, S("a/b/")), OK);
  // Nothing can be made in a directory that is gone, and there is nothing in it.
  IS(path_create_directory(held, S("x")), NOENT);
  IS(open_error(inner, FOLLOW, "x", CREAT, 0), NOENT);
  IS(fd_readdir(inner, buffer, 4096, 0, &n), OK);
  IS(n, 0);
  filestat s;
  IS(fd_filestat_get(inner, &s), OK);
  IS(s.links, 0);
  IS(path_remove_directory(TMP, S("a")), OK);
}

// Lists from a cookie into a buffer of a size; returns complete entries, and the cookie after the last of them.
static u32 list(u32 fd, u32 size, u64 *cookie, int *end) {
  u32 used, count = 0;
  IS(fd_readdir(fd, buffer, size, *cookie, &used), OK);
  TRUE(used <= size);
  *end = used < size;
  for (u32 at = 0; at + sizeof(dirent) <= used;) {
    dirent d;
    memcpy(&d, buffer + at, sizeof d);
    if (at + sizeof d + d.name_length > used) break;
    *cookie = d.next;
    at += sizeof d + d.name_length;
    count++;
  }
  return count;
}

static void name_of(char *name, u32 i) {
  name[0] = 'f';
  name[1] = (char)('0' + i / 10);
  name[2] = (char)('0' + i % 10);
  name[3] = 0;
}

static void listing(void) {
  IS(path_create_directory(TMP, S("l")), OK);
  u32 dir = OPENED(TMP, "l", DIRECTORY, RIGHT(READDIR) | RIGHT(STAT)), n;
  dirent d;
  filestat s;
  IS(fd_filestat_get(dir, &s), OK);
  IS(fd_readdir(dir, buffer, 4096, 0, &n), OK);
  IS(n, 24 + 1 + 24 + 2);
  memcpy(&d, buffer, 24);
  IS(d.inode, s.inode);
  IS(d.type, DIRECTORY_TYPE);
  IS(d.name_length, 1);
  IS(buffer[24], '.');
  memcpy(&d, buffer + 25, 24);
  IS(d.inode, stat_of(TMP, ".").inode);
  TRUE(same(buffer + 49, "..", 2));

  char path[6] = "l/";
  for (u32 i = 0; i < 60; i++) {
    name_of(path + 2, i);
    touch(TMP, path);
  }
  // Every size of buffer that holds one entry gives all of them, once.
  for (u32 size = 27; size < 200; size += 7) {
    u64 cookie = 0;
    int end = 0;
    u32 total = 0;
    while (!end) total += list(dir, size, &cookie, &end);
    IS(total, 62);
  }
  // A buffer for less than an entry is filled with its beginning.
  IS(fd_readdir(dir, buffer, 10, 0, &n), OK);
  IS(n, 10);
  IS(fd_readdir(dir, buffer, 0, 0, &n), OK);
  IS(n, 0);
  // What is removed and added meanwhile neither hides nor repeats the rest.
  u64 cookie = 0;
  int end = 0;
  u32 seen = list(dir, 200, &cookie, &end);
  for (u32 i = 0; i < 20; i++) {
    name_of(path + 2, i);
    IS(path_unlink_file(TMP, S(path)), OK);
  }
  touch(TMP, "l/new");
  u32 rest = 0;
  while (!end) rest += list(dir, 200, &cookie, &end);
  IS(seen, 7);
  IS(rest, 41);
  cookie = ~0ull;
  IS(list(dir, 200, &cookie, &end), 0);
  cookie = 1ull << 60;
  IS(list(dir, 200, &cookie, &end), 0);
  IS(fd_readdir(dir, BAD, 100, 0, &n), FAULT);
  IS(fd_readdir(dir, buffer, 100, 0, BAD), FAULT);
  touch(TMP, "file");
  IS(path_symlink(S("file"), TMP, S("l/link")), OK);
  cookie = 0;
  IS(fd_readdir(dir, buffer, 4096, 0, &n), OK);
  memcpy(&d, buffer + n - 28, 24);
  IS(d.type, LINK_TYPE);
  IS(d.inode, stat_of(TMP, "l/link").inode);
  u32 fd = OPENED(TMP, "file", 0, FILE_RIGHTS);
  IS(fd_readdir(fd, buffer, 100, 0, &n), NOTDIR);
}

// "/out" is what the test looks at.
static void leaving(void) {
  IS(path_create_directory(OUT, S("sub")), OK);
  IS(path_create_directory(OUT, S("empty")), OK);
  IS(path_symlink(S("sub/b"), OUT, S("link")), OK);
  IS(write_bytes(OPENED(OUT, "sub/b", CREAT, RIGHT(WRITE)), "B", 1), 1);
  IS(write_bytes(OPENED(OUT, "z", CREAT, RIGHT(WRITE)), "Z", 1), 1);
  IS(path_link(OUT, 0, S("z"), OUT, S("a")), OK);
  touch(OUT, "sub.a");
  touch(OUT, "\xf0\x9f\x90\xa6");
  touch(OUT, "\xef\xbf\xbd");
}

void _start(void) {
  making();
  removing();
  listing();
  leaving();
}
