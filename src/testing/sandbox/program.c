/* What the sandbox's tests run through WASI: argv[1] chooses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int copy(void) {
  /* /in/data.bin to /out/data.copy, and standard input to standard output. */
  char buffer[4096];
  size_t count;
  FILE *in = fopen("/in/data.bin", "rb");
  FILE *out = fopen("/out/data.copy", "wb");
  if (!in || !out) return 3;
  while ((count = fread(buffer, 1, sizeof buffer, in)) > 0) fwrite(buffer, 1, count, out);
  fclose(in);
  fclose(out);
  while ((count = fread(buffer, 1, sizeof buffer, stdin)) > 0) fwrite(buffer, 1, count, stdout);
  return 0;
}

static int dice(void) {
  unsigned char bytes[16];
  getentropy(bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  printf(" %lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
  return 0;
}

static int flood(const char *where, long bytes) {
  FILE *out = strcmp(where, "stdout") == 0 ? stdout : fopen("/out/flood", "wb");
  if (!out) return 3;
  for (long i = 0; i < bytes; i++) fputc('x', out);
  return fflush(out) == 0 ? 0 : 4;
}

int main(int argc, char **argv) {
  if (argc < 2) return 1;
  if (strcmp(argv[1], "copy") == 0) return copy();
  if (strcmp(argv[1], "dice") == 0) return dice();
  if (strcmp(argv[1], "exit") == 0) {
    fprintf(stderr, "%s leaves with %s\n", argv[0], argv[2]);
    exit(atoi(argv[2]));
  }
  if (strcmp(argv[1], "flood") == 0) return flood(argv[2], atol(argv[3]));
  if (strcmp(argv[1], "greet") == 0) return printf("%s\n", getenv("GREETING")) > 0 ? 0 : 2;
  return 1;
}
