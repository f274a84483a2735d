/*
 * The longest Collatz sequence in a range, in C without a library, for Starling's reactor ABI.
 *
 * Input: "START COUNT" in decimal. Output: one line of JSON,
 *   {"start":"…","count":"…","longest":"…","steps":N,"highest":"…"}
 * where `longest` is the smallest number of the range with the most steps until 1, and `highest` the largest number any
 * sequence of the range reaches. Numbers have up to 256 bits; one step beyond traps, so a wrong answer cannot come out.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define LIMBS 4
#define EXPORT(name) __attribute__((export_name(#name)))
/* 3n + 1 fits into 64 bits up to here. */
#define SMALL_MAX 0x5555555555555554ull

typedef struct {
  u64 limb[LIMBS]; /* least significant first */
} wide;

static u8 input[256];
static u8 output[1024];
static u32 output_length;

EXPORT(starling_alloc) u8 *starling_alloc(u32 length) { return length <= sizeof input ? input : 0; }

/* ---- 256-bit numbers: only what the sequence needs */

static int is_small(const wide *n) { return (n->limb[1] | n->limb[2] | n->limb[3]) == 0; }

static int compare(const wide *a, const wide *b) {
  for (int i = LIMBS - 1; i >= 0; i--) {
    if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
  }
  return 0;
}

static u64 add_carry(u64 a, u64 b, u64 *carry) {
  u64 sum = a + b;
  u64 out = sum < a;
  u64 total = sum + *carry;
  out |= total < sum;
  *carry = out;
  return total;
}

static void add_small(wide *n, u64 addend) {
  u64 carry = 0;
  n->limb[0] = add_carry(n->limb[0], addend, &carry);
  for (int i = 1; i < LIMBS; i++) n->limb[i] = add_carry(n->limb[i], 0, &carry);
  if (carry) __builtin_trap();
}

/* n = 3n + 1, as (n << 1) + n + 1. */
static void triple_plus_one(wide *n) {
  u64 carry = 1;
  u64 shifted_out = 0;
  for (int i = 0; i < LIMBS; i++) {
    u64 doubled = (n->limb[i] << 1) | shifted_out;
    shifted_out = n->limb[i] >> 63;
    n->limb[i] = add_carry(doubled, n->limb[i], &carry);
  }
  if (carry | shifted_out) __builtin_trap();
}

static void halve(wide *n) {
  for (int i = 0; i < LIMBS; i++) {
    u64 above = i + 1 < LIMBS ? n->limb[i + 1] : 0;
    n->limb[i] = (n->limb[i] >> 1) | (above << 63);
  }
}

/* n = n * 10 + digit, by 32-bit halves so that no product exceeds 64 bits. */
static void append_digit(wide *n, u32 digit) {
  u64 carry = digit;
  for (int i = 0; i < LIMBS; i++) {
    u64 low = (n->limb[i] & 0xffffffffu) * 10 + carry;
    u64 high = (n->limb[i] >> 32) * 10 + (low >> 32);
    n->limb[i] = (high << 32) | (low & 0xffffffffu);
    carry = high >> 32;
  }
  if (carry) __builtin_trap();
}

/* Divides by 10 in place and returns the remainder. */
static u32 take_digit(wide *n) {
  u64 rest = 0;
  for (int i = LIMBS - 1; i >= 0; i--) {
    u64 high = (rest << 32) | (n->limb[i] >> 32);
    u64 low = ((high % 10) << 32) | (n->limb[i] & 0xffffffffu);
    n->limb[i] = ((high / 10) << 32) | (low / 10);
    rest = low % 10;
  }
  return (u32)rest;
}

/* ---- text */

static void put(const char *text) {
  while (*text) output[output_length++] = (u8)*text++;
}

static void put_wide(wide n) {
  u8 digits[80];
  u32 count = 0;
  do digits[count++] = (u8)('0' + take_digit(&n));
  while (!(is_small(&n) && n.limb[0] == 0));
  while (count > 0) output[output_length++] = digits[--count];
}

static void put_small(u64 value) {
  wide n = {{value, 0, 0, 0}};
  put_wide(n);
}

/* Reads one decimal number and what follows it up to the next; traps if there is none. */
static const u8 *read_number(const u8 *at, const u8 *end, wide *n) {
  const u8 *begin = at;
  *n = (wide){{0, 0, 0, 0}};
  while (at < end && *at >= '0' && *at <= '9') append_digit(n, *at++ - '0');
  if (at == begin) __builtin_trap();
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  return at;
}

/* ---- the sequence */

/* Steps from n to 1; raises `highest` to the largest number met. */
static u64 count_steps(wide n, wide *highest) {
  u64 steps = 0;
  for (;;) {
    if (is_small(&n)) {
      u64 small = n.limb[0];
      u64 peak = small;
      while (small > 1) {
        if (small & 1) {
          if (small > SMALL_MAX) break;
          small = small * 3 + 1;
          if (small > peak) peak = small;
          steps++;
        }
        /* An odd step is always followed by an even one, and zeros at the end are as many even ones. */
        int zeros = __builtin_ctzll(small);
        small >>= zeros;
        steps += (u64)zeros;
      }
      wide reached = {{peak, 0, 0, 0}};
      if (compare(&reached, highest) > 0) *highest = reached;
      if (small <= 1) return steps;
      n.limb[0] = small;
    }
    if (n.limb[0] & 1) {
      triple_plus_one(&n);
      if (compare(&n, highest) > 0) *highest = n;
    } else {
      halve(&n);
    }
    steps++;
  }
}

EXPORT(starling_run) u64 starling_run(const u8 *text, u32 length) {
  wide start, count;
  const u8 *end = text + length;
  const u8 *at = read_number(text, end, &start);
  at = read_number(at, end, &count);
  if (at != end || !is_small(&count) || count.limb[0] == 0) __builtin_trap();
  if (is_small(&start) && start.limb[0] == 0) __builtin_trap();

  wide n = start;
  wide longest = start;
  wide highest = start;
  u64 most = 0;
  for (u64 i = 0; i < count.limb[0]; i++) {
    u64 steps = count_steps(n, &highest);
    if (steps > most) {
      most = steps;
      longest = n;
    }
    add_small(&n, 1);
  }

  output_length = 0;
  put("{\"start\":\"");
  put_wide(start);
  put("\",\"count\":\"");
  put_wide(count);
  put("\",\"longest\":\"");
  put_wide(longest);
  put("\",\"steps\":");
  put_small(most);
  put(",\"highest\":\"");
  put_wide(highest);
  put("\"}\n");
  return ((u64)(u32)output << 32) | output_length;
}
