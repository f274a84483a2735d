/**
 * Argon2id (RFC 9106) with one lane, for WebAssembly with SIMD: the whole guess, BLAKE2b (RFC 7693) included, so that a miner
 * crosses into JavaScript once for many guesses and its memory is filled again in place.
 *
 * Exports: `input` and `output` (addresses of small buffers), `prepare(memoryKibibytes, passes)` (grows the memory once), `hash`
 * (one tag) and `mine` (tries nonces until a tag has enough leading zero bits).
 */
#include <stdint.h>
#include <wasm_simd128.h>

#define BLOCK_BYTES 1024
#define BLOCK_WORDS 128
#define SYNC_POINTS 4
#define TAG_BYTES 32
#define VERSION 0x13
#define TYPE_ID 2
#define INPUT_BYTES_MAX 512
#define NONCE_BYTES 8
#define PAGE_BYTES 65536
#define EXPORT(name) __attribute__((export_name(name)))
#define INLINE static inline __attribute__((always_inline))

typedef struct {
  uint64_t word[BLOCK_WORDS];
} __attribute__((aligned(16))) block;

extern uint8_t __heap_base;

static uint8_t input_buffer[INPUT_BYTES_MAX] __attribute__((aligned(16)));
static uint8_t output_buffer[TAG_BYTES] __attribute__((aligned(16)));
static block *memory;
static uint32_t block_count;
static uint32_t pass_count;
static uint32_t found_flag;
static block address_block, address_input, zero_block;

INLINE void copy(uint8_t *to, const uint8_t *from, uint32_t bytes) { __builtin_memcpy(to, from, bytes); }
INLINE void store32(uint8_t *to, uint32_t value) { __builtin_memcpy(to, &value, 4); }

/* ---------------------------------------------------------------- BLAKE2b, RFC 7693 */

static const uint64_t IV[8] = {
    0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
    0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL,
};

static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

INLINE uint64_t rotr(uint64_t x, int bits) { return (x >> bits) | (x << (64 - bits)); }

#define MIX(a, b, c, d, x, y)                                                                                                   \
  a = a + b + x, d = rotr(d ^ a, 32), c = c + d, b = rotr(b ^ c, 24), a = a + b + y, d = rotr(d ^ a, 16), c = c + d,            \
  b = rotr(b ^ c, 63)

static void compress(uint64_t h[8], const uint8_t *chunk, uint64_t counted, uint64_t last) {
  uint64_t m[16], s[16];
  __builtin_memcpy(m, chunk, 128);
  for (int i = 0; i < 8; i++) s[i] = h[i], s[i + 8] = IV[i];
  s[12] ^= counted;
  s[14] ^= last;
  for (int round = 0; round < 12; round++) {
    const uint8_t *order = SIGMA[round % 10];
    MIX(s[0], s[4], s[8], s[12], m[order[0]], m[order[1]]);
    MIX(s[1], s[5], s[9], s[13], m[order[2]], m[order[3]]);
    MIX(s[2], s[6], s[10], s[14], m[order[4]], m[order[5]]);
    MIX(s[3], s[7], s[11], s[15], m[order[6]], m[order[7]]);
    MIX(s[0], s[5], s[10], s[15], m[order[8]], m[order[9]]);
    MIX(s[1], s[6], s[11], s[12], m[order[10]], m[order[11]]);
    MIX(s[2], s[7], s[8], s[13], m[order[12]], m[order[13]]);
    MIX(s[3], s[4], s[9], s[14], m[order[14]], m[order[15]]);
  }
  for (int i = 0; i < 8; i++) h[i] ^= s[i] ^ s[i + 8];
}

/** `out` takes 64 bytes; the first `out_bytes` are the digest. */
static void blake2b(uint8_t out[64], uint32_t out_bytes, const uint8_t *in, uint32_t in_bytes) {
  uint64_t h[8];
  for (int i = 0; i < 8; i++) h[i] = IV[i];
  h[0] ^= 0x01010000 ^ out_bytes;
  uint32_t at = 0;
  while (in_bytes - at > 128) {
    compress(h, in + at, at + 128, 0);
    at += 128;
  }
  uint8_t tail[128];
  for (int i = 0; i < 128; i++) tail[i] = (uint32_t)i < in_bytes - at ? in[at + i] : 0;
  compress(h, tail, in_bytes, ~0ULL);
  copy(out, (const uint8_t *)h, 64);
}

/** The variable-length hash H' of RFC 9106, section 3.3; `in` has room for the length in front of its data. */
static void blake2b_long(uint8_t *out, uint32_t out_bytes, uint8_t *prefixed, uint32_t in_bytes) {
  uint8_t digest[64];
  store32(prefixed, out_bytes);
  if (out_bytes <= 64) {
    blake2b(digest, out_bytes, prefixed, in_bytes + 4);
    for (uint32_t i = 0; i < out_bytes; i++) out[i] = digest[i];
    return;
  }
  blake2b(digest, 64, prefixed, in_bytes + 4);
  uint32_t at = 0;
  for (;;) {
    copy(out + at, digest, 32);
    at += 32;
    const uint32_t left = out_bytes - at;
    if (left <= 64) {
      blake2b(digest, left, digest, 64);
      for (uint32_t i = 0; i < left; i++) out[at + i] = digest[i];
      return;
    }
    blake2b(digest, 64, digest, 64);
  }
}

/* ---------------------------------------------------------------- the compression function G, RFC 9106, section 3.5 */

INLINE v128_t fbla(v128_t x, v128_t y) {
  /* 32 x 32 -> 64 of the low halves: gather them, then one widening multiplication. */
  const v128_t xs = wasm_i32x4_shuffle(x, x, 0, 2, 0, 2);
  const v128_t ys = wasm_i32x4_shuffle(y, y, 0, 2, 0, 2);
  const v128_t product = wasm_u64x2_extmul_low_u32x4(xs, ys);
  return wasm_i64x2_add(wasm_i64x2_add(x, y), wasm_i64x2_add(product, product));
}

INLINE v128_t ror32(v128_t x) { return wasm_i32x4_shuffle(x, x, 1, 0, 3, 2); }
INLINE v128_t ror24(v128_t x) {
  return wasm_i8x16_shuffle(x, x, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
}
INLINE v128_t ror16(v128_t x) {
  return wasm_i8x16_shuffle(x, x, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
}
INLINE v128_t ror63(v128_t x) { return wasm_v128_xor(wasm_u64x2_shr(x, 63), wasm_i64x2_add(x, x)); }

#define HALF_G(a, b, c, d, first, second)                                                                                       \
  a = fbla(a, b), d = first(wasm_v128_xor(d, a)), c = fbla(c, d), b = second(wasm_v128_xor(b, c))

/** The permutation P over eight 16-byte registers: rows, then diagonals. */
#define PERMUTE(a0, a1, b0, b1, c0, c1, d0, d1)                                                                                 \
  do {                                                                                                                          \
    HALF_G(a0, b0, c0, d0, ror32, ror24);                                                                                       \
    HALF_G(a1, b1, c1, d1, ror32, ror24);                                                                                       \
    HALF_G(a0, b0, c0, d0, ror16, ror63);                                                                                       \
    HALF_G(a1, b1, c1, d1, ror16, ror63);                                                                                       \
    v128_t e0 = wasm_i64x2_shuffle(b0, b1, 1, 2), e1 = wasm_i64x2_shuffle(b1, b0, 1, 2);                                        \
    v128_t f0 = wasm_i64x2_shuffle(d1, d0, 1, 2), f1 = wasm_i64x2_shuffle(d0, d1, 1, 2);                                        \
    HALF_G(a0, e0, c1, f0, ror32, ror24);                                                                                       \
    HALF_G(a1, e1, c0, f1, ror32, ror24);                                                                                       \
    HALF_G(a0, e0, c1, f0, ror16, ror63);                                                                                       \
    HALF_G(a1, e1, c0, f1, ror16, ror63);                                                                                       \
    b0 = wasm_i64x2_shuffle(e1, e0, 1, 2), b1 = wasm_i64x2_shuffle(e0, e1, 1, 2);                                               \
    d0 = wasm_i64x2_shuffle(f0, f1, 1, 2), d1 = wasm_i64x2_shuffle(f1, f0, 1, 2);                                               \
  } while (0)

/** next = G(previous, reference), xored into what `next` held when it is not the first pass. */
static void fill_block(const block *previous, const block *reference, block *next, int with_xor) {
  v128_t r[64];
  block kept_block;
  v128_t *kept = (v128_t *)&kept_block;
  const v128_t *p = (const v128_t *)previous;
  const v128_t *q = (const v128_t *)reference;
  v128_t *n = (v128_t *)next;
  if (with_xor) {
    for (int i = 0; i < 64; i++) r[i] = wasm_v128_xor(p[i], q[i]), kept[i] = wasm_v128_xor(r[i], n[i]);
  } else {
    for (int i = 0; i < 64; i++) r[i] = kept[i] = wasm_v128_xor(p[i], q[i]);
  }
  for (int i = 0; i < 64; i += 8)
    PERMUTE(r[i], r[i + 1], r[i + 2], r[i + 3], r[i + 4], r[i + 5], r[i + 6], r[i + 7]);
  for (int i = 0; i < 8; i++)
    PERMUTE(r[i], r[8 + i], r[16 + i], r[24 + i], r[32 + i], r[40 + i], r[48 + i], r[56 + i]);
  for (int i = 0; i < 64; i++) n[i] = wasm_v128_xor(r[i], kept[i]);
}

/* ---------------------------------------------------------------- the memory, RFC 9106, sections 3.2 and 3.4 */

INLINE void next_addresses(void) {
  address_input.word[6]++;
  fill_block(&zero_block, &address_input, &address_block, 0);
  fill_block(&zero_block, &address_block, &address_block, 0);
}

static void fill_segment(uint32_t pass, uint32_t slice) {
  const uint32_t segment = block_count / SYNC_POINTS;
  const int independent = pass == 0 && slice < SYNC_POINTS / 2;
  if (independent) {
    for (int i = 0; i < BLOCK_WORDS; i++) address_input.word[i] = 0;
    address_input.word[0] = pass;
    address_input.word[2] = slice;
    address_input.word[3] = block_count;
    address_input.word[4] = pass_count;
    address_input.word[5] = TYPE_ID;
  }
  uint32_t start = 0;
  if (pass == 0 && slice == 0) {
    start = 2;
    next_addresses();
  }
  uint32_t current = slice * segment + start;
  uint32_t previous = current == 0 ? block_count - 1 : current - 1;
  for (uint32_t i = start; i < segment; i++, current++) {
    if (independent && i % BLOCK_WORDS == 0) next_addresses();
    const uint64_t random = independent ? address_block.word[i % BLOCK_WORDS] : memory[previous].word[0];
    uint32_t area;
    if (pass == 0) area = slice * segment + i - 1;
    else area = block_count - segment + i - 1;
    const uint64_t j1 = (uint32_t)random;
    const uint64_t x = (j1 * j1) >> 32;
    const uint32_t relative = area - 1 - (uint32_t)(((uint64_t)area * x) >> 32);
    const uint32_t base = pass == 0 || slice == SYNC_POINTS - 1 ? 0 : (slice + 1) * segment;
    uint32_t reference = base + relative;
    if (reference >= block_count) reference -= block_count;
    fill_block(&memory[previous], &memory[reference], &memory[current], pass != 0);
    previous = current;
  }
}

/** Tags `input_buffer`: the bytes of H_0 after the fixed parameters are made by the caller, see `prepare`. */
static void tag_of(uint32_t input_bytes) {
  static uint8_t seed[4 + 64 + 8];
  static uint8_t final_block[4 + BLOCK_BYTES];
  uint8_t digest[64];
  blake2b(digest, 64, input_buffer, input_bytes);
  copy(seed + 4, digest, 64);
  store32(seed + 4 + 64 + 4, 0);
  for (uint32_t i = 0; i < 2; i++) {
    store32(seed + 4 + 64, i);
    blake2b_long((uint8_t *)&memory[i], BLOCK_BYTES, seed, 72);
  }
  for (uint32_t pass = 0; pass < pass_count; pass++)
    for (uint32_t slice = 0; slice < SYNC_POINTS; slice++) fill_segment(pass, slice);
  copy(final_block + 4, (const uint8_t *)&memory[block_count - 1], BLOCK_BYTES);
  blake2b_long(output_buffer, TAG_BYTES, final_block, BLOCK_BYTES);
}

INLINE uint32_t leading_zero_bits(void) {
  uint32_t bits = 0;
  for (int i = 0; i < TAG_BYTES; i++) {
    if (output_buffer[i] != 0) return bits + (uint32_t)__builtin_clz(output_buffer[i]) - 24;
    bits += 8;
  }
  return bits;
}

/** Where the input of H_0 (RFC 9106, section 3.2, step 1) is to be written, 512 bytes at most. */
EXPORT("input") uint8_t *input(void) { return input_buffer; }

/** Where the tag is. */
EXPORT("output") uint8_t *output(void) { return output_buffer; }

/** Makes room. @return 0 when there is no memory to be had. */
EXPORT("prepare") int prepare(uint32_t memory_kibibytes, uint32_t passes) {
  const uint32_t base = ((uint32_t)(uintptr_t)&__heap_base + 15) & ~15u;
  block_count = memory_kibibytes / SYNC_POINTS * SYNC_POINTS;
  pass_count = passes;
  memory = (block *)(uintptr_t)base;
  const uint32_t pages = (base + block_count * BLOCK_BYTES + PAGE_BYTES - 1) / PAGE_BYTES;
  const uint32_t now = __builtin_wasm_memory_size(0);
  if (pages > now && __builtin_wasm_memory_grow(0, pages - now) == (unsigned long)-1) return 0;
  return 1;
}

/** One tag of the prepared input. */
EXPORT("hash") void hash(uint32_t input_bytes) { tag_of(input_bytes); }

/**
 * Tries `count` nonces from `first` on, written little-endian at `nonce_offset` of the input.
 *
 * @return How many were tried; the last one is good when `found()`.
 */
EXPORT("found") uint32_t found(void) { return found_flag; }
EXPORT("mine") uint32_t mine(uint32_t input_bytes, uint32_t nonce_offset, uint64_t first, uint32_t count, uint32_t bits) {
  found_flag = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t nonce = first + i;
    copy(input_buffer + nonce_offset, (const uint8_t *)&nonce, NONCE_BYTES);
    tag_of(input_bytes);
    if (leading_zero_bits() >= bits) {
      found_flag = 1;
      return i + 1;
    }
  }
  return count;
}
