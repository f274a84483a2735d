// wasi_snapshot_preview1 as raw imports, and the checks of the programs beside this file. No libc: what is tested is the host.
//
// Source of names, numbers and layouts: WebAssembly/WASI, phases/snapshot/witx.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) u32 name
#define P const void *

IMPORT(args_get)(void *, void *);
IMPORT(args_sizes_get)(void *, void *);
IMPORT(environ_get)(void *, void *);
IMPORT(environ_sizes_get)(void *, void *);
IMPORT(clock_res_get)(u32, void *);
IMPORT(clock_time_get)(u32, u64, void *);
IMPORT(fd_advise)(u32, u64, u64, u32);
IMPORT(fd_allocate)(u32, u64, u64);
IMPORT(fd_close)(u32);
IMPORT(fd_datasync)(u32);
IMPORT(fd_fdstat_get)(u32, void *);
IMPORT(fd_fdstat_set_flags)(u32, u32);
IMPORT(fd_fdstat_set_rights)(u32, u64, u64);
IMPORT(fd_filestat_get)(u32, void *);
IMPORT(fd_filestat_set_size)(u32, u64);
IMPORT(fd_filestat_set_times)(u32, u64, u64, u32);
IMPORT(fd_pread)(u32, P, u32, u64, void *);
IMPORT(fd_prestat_get)(u32, void *);
IMPORT(fd_prestat_dir_name)(u32, void *, u32);
IMPORT(fd_pwrite)(u32, P, u32, u64, void *);
IMPORT(fd_read)(u32, P, u32, void *);
IMPORT(fd_readdir)(u32, void *, u32, u64, void *);
IMPORT(fd_renumber)(u32, u32);
IMPORT(fd_seek)(u32, s64, u32, void *);
IMPORT(fd_sync)(u32);
IMPORT(fd_tell)(u32, void *);
IMPORT(fd_write)(u32, P, u32, void *);
IMPORT(path_create_directory)(u32, P, u32);
IMPORT(path_filestat_get)(u32, u32, P, u32, void *);
IMPORT(path_filestat_set_times)(u32, u32, P, u32, u64, u64, u32);
IMPORT(path_link)(u32, u32, P, u32, u32, P, u32);
IMPORT(path_open)(u32, u32, P, u32, u32, u64, u64, u32, void *);
IMPORT(path_readlink)(u32, P, u32, void *, u32, void *);
IMPORT(path_remove_directory)(u32, P, u32);
IMPORT(path_rename)(u32, P, u32, u32, P, u32);
IMPORT(path_symlink)(P, u32, u32, P, u32);
IMPORT(path_unlink_file)(u32, P, u32);
IMPORT(poll_oneoff)(P, void *, u32, void *);
IMPORT(proc_raise)(u32);
IMPORT(sched_yield)(void);
IMPORT(random_get)(void *, u32);
IMPORT(sock_accept)(u32, u32, void *);
IMPORT(sock_recv)(u32, P, u32, u32, void *, void *);
IMPORT(sock_send)(u32, P, u32, u32, void *);
IMPORT(sock_shutdown)(u32, u32);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) void proc_exit(u32);

enum {
  OK = 0, BADF = 8, EXIST = 20, FAULT = 21, FBIG = 22, ILSEQ = 25, INVAL = 28, ISDIR = 31, LOOP = 32, MFILE = 33,
  NAMETOOLONG = 37, NOENT = 44, NOSPC = 51, NOTDIR = 54, NOTEMPTY = 55, NOTSOCK = 57, NOTSUP = 58, PERM = 63, ROFS = 69,
  SPIPE = 70, XDEV = 75, NOTCAPABLE = 76,
};

#define RIGHT(bit) (1ull << (bit))
enum { DATASYNC, READ, SEEK, SET_FLAGS, SYNC, TELL, WRITE, ADVISE, ALLOCATE, CREATE_DIRECTORY, CREATE_FILE, LINK_SOURCE,
  LINK_TARGET, OPEN, READDIR, READLINK, RENAME_SOURCE, RENAME_TARGET, PATH_STAT, PATH_SET_SIZE, PATH_SET_TIMES, STAT,
  SET_SIZE, SET_TIMES, SYMLINK, REMOVE_DIRECTORY, UNLINK_FILE, POLL, SHUTDOWN, ACCEPT };
#define FILE_RIGHTS (RIGHT(DATASYNC) | RIGHT(READ) | RIGHT(SEEK) | RIGHT(SET_FLAGS) | RIGHT(SYNC) | RIGHT(TELL) | \
  RIGHT(WRITE) | RIGHT(ADVISE) | RIGHT(ALLOCATE) | RIGHT(STAT) | RIGHT(SET_SIZE) | RIGHT(SET_TIMES) | RIGHT(POLL))

enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
enum { APPEND = 1, DSYNC = 2, NONBLOCK = 4, RSYNC = 8, SYNCFLAG = 16 };
enum { UNKNOWN = 0, DIRECTORY_TYPE = 3, REGULAR = 4, LINK_TYPE = 7 };
enum { NOFOLLOW = 0, FOLLOW = 1 };
enum { SET = 0, CUR = 1, END = 2 };
enum { ATIM = 1, ATIM_NOW = 2, MTIM = 4, MTIM_NOW = 8 };

typedef struct { const void *buffer; u32 length; } iovec;
typedef struct { u64 device, inode; u8 type; u64 links, size, accessed, modified, changed; } filestat;
typedef struct { u8 type; u16 flags; u64 base, inheriting; } fdstat;
typedef struct { u8 tag; u32 name_length; } prestat;
typedef struct { u64 next, inode; u32 name_length; u8 type; } dirent;
typedef struct { u64 userdata; u8 tag; union {
  struct { u32 id; u64 timeout, precision; u16 flags; } clock;
  struct { u32 fd; } fd;
} u; } subscription;
typedef struct { u64 userdata; u16 error; u8 type; u64 bytes; u16 flags; } event;
_Static_assert(sizeof(filestat) == 64 && sizeof(fdstat) == 24 && sizeof(prestat) == 8 && sizeof(dirent) == 24, "layout");
_Static_assert(sizeof(subscription) == 48 && sizeof(event) == 32, "layout");

void *memset(void *to, int value, unsigned long count) {
  for (u8 *p = to; count > 0; count--) *p++ = (u8)value;
  return to;
}
void *memcpy(void *to, const void *from, unsigned long count) {
  const u8 *q = from;
  for (u8 *p = to; count > 0; count--) *p++ = *q++;
  return to;
}
static int same(const void *a, const void *b, u32 count) {
  const u8 *p = a, *q = b;
  for (u32 i = 0; i < count; i++) if (p[i] != q[i]) return 0;
  return 1;
}
static u32 length_of(const char *text) {
  u32 n = 0;
  while (text[n]) n++;
  return n;
}
static void print(const char *text) {
  iovec v = {text, length_of(text)};
  u32 n;
  fd_write(2, &v, 1, &n);
}
static void print_number(u64 value) {
  char digits[21];
  u32 at = 20;
  digits[at] = 0;
  do { digits[--at] = (char)('0' + value % 10); value /= 10; } while (value > 0);
  print(digits + at);
}

// A check that fails says where, and what was found, and ends the program with exit code 1.
static void check(u64 found, u64 wanted, const char *what, u32 line) {
  if (found == wanted) return;
  print("line ");
  print_number(line);
  print(": ");
  print(what);
  print(" is ");
  print_number(found);
  print(", not ");
  print_number(wanted);
  print("\n");
  proc_exit(1);
}
#define IS(expression, wanted) check((u64)(expression), (u64)(wanted), #expression, __LINE__)
#define TRUE(expression) IS(!!(expression), 1)

// Paths as C strings.
#define S(text) (text), length_of(text)
enum { ROOT = 3, IN = 4, OUT = 5, TMP = 6 };
static u32 opened(u32 dir, const char *path, u32 oflags, u64 rights, u32 line) {
  u32 fd = ~0u;
  check(path_open(dir, FOLLOW, S(path), oflags, rights, 0, 0, &fd), OK, path, line);
  return fd;
}
#define OPENED(dir, path, oflags, rights) opened(dir, path, oflags, rights, __LINE__)
static u32 open_error(u32 dir, u32 follow, const char *path, u32 oflags, u64 rights) {
  u32 fd = ~0u;
  return path_open(dir, follow, S(path), oflags, rights, 0, 0, &fd);
}
static u32 write_bytes(u32 fd, const void *bytes, u32 count) {
  iovec v = {bytes, count};
  u32 n = 0;
  return fd_write(fd, &v, 1, &n) == OK ? n : ~0u;
}
static u32 read_bytes(u32 fd, void *bytes, u32 count) {
  iovec v = {bytes, count};
  u32 n = 0;
  return fd_read(fd, &v, 1, &n) == OK ? n : ~0u;
}
static void touch(u32 dir, const char *path) { IS(fd_close(OPENED(dir, path, CREAT | EXCL, 0)), OK); }
static filestat stat_of(u32 dir, const char *path) {
  filestat s;
  IS(path_filestat_get(dir, NOFOLLOW, S(path), &s), OK);
  return s;
}
// A pointer that is outside of any memory these programs have.
#define BAD ((void *)0xfffffff0u)
