// The standard streams are pipes: no positions, no directory, no socket. Input "0123456789".
#include "wasi.h"

void _start(void) {
  char a[4], b[8];
  iovec two[2] = {{a, 4}, {b, 8}};
  u32 n = 0;
  u64 at;
  fdstat d;
  filestat f;
  for (u32 fd = 0; fd < 3; fd++) {
    IS(fd_fdstat_get(fd, &d), OK);
    IS(d.type, UNKNOWN);
    IS(d.flags, 0);
    IS(d.inheriting, 0);
    IS(d.base & RIGHT(SEEK), 0);
    IS(d.base & (RIGHT(READ) | RIGHT(WRITE)), fd == 0 ? RIGHT(READ) : RIGHT(WRITE));
    IS(fd_filestat_get(fd, &f), OK);
    IS(f.type, UNKNOWN);
    IS(f.size, 0);
    IS(fd_seek(fd, 0, CUR, &at), SPIPE);
    IS(fd_tell(fd, &at), SPIPE);
    IS(fd_pread(fd, two, 2, 0, &n), SPIPE);
    IS(fd_pwrite(fd, two, 2, 0, &n), SPIPE);
    IS(fd_advise(fd, 0, 0, 0), NOTCAPABLE);
    IS(fd_allocate(fd, 0, 1), INVAL);
    IS(fd_filestat_set_size(fd, 1), INVAL);
    IS(fd_filestat_set_times(fd, 0, 0, ATIM), NOTCAPABLE);
    IS(fd_readdir(fd, b, 8, 0, &n), NOTDIR);
    IS(path_create_directory(fd, S("x")), NOTDIR);
    IS(fd_prestat_get(fd, &n), BADF);
    IS(fd_prestat_dir_name(fd, b, 8), BADF);
    IS(fd_fdstat_set_flags(fd, NONBLOCK), OK);
    IS(fd_fdstat_get(fd, &d), OK);
    IS(d.flags, NONBLOCK);
    IS(sock_accept(fd, 0, &n), NOTSOCK);
    IS(sock_recv(fd, two, 2, 0, &n, b), NOTSOCK);
    IS(sock_send(fd, two, 2, 0, &n), NOTSOCK);
    IS(sock_shutdown(fd, 3), NOTSOCK);
  }
  IS(sock_shutdown(1, 0), INVAL);
  IS(sock_shutdown(1, 4), INVAL);
  IS(sock_accept(1, 32, &n), INVAL);
  IS(sock_recv(0, two, 2, 4, &n, b), INVAL);
  IS(sock_send(1, two, 2, 1, &n), INVAL);
  IS(sock_recv(0, BAD, 2, 0, &n, b), FAULT);
  IS(sock_send(1, two, 2, 0, BAD), FAULT);
  IS(sock_accept(77, 0, &n), BADF);
  IS(sock_recv(77, two, 2, 0, &n, b), BADF);
  IS(sock_send(77, two, 2, 0, &n), BADF);
  IS(sock_shutdown(77, 1), BADF);
  IS(fd_sync(1), OK);
  IS(fd_datasync(2), OK);
  IS(fd_sync(0), NOTCAPABLE);
  IS(fd_write(0, two, 1, &n), BADF);
  IS(fd_read(1, two, 1, &n), BADF);
  IS(fd_read(2, two, 1, &n), BADF);

  IS(fd_read(0, two, 2, &n), OK);
  IS(n, 10);
  TRUE(same(a, "0123", 4) && same(b, "456789", 6));
  IS(fd_read(0, two, 2, &n), OK);
  IS(n, 0);
  two[1].length = 6;
  IS(fd_write(1, two, 2, &n), OK);
  IS(n, 10);
  IS(fd_write(1, two, 0, &n), OK);
  IS(n, 0);
  IS(write_bytes(2, "to stderr", 9), 9);
  IS(fd_close(0), OK);
  IS(fd_read(0, two, 1, &n), BADF);
  IS(fd_close(0), BADF);
  // The lowest free number is used again.
  IS(OPENED(TMP, "f", CREAT, RIGHT(WRITE)), 0);
  // A file under the number of standard output takes what goes there.
  IS(fd_renumber(0, 1), OK);
  IS(write_bytes(1, "not to stdout", 13), 13);
  IS(stat_of(TMP, "f").size, 13);
}
