// An ordinary C program, through wasi-libc: absolute and relative paths, streams, directories, time, sleep, environment.
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char line[64], target[64];
  struct stat s;
  assert(argc == 2 && strcmp(argv[1], "one two") == 0);
  assert(strcmp(getenv("LANG"), "C") == 0 && getenv("HOME") == NULL);

  FILE *in = fopen("/in/data/numbers.txt", "r");
  assert(in != NULL);
  long sum = 0, value;
  while (fscanf(in, "%ld", &value) == 1) sum += value;
  fclose(in);
  assert(fopen("/in/data/numbers.txt", "r+") == NULL && errno == EROFS);
  assert(fopen("/in/none", "r") == NULL && errno == ENOENT);
  assert(fopen("new", "w") == NULL && errno == EROFS);
  assert(access("in/data/numbers.txt", R_OK) == 0 && access("/in/none", F_OK) != 0);
  assert(stat("/in/data", &s) == 0 && S_ISDIR(s.st_mode));

  assert(mkdir("/out/sub", 0777) == 0);
  assert(chdir("/out/sub") == 0);
  FILE *out = fopen("result.txt", "w");
  assert(fprintf(out, "sum %ld\n", sum) == 7);
  fclose(out);
  out = fopen("/out/sub/result.txt", "a+");
  fputs("more\n", out);
  rewind(out);
  assert(fgets(line, 64, out) != NULL && strcmp(line, "sum 60\n") == 0);
  fseek(out, -5, SEEK_END);
  assert(fgets(line, 64, out) != NULL && strcmp(line, "more\n") == 0);
  fclose(out);
  assert(rename("result.txt", "/out/result.txt") == 0);
  assert(symlink("../result.txt", "/out/sub/link") == 0);
  assert(readlink("/out/sub/link", target, 64) == 13);
  assert(link("/out/result.txt", "/tmp/copy") == 0);
  assert(stat("/tmp/copy", &s) == 0 && s.st_size == 12 && s.st_nlink == 2);
  assert(truncate("/tmp/copy", 7) == 0 && stat("/out/result.txt", &s) == 0 && s.st_size == 7);

  DIR *dir = opendir("/");
  assert(dir != NULL);
  struct dirent *entry;
  while ((entry = readdir(dir)) != NULL) printf("%s ", entry->d_name);
  closedir(dir);
  assert(unlink("/out/sub/link") == 0 && rmdir("/out/sub") == 0);
  assert(rmdir("/out") != 0);

  time_t before = time(NULL);
  assert(sleep(90) == 0);
  assert(time(NULL) - before >= 90 && time(NULL) - before <= 91);
  assert(!isatty(1));

  unsigned char bytes[16];
  assert(getentropy(bytes, 16) == 0);
  for (int i = 0; i < 16; i++) printf("%02x", bytes[i]);
  while (fgets(line, 64, stdin) != NULL) fputs(line, stderr);
  return 3;
}
