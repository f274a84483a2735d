/*
 * Monte-Carlo price of two call options, in C with wasi-libc's mathematics, for Starling's reactor ABI.
 *
 * The share follows geometric Brownian motion. The European call pays max(S_T - K, 0) and has a closed form to check against;
 * the Asian call pays max(mean(S) - K, 0) over equally spaced dates and has none.
 *
 * Random numbers come from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), a function
 * of (seed, path, draw): path 1,000,000 is the same path however the work is cut into units. Payoffs are rounded to
 * fixed point before they are added, and sums are integers, so adding the units' answers is exact in any order.
 *
 * Input: lines "name value", all names required:
 *   spot strike rate volatility years  decimal
 *   steps seed first paths             whole numbers; the unit computes paths first … first + paths - 1
 * Output: one line of JSON, all sums whole numbers as strings, in units of 2^-20 and 2^-40 money:
 *   {"paths":N,"europeanSum":"…","europeanSquares":"…","asianSum":"…","asianSquares":"…","histogram":[…]}
 * The histogram counts paths by their final price, in 48 equal bins from 0 to 3 × spot, the last one open.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define FIXED_POINT 1048576.0
#define PAYOFF_MAX 1e9
#define STEPS_MAX 100000
#define BINS 48

typedef unsigned __int128 u128;

typedef struct {
  double spot, strike, rate, volatility, years;
  uint64_t steps, seed, first, paths;
} option;

typedef struct {
  u128 sum, squares;
} total;

static char output[4096];

EXPORT(starling_alloc) void *starling_alloc(uint32_t length) { return malloc(length + 1); }

/* ---- random numbers */

static void philox(uint32_t counter[4], uint64_t seed) {
  uint32_t key0 = (uint32_t)seed;
  uint32_t key1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t product0 = (uint64_t)0xD2511F53u * counter[0];
    uint64_t product1 = (uint64_t)0xCD9E8D57u * counter[2];
    uint32_t next0 = (uint32_t)(product1 >> 32) ^ counter[1] ^ key0;
    uint32_t next2 = (uint32_t)(product0 >> 32) ^ counter[3] ^ key1;
    counter[1] = (uint32_t)product1;
    counter[3] = (uint32_t)product0;
    counter[0] = next0;
    counter[2] = next2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

/* Uniform in (0, 1], never 0 so that its logarithm exists. */
static double uniform(uint32_t high, uint32_t low) {
  uint64_t bits = ((uint64_t)high << 21) | (low >> 11);
  return (double)(bits + 1) * 0x1p-53;
}

/* Two independent standard normal numbers (Box and Muller). */
static void normals(uint64_t seed, uint64_t path, uint32_t draw, double out[2]) {
  uint32_t counter[4] = {(uint32_t)path, (uint32_t)(path >> 32), draw, 0};
  philox(counter, seed);
  double radius = sqrt(-2.0 * log(uniform(counter[0], counter[1])));
  double angle = 6.283185307179586476925 * uniform(counter[2], counter[3]);
  out[0] = radius * cos(angle);
  out[1] = radius * sin(angle);
}

/* ---- input and output */

static void fail(const char *why) {
  fprintf(stderr, "option-price: %s\n", why);
  exit(2);
}

static double decimal(const char *text, const char *name) {
  char key[32];
  snprintf(key, sizeof key, "%s ", name);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, key, strlen(key)) != 0) continue;
    char *end;
    double value = strtod(line + strlen(key), &end);
    if (end == line + strlen(key) || !isfinite(value) || value < 0) fail(name);
    return value;
  }
  fail(name);
  return 0;
}

static uint64_t whole(const char *text, const char *name, double max) {
  double value = decimal(text, name);
  if (value > max || value != floor(value)) fail(name);
  return (uint64_t)value;
}

static option read_option(const char *text) {
  option o;
  o.spot = decimal(text, "spot");
  o.strike = decimal(text, "strike");
  o.rate = decimal(text, "rate");
  o.volatility = decimal(text, "volatility");
  o.years = decimal(text, "years");
  o.steps = whole(text, "steps", STEPS_MAX);
  o.seed = whole(text, "seed", 0x1p53);
  o.first = whole(text, "first", 0x1p53);
  o.paths = whole(text, "paths", 1e9);
  if (o.steps == 0) fail("steps");
  if (o.spot <= 0) fail("spot");
  return o;
}

static int put_u128(char *at, u128 value) {
  char digits[40];
  int count = 0;
  do {
    digits[count++] = (char)('0' + (int)(value % 10));
    value /= 10;
  } while (value > 0);
  for (int i = 0; i < count; i++) at[i] = digits[count - 1 - i];
  return count;
}

static int put_total(char *at, const char *name, const total *t) {
  int length = sprintf(at, ",\"%sSum\":\"", name);
  length += put_u128(at + length, t->sum);
  length += sprintf(at + length, "\",\"%sSquares\":\"", name);
  length += put_u128(at + length, t->squares);
  at[length++] = '"';
  return length;
}

/* ---- the simulation */

static void add_payoff(total *t, double payoff) {
  if (!(payoff > 0)) return;
  if (payoff > PAYOFF_MAX) fail("a payoff is beyond fixed point");
  uint64_t fixed = (uint64_t)(payoff * FIXED_POINT + 0.5);
  t->sum += fixed;
  t->squares += (u128)fixed * fixed;
}

EXPORT(starling_run) uint64_t starling_run(char *text, uint32_t length) {
  text[length] = '\0';
  option o = read_option(text);
  double dt = o.years / (double)o.steps;
  double drift = (o.rate - 0.5 * o.volatility * o.volatility) * dt;
  double spread = o.volatility * sqrt(dt);
  total european = {0, 0};
  total asian = {0, 0};
  uint64_t histogram[BINS] = {0};

  for (uint64_t path = o.first; path < o.first + o.paths; path++) {
    double logarithm = 0;
    double price = o.spot;
    double sum = 0;
    double pair[2] = {0, 0};
    for (uint64_t step = 0; step < o.steps; step++) {
      if ((step & 1) == 0) normals(o.seed, path, (uint32_t)(step >> 1), pair);
      logarithm += drift + spread * pair[step & 1];
      price = o.spot * exp(logarithm);
      sum += price;
    }
    add_payoff(&european, price - o.strike);
    add_payoff(&asian, sum / (double)o.steps - o.strike);
    double bin = price / (3 * o.spot) * BINS;
    histogram[bin < BINS - 1 ? (int)bin : BINS - 1]++;
  }

  int at = sprintf(output, "{\"paths\":%llu", (unsigned long long)o.paths);
  at += put_total(output + at, "european", &european);
  at += put_total(output + at, "asian", &asian);
  at += sprintf(output + at, ",\"histogram\":[");
  for (int i = 0; i < BINS; i++) at += sprintf(output + at, i == 0 ? "%llu" : ",%llu", (unsigned long long)histogram[i]);
  at += sprintf(output + at, "]}\n");
  return ((uint64_t)(uintptr_t)output << 32) | (uint32_t)at;
}
