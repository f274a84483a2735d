/**
 * Guesses with the system's libargon2 for a while and prints how many a second: `argon2id-loop KIBIBYTES PASSES SECONDS`. Only the
 * library is timed, not the start of a process. Declared here, so that the library's headers need not be installed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int argon2id_hash_raw(uint32_t passes, uint32_t kibibytes, uint32_t lanes, const void *password, size_t password_bytes,
                      const void *salt, size_t salt_bytes, void *tag, size_t tag_bytes);

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int count, char **words) {
  if (count != 4) return 2;
  const uint32_t kibibytes = (uint32_t)atoi(words[1]), passes = (uint32_t)atoi(words[2]);
  const double limit = atof(words[3]);
  uint8_t salt[32] = {0}, tag[32];
  uint64_t nonce = 0;
  const double started = seconds_now();
  double passed;
  do {
    if (argon2id_hash_raw(passes, kibibytes, 1, &nonce, sizeof nonce, salt, sizeof salt, tag, sizeof tag) != 0) return 1;
    nonce++;
    passed = seconds_now() - started;
  } while (passed < limit);
  printf("%f\n", (double)nonce / passed);
  return 0;
}
