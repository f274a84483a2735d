/**
 * Integers modulo p = 2^255 - 19, for WebAssembly, whose widest product is 64 bits: ten signed limbs of 26 and 25 bits in turns.
 *
 * A limb is *reduced* when its size is at most 2^25 (even places) or 2^24 (odd places), and a little. The product of two elements whose limbs are
 * `a` and `b` times that size has columns of at most a·b·2^57, so a·b may be up to 60: sums of a few reduced elements are multiplied as they
 * are. Time depends on values: what a tab computes on its own update is nobody else's to watch.
 */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define LIMBS 10
#define ODD_BITS 25
#define EVEN_BITS 26
/** Bits of limb `k`, and where it stands. */
#define BITS_OF(k) ((k) & 1 ? ODD_BITS : EVEN_BITS)
#define UNROLLED _Pragma("clang loop unroll(full)")

typedef struct {
  int32_t limb[LIMBS];
} fe;

static const fe ZERO = {{0}};
static const fe ONE = {{1}};

INLINE fe add(fe f, fe g) {
  UNROLLED for (int k = 0; k < LIMBS; k++) f.limb[k] += g.limb[k];
  return f;
}

INLINE fe subtract(fe f, fe g) {
  UNROLLED for (int k = 0; k < LIMBS; k++) f.limb[k] -= g.limb[k];
  return f;
}

INLINE fe negate(fe f) {
  UNROLLED for (int k = 0; k < LIMBS; k++) f.limb[k] = -f.limb[k];
  return f;
}

/** Moves what is above half a limb to the next one; above the last it comes back nineteenfold at the first. */
#define CARRY(h, k)                                                                                                             \
  do { \
    int64_t over = ((h)[k] + ((int64_t)1 << (BITS_OF(k) - 1))) >> BITS_OF(k);                                                   \
    (h)[((k) + 1) % LIMBS] += (k) == LIMBS - 1 ? 19 * over : over;                                                              \
    (h)[k] -= over << BITS_OF(k);                                                                                               \
  } while (0)

/** Two chains at a time, since each step waits for the one before. */
INLINE fe reduced(int64_t h[LIMBS]) {
  UNROLLED for (int k = 0; k < 4; k++) {
    CARRY(h, k);
    CARRY(h, k + 4);
  }
  CARRY(h, 4);
  CARRY(h, 8);
  CARRY(h, 9);
  CARRY(h, 0);
  fe f;
  UNROLLED for (int k = 0; k < LIMBS; k++) f.limb[k] = (int32_t)h[k];
  return f;
}

/** Two odd places are half a bit short each: their product counts twice. Beyond the last limb, 2^255 is 19. */
INLINE fe product(fe f, fe g) {
  int64_t h[LIMBS] = {0};
  UNROLLED for (int i = 0; i < LIMBS; i++) {
    UNROLLED for (int j = 0; j < LIMBS; j++) {
      int64_t left = (i & j & 1) ? 2 * (int64_t)f.limb[i] : (int64_t)f.limb[i];
      int64_t right = i + j >= LIMBS ? 19 * (int64_t)g.limb[j] : (int64_t)g.limb[j];
      h[(i + j) % LIMBS] += left * right;
    }
  }
  return reduced(h);
}

INLINE fe squared(fe f) {
  int64_t h[LIMBS] = {0};
  UNROLLED for (int i = 0; i < LIMBS; i++) {
    UNROLLED for (int j = i; j < LIMBS; j++) {
      int64_t times = (i == j ? 1 : 2) * ((i & j & 1) ? 2 : 1);
      int64_t right = i + j >= LIMBS ? 19 * (int64_t)f.limb[j] : (int64_t)f.limb[j];
      h[(i + j) % LIMBS] += times * (int64_t)f.limb[i] * right;
    }
  }
  return reduced(h);
}

/* Outside the inner loops: one copy of each, or the module would be mostly these. */
static __attribute__((noinline)) void multiply(fe *out, const fe *f, const fe *g) { *out = product(*f, *g); }
static __attribute__((noinline)) void square_times(fe *out, const fe *f, int times) {
  fe power = squared(*f);
  while (--times > 0) power = squared(power);
  *out = power;
}

INLINE fe times(fe f, fe g) {
  fe out;
  multiply(&out, &f, &g);
  return out;
}
INLINE fe square(fe f) {
  fe out;
  square_times(&out, &f, 1);
  return out;
}

/** f^(2^250 - 1), the longest part of both powers below; `eleven` gets f^11. */
static fe power_250(fe f, fe *eleven) {
  fe two, nine, ones[6], out;
  two = square(f);
  square_times(&nine, &two, 2);
  nine = times(nine, f);
  *eleven = times(nine, two);
  /* ones[i] is f^(2^n - 1) for n = 5, 10, 20, 40, 50, 100. */
  ones[0] = times(square(*eleven), nine);
  square_times(&out, &ones[0], 5), ones[1] = times(out, ones[0]);
  square_times(&out, &ones[1], 10), ones[2] = times(out, ones[1]);
  square_times(&out, &ones[2], 20), ones[3] = times(out, ones[2]);
  square_times(&out, &ones[3], 10), ones[4] = times(out, ones[1]);
  square_times(&out, &ones[4], 50), ones[5] = times(out, ones[4]);
  square_times(&out, &ones[5], 100), out = times(out, ones[5]);
  square_times(&out, &out, 50);
  return times(out, ones[4]);
}

/** f^(p - 2). */
static fe inverse(fe f) {
  fe eleven, out = power_250(f, &eleven);
  square_times(&out, &out, 5);
  return times(out, eleven);
}

/** f^((p - 5) / 8). */
static fe root_power(fe f) {
  fe eleven, out = power_250(f, &eleven);
  square_times(&out, &out, 2);
  return times(out, f);
}

/** Little-endian; the highest bit is ignored. */
static fe from_bytes(const uint8_t bytes[32]) {
  int64_t h[LIMBS];
  uint32_t bit = 0;
  for (int k = 0; k < LIMBS; k++) {
    uint32_t word;
    __builtin_memcpy(&word, bytes + (bit >> 3), 4);
    h[k] = (word >> (bit & 7)) & ((1u << BITS_OF(k)) - 1);
    bit += BITS_OF(k);
  }
  return reduced(h);
}

/** The one integer from 0 up to p. */
static void to_bytes(uint8_t bytes[32], fe f) {
  int64_t h[LIMBS];
  for (int k = 0; k < LIMBS; k++) h[k] = f.limb[k];
  f = reduced(h);
  /* The sum is between -p and p now: how often p is in it, by what 19 more would carry out of the top. */
  int64_t over = (19 * (int64_t)f.limb[9] + (1 << 24)) >> 25;
  for (int k = 0; k < LIMBS; k++) over = (f.limb[k] + over) >> BITS_OF(k);
  int64_t carry = 19 * over;
  __builtin_memset(bytes, 0, 32);
  uint32_t bit = 0;
  for (int k = 0; k < LIMBS; k++) {
    int64_t limb = f.limb[k] + carry;
    carry = limb >> BITS_OF(k);
    uint64_t low = (uint64_t)(limb - (carry << BITS_OF(k))) << (bit & 7);
    for (uint32_t at = bit >> 3; low != 0; at++, low >>= 8) bytes[at] |= (uint8_t)low;
    bit += BITS_OF(k);
  }
}

static int is_zero(fe f) {
  uint8_t bytes[32];
  to_bytes(bytes, f);
  uint8_t any = 0;
  for (int at = 0; at < 32; at++) any |= bytes[at];
  return any == 0;
}

/** "Negative" is odd, as RFC 9496 says. */
static int is_negative(fe f) {
  uint8_t bytes[32];
  to_bytes(bytes, f);
  return bytes[0] & 1;
}

static fe absolute(fe f) { return is_negative(f) ? negate(f) : f; }
static int equal(fe f, fe g) { return is_zero(subtract(f, g)); }
