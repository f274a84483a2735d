/**
 * The group of norm proofs for WebAssembly: sums of many products (the work of a proof), folded generators, and the way in and out of bytes.
 *
 * Addresses are of the module's memory; nothing in it outlives a call but `result`. Generators and other points go in as `affine`, made by `decode` or
 * `derive`.
 */
#include "ristretto.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define SCALAR_WORDS 4
#define SCALAR_BITS 256
/** Below, every scalar has doublings in common with the others but buckets of its own. */
#define FEW_MAX 192
#define FEW_WIDTH 5
/** Odd multiples of a point: 1 to 15. */
#define MULTIPLES 8
#define WIDTH_MAX 13
/** Scalars of updates and bits have some 20 bits: they are summed by themselves, with few windows. */
#define SHORT_BITS 64

extern uint8_t __heap_base;

typedef uint64_t scalar[SCALAR_WORDS];

static point result;

EXPORT("heapBase") uint32_t heap_base(void) { return ((uint32_t)&__heap_base + 63) & ~63u; }
EXPORT("affineBytes") uint32_t affine_bytes(void) { return sizeof(affine); }

/* ---------------------------------------------------------------- bytes */

/** Affine forms of many points for one inversion. `partial` takes as many elements. */
static void normalise(affine *out, const point *points, uint32_t count, fe *partial) {
  fe all = ONE;
  for (uint32_t at = 0; at < count; at++) {
    partial[at] = all;
    all = times(all, points[at].Z);
  }
  fe left = inverse(all);
  for (uint32_t at = count; at-- > 0;) {
    fe z = times(left, partial[at]);
    left = times(left, points[at].Z);
    fe x = times(points[at].X, z), y = times(points[at].Y, z);
    out[at].sum = add(y, x);
    out[at].difference = subtract(y, x);
    out[at].product = times(times(x, y), D2);
  }
}

/** @returns The place of the first that is no encoding, or `count`. */
EXPORT("decode") uint32_t decode(const uint8_t *bytes, uint32_t count, affine *out) {
  for (uint32_t at = 0; at < count; at++) {
    point p;
    if (!decode_point(&p, bytes + 32 * at)) return at;
    out[at].sum = add(p.Y, p.X);
    out[at].difference = subtract(p.Y, p.X);
    out[at].product = times(p.T, D2);
  }
  return count;
}

/** Elements of 64 bytes each. `workspace` takes 200 bytes for each. */
EXPORT("derive") void derive(const uint8_t *bytes, uint32_t count, affine *out, uint8_t *workspace) {
  point *points = (point *)workspace;
  for (uint32_t at = 0; at < count; at++) derive_point(points + at, bytes + 64 * at);
  normalise(out, points, count, (fe *)(points + count));
}

EXPORT("encode") void encode(const affine *from, uint32_t count, uint8_t *bytes) {
  for (uint32_t at = 0; at < count; at++) {
    point p;
    point_of(&p, from + at);
    encode_point(bytes + 32 * at, &p);
  }
}

/** The last sum. */
EXPORT("encodeResult") void encode_result(uint8_t *bytes) { encode_point(bytes, &result); }

/* ---------------------------------------------------------------- scalars */

static const scalar ORDER = {0x5812631a5cf5d3edULL, 0x14def9dea2f79cd6ULL, 0, 0x1000000000000000ULL};

/** Those above half of the order become the negative of what is left. @returns Whether it did. */
static int halve_range(scalar s) {
  scalar rest;
  uint64_t borrow = 0;
  for (int word = 0; word < SCALAR_WORDS; word++) {
    uint64_t difference = ORDER[word] - s[word];
    rest[word] = difference - borrow;
    borrow = (ORDER[word] < s[word]) | (difference < borrow);
  }
  int larger = 0;
  for (int word = SCALAR_WORDS - 1; word >= 0; word--) {
    if (s[word] == rest[word]) continue;
    larger = s[word] > rest[word];
    break;
  }
  if (larger) __builtin_memcpy(s, rest, sizeof(rest));
  return larger;
}

static uint32_t bits_of(const scalar s) {
  for (int word = SCALAR_WORDS - 1; word >= 0; word--)
    if (s[word] != 0) return 64 * word + 64 - __builtin_clzll(s[word]);
  return 0;
}

INLINE uint32_t bits_at(const scalar s, uint32_t from, uint32_t width) {
  uint32_t word = from >> 6, shift = from & 63;
  if (word >= SCALAR_WORDS) return 0;
  uint64_t low = s[word] >> shift;
  if (shift + width > 64 && word + 1 < SCALAR_WORDS) low |= s[word + 1] << (64 - shift);
  return (uint32_t)low & ((1u << width) - 1);
}

/* ---------------------------------------------------------------- few points */

/** Odd digits with at least four zeros between two of them; one byte for each bit. */
static void sparse_digits(int8_t *digits, scalar s, int minus) {
  __builtin_memset(digits, 0, SCALAR_BITS);
  uint32_t bit = 0, carry = 0;
  while (bit < SCALAR_BITS) {
    uint32_t window = bits_at(s, bit, FEW_WIDTH) + carry;
    if ((window & 1) == 0) {
      /* A carry stays while the bits are ones. */
      bit++;
      continue;
    }
    int32_t digit = (int32_t)window;
    carry = window >= 1u << (FEW_WIDTH - 1);
    if (carry) digit -= 1 << FEW_WIDTH;
    digits[bit] = (int8_t)(minus ? -digit : digit);
    bit += FEW_WIDTH;
  }
}

static void odd_multiples(cached table[MULTIPLES], const affine *q) {
  point p, twice;
  point_of(&p, q);
  twice = p;
  twofold(&twice, 1);
  cached step;
  to_cached(&step, &twice);
  to_cached(&table[0], &p);
  for (int at = 1; at < MULTIPLES; at++) {
    add_cached(&p, &step, 0);
    to_cached(&table[at], &p);
  }
}

/** Adds `Σ digits × points` of tables, with one row of doublings for all (Straus). */
static void sum_few(point *out, const cached *tables, const int8_t *digits, uint32_t count) {
  point total = IDENTITY;
  int started = 0;
  for (int bit = SCALAR_BITS - 1; bit >= 0; bit--) {
    if (started) twofold(&total, 1);
    for (uint32_t at = 0; at < count; at++) {
      int digit = digits[at * SCALAR_BITS + bit];
      if (digit == 0) continue;
      started = 1;
      add_cached(&total, tables + MULTIPLES * at + ((digit < 0 ? -digit : digit) >> 1), digit < 0);
    }
  }
  add_points(out, &total);
}

/**
 * `points[i] + Σ scalars[j] × points[i + j·span]`, for each i below `span`; the first scalar is taken as given too.
 *
 * @param workspace - 360 bytes for each point of `out`, and 1,536 for each scalar.
 */
EXPORT("fold")
void fold(const affine *points, uint32_t span, scalar *scalars, uint32_t count, affine *out, uint8_t *workspace) {
  point *folded = (point *)workspace;
  fe *partial = (fe *)(folded + span);
  cached *tables = (cached *)(partial + span);
  int8_t *digits = (int8_t *)(tables + MULTIPLES * count);
  for (uint32_t at = 0; at < count; at++) {
    int minus = halve_range(scalars[at]);
    sparse_digits(digits + SCALAR_BITS * at, scalars[at], minus);
  }
  for (uint32_t i = 0; i < span; i++) {
    for (uint32_t j = 0; j < count; j++) odd_multiples(tables + MULTIPLES * j, points + i + j * span);
    folded[i] = IDENTITY;
    sum_few(folded + i, tables, digits, count);
  }
  normalise(out, folded, span, partial);
}

/* ---------------------------------------------------------------- many points */

/** The width with the fewest additions: one for each point and two and a half for each bucket, in each window. */
static uint32_t best_width(uint32_t count, uint32_t bits) {
  uint32_t best = 1;
  uint64_t least = ~0ULL;
  for (uint32_t width = 1; width <= WIDTH_MAX; width++) {
    uint64_t windows = (bits + 1 + width - 1) / width;
    uint64_t cost = windows * (2 * count + (5ULL << (width - 1)));
    if (cost < least) least = cost, best = width;
  }
  return best;
}

/** `Σ digit × bucket`, by adding up running sums from the top. */
static void weigh(point *out, const point *buckets, uint32_t count) {
  point running = IDENTITY, sum = IDENTITY;
  for (uint32_t at = count; at-- > 0;) {
    add_points(&running, buckets + at);
    add_points(&sum, &running);
  }
  *out = sum;
}

/**
 * Adds sums by buckets (Pippenger), with digits of either sign, which halves the buckets.
 *
 * @param chosen - Places of the points, with the lowest bit for a negated one: `2·place + minus`.
 */
static void sum_many(
    point *out, const affine *points, scalar *scalars, const uint32_t *chosen, uint32_t count, uint32_t bits, uint8_t *workspace) {
  uint32_t width = best_width(count, bits);
  uint32_t windows = (bits + 1 + width - 1) / width;
  uint32_t half = 1u << (width - 1);
  point *buckets = (point *)workspace;
  int16_t *digits = (int16_t *)(buckets + half);
  for (uint32_t at = 0; at < count; at++) {
    uint32_t carry = 0;
    for (uint32_t window = 0; window < windows; window++) {
      int32_t digit = (int32_t)(bits_at(scalars[chosen[at] >> 1], window * width, width) + carry);
      carry = (uint32_t)digit > half;
      if (carry) digit -= 2 * half;
      digits[window * count + at] = (int16_t)(chosen[at] & 1 ? -digit : digit);
    }
  }
  point total = IDENTITY;
  for (uint32_t window = windows; window-- > 0;) {
    twofold(&total, window + 1 == windows ? 0 : width);
    uint32_t used = 0;
    for (uint32_t at = 0; at < count; at++) {
      int digit = digits[window * count + at];
      if (digit == 0) continue;
      uint32_t bucket = digit < 0 ? -digit : digit;
      while (used < bucket) buckets[used++] = IDENTITY;
      add_affine(buckets + bucket - 1, points + (chosen[at] >> 1), digit < 0);
    }
    point sum;
    weigh(&sum, buckets, used);
    add_points(&total, &sum);
  }
  add_points(out, &total);
}

/** Adds those of the chosen, by the way that suits their number. */
static void sum_chosen(
    point *out, const affine *points, scalar *scalars, const uint32_t *chosen, uint32_t count, uint32_t bits, uint8_t *workspace) {
  if (count > FEW_MAX || bits <= SHORT_BITS) return sum_many(out, points, scalars, chosen, count, bits, workspace);
  cached *tables = (cached *)workspace;
  int8_t *digits = (int8_t *)(tables + MULTIPLES * count);
  for (uint32_t at = 0; at < count; at++) {
    odd_multiples(tables + MULTIPLES * at, points + (chosen[at] >> 1));
    sparse_digits(digits + SCALAR_BITS * at, scalars[chosen[at] >> 1], chosen[at] & 1);
  }
  sum_few(out, tables, digits, count);
}

/**
 * `Σ scalars × points`, kept as the result.
 *
 * @param scalars - Below the order; overwritten.
 * @param workspace - 640 KiB, and 160 bytes for each point.
 */
EXPORT("sum") void sum(const affine *points, scalar *scalars, uint32_t count, uint8_t *workspace) {
  uint32_t *short_ones = (uint32_t *)workspace;
  uint32_t *long_ones = short_ones + count;
  uint8_t *rest = (uint8_t *)(((uint32_t)(long_ones + count) + 63) & ~63u);
  uint32_t short_count = 0, long_count = 0, short_bits = 0, long_bits = 0;
  for (uint32_t at = 0; at < count; at++) {
    uint32_t minus = halve_range(scalars[at]);
    uint32_t bits = bits_of(scalars[at]);
    if (bits == 0) continue;
    if (bits <= SHORT_BITS) {
      short_ones[short_count++] = 2 * at + minus;
      if (bits > short_bits) short_bits = bits;
    } else {
      long_ones[long_count++] = 2 * at + minus;
      if (bits > long_bits) long_bits = bits;
    }
  }
  result = IDENTITY;
  if (short_count > 0) sum_chosen(&result, points, scalars, short_ones, short_count, short_bits, rest);
  if (long_count > 0) sum_chosen(&result, points, scalars, long_ones, long_count, long_bits, rest);
}
