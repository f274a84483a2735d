/**
 * ristretto255, RFC 9496: points of the twisted Edwards curve -x² + y² = 1 + dx²y², with the encoding, decoding and element derivation that make of
 * them a group of prime order. Section numbers are that document's.
 */
#include "field.h"

/** Section 4.1, balanced limbs. */
static const fe D = {{-10913610, 13857413, -15372611, 6949391, 114729, -8787816, -6275908, -3247719, -18696448, -12055116}};
static const fe D2 = {{-21827239, -5839606, -30745221, 13898782, 229458, 15978800, -12551817, -6495438, 29715968, 9444199}};
static const fe SQRT_M1 = {{-32595792, -7943725, 9377950, 3500415, 12389472, -272473, -25146209, -2005654, 326686, 11406482}};
static const fe INVSQRT_A_MINUS_D = {
    {6111485, 4156064, -27798727, 12243468, -25904040, 120897, 20826367, -7060776, 6093568, -1986012}};
static const fe ONE_MINUS_D_SQ = {
    {6275446, -16617371, -22938544, -3773710, 11667077, 7397348, -27922721, 1766195, -24433858, 672203}};
static const fe D_MINUS_ONE_SQ = {
    {15551795, -11097455, -13425098, -10125071, -11896535, 10178284, -26634327, 4729244, -5282110, -10116402}};
static const fe SQRT_AD_MINUS_ONE = {
    {24849947, -153582, -23613485, 6347715, -21072328, -667138, -25271143, -15367704, -870347, 14525639}};

/** x = X/Z, y = Y/Z, xy = T/Z. */
typedef struct {
  fe X, Y, Z, T;
} point;

/** y + x, y - x, 2dxy of an affine point: what adding it takes. */
typedef struct {
  fe sum, difference, product;
} affine;

/** Y + X, Y - X, 2Z, 2dT. */
typedef struct {
  fe sum, difference, twice, product;
} cached;

static const point IDENTITY = {{{0}}, {{1}}, {{1}}, {{0}}};

/* Addition and doubling: H. Hisil and others, "Twisted Edwards curves revisited", 2008, sections 3.1 and 3.3. */

/** The last four products of every formula. */
#define FINISH(p, E, F, G, H)                                                                                                   \
  do {                                                                                                                          \
    (p)->X = product(E, F);                                                                                                     \
    (p)->Y = product(G, H);                                                                                                     \
    (p)->Z = product(F, G);                                                                                                     \
    (p)->T = product(E, H);                                                                                                     \
  } while (0)

/** p + q, or p - q. Seven products. */
static __attribute__((noinline)) void add_affine(point *p, const affine *q, int minus) {
  fe A = product(subtract(p->Y, p->X), minus ? q->sum : q->difference);
  fe B = product(add(p->Y, p->X), minus ? q->difference : q->sum);
  fe C = product(p->T, q->product);
  fe twice = add(p->Z, p->Z);
  fe E = subtract(B, A), H = add(B, A);
  fe F = minus ? add(twice, C) : subtract(twice, C);
  fe G = minus ? subtract(twice, C) : add(twice, C);
  FINISH(p, E, F, G, H);
}

/** As above; eight. */
static __attribute__((noinline)) void add_cached(point *p, const cached *q, int minus) {
  fe A = product(subtract(p->Y, p->X), minus ? q->sum : q->difference);
  fe B = product(add(p->Y, p->X), minus ? q->difference : q->sum);
  fe C = product(p->T, q->product);
  fe twice = product(p->Z, q->twice);
  fe E = subtract(B, A), H = add(B, A);
  fe F = minus ? add(twice, C) : subtract(twice, C);
  fe G = minus ? subtract(twice, C) : add(twice, C);
  FINISH(p, E, F, G, H);
}

static void to_cached(cached *out, const point *p) {
  out->sum = add(p->Y, p->X);
  out->difference = subtract(p->Y, p->X);
  out->twice = add(p->Z, p->Z);
  out->product = times(p->T, D2);
}

static void add_points(point *p, const point *q) {
  cached other;
  to_cached(&other, q);
  add_cached(p, &other, 0);
}

/** `times` doublings. H and F have the opposite sign of the source's: both quotients stay. */
static __attribute__((noinline)) void twofold(point *p, int times) {
  while (times-- > 0) {
    fe A = squared(p->X), B = squared(p->Y), C = squared(p->Z);
    fe H = add(A, B), G = subtract(B, A);
    fe E = subtract(squared(add(p->X, p->Y)), H);
    fe F = subtract(add(C, C), G);
    p->X = product(E, F);
    p->Y = product(G, H);
    p->Z = product(F, G);
    p->T = product(E, H);
  }
}

static void point_of(point *out, const affine *q) {
  *out = IDENTITY;
  add_affine(out, q, 0);
}

/** Section 4.2: a root of u/v, or of i·u/v; says whether it is the first. */
static int root_of_ratio(fe *root, fe u, fe v) {
  fe v3 = times(square(v), v);
  fe v7 = times(square(v3), v);
  fe r = times(times(u, v3), root_power(times(u, v7)));
  fe check = times(v, square(r));
  int correct = equal(check, u);
  int flipped = equal(check, negate(u));
  int flipped_i = equal(check, times(negate(u), SQRT_M1));
  if (flipped || flipped_i) r = times(r, SQRT_M1);
  *root = absolute(r);
  return correct || flipped;
}

/** Section 4.3.1. Says whether the bytes are an encoding. */
static int decode_point(point *out, const uint8_t bytes[32]) {
  uint8_t again[32];
  fe s = from_bytes(bytes);
  to_bytes(again, s);
  for (int at = 0; at < 32; at++)
    if (again[at] != bytes[at]) return 0;
  if (bytes[0] & 1) return 0;
  fe ss = square(s);
  fe u1 = subtract(ONE, ss), u2 = add(ONE, ss);
  fe u2_squared = square(u2);
  fe v = subtract(negate(times(D, square(u1))), u2_squared);
  fe root;
  int was_square = root_of_ratio(&root, ONE, times(v, u2_squared));
  fe den_x = times(root, u2);
  fe den_y = times(times(root, den_x), v);
  out->X = absolute(times(add(s, s), den_x));
  out->Y = times(u1, den_y);
  out->Z = ONE;
  out->T = times(out->X, out->Y);
  return was_square && !is_negative(out->T) && !is_zero(out->Y);
}

/** Section 4.3.2. */
static void encode_point(uint8_t bytes[32], const point *p) {
  fe u1 = times(add(p->Z, p->Y), subtract(p->Z, p->Y));
  fe u2 = times(p->X, p->Y);
  fe root;
  root_of_ratio(&root, ONE, times(u1, square(u2)));
  fe den1 = times(root, u1), den2 = times(root, u2);
  fe z_inverse = times(times(den1, den2), p->T);
  int rotate = is_negative(times(p->T, z_inverse));
  fe x = rotate ? times(p->Y, SQRT_M1) : p->X;
  fe y = rotate ? times(p->X, SQRT_M1) : p->Y;
  fe den = rotate ? times(den1, INVSQRT_A_MINUS_D) : den2;
  if (is_negative(times(x, z_inverse))) y = negate(y);
  to_bytes(bytes, absolute(times(den, subtract(p->Z, y))));
}

/** Section 4.3.4, the function MAP. */
static void map_point(point *out, const uint8_t bytes[32]) {
  fe t = from_bytes(bytes);
  fe r = times(SQRT_M1, square(t));
  fe u = times(add(r, ONE), ONE_MINUS_D_SQ);
  fe v = times(subtract(negate(ONE), times(r, D)), add(r, D));
  fe s, c = negate(ONE);
  if (!root_of_ratio(&s, u, v)) {
    s = negate(absolute(times(s, t)));
    c = r;
  }
  fe N = subtract(times(times(c, subtract(r, ONE)), D_MINUS_ONE_SQ), v);
  fe w0 = times(add(s, s), v), w1 = times(N, SQRT_AD_MINUS_ONE);
  fe ss = square(s);
  fe w2 = subtract(ONE, ss), w3 = add(ONE, ss);
  out->X = times(w0, w3);
  out->Y = times(w2, w1);
  out->Z = times(w1, w3);
  out->T = times(w0, w2);
}

/** Section 4.3.4: 64 bytes that look random, as an element. */
static void derive_point(point *out, const uint8_t bytes[64]) {
  point second;
  map_point(out, bytes);
  map_point(&second, bytes + 32);
  add_points(out, &second);
}
