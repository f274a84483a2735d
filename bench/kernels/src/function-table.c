#include "kernel.h"
// A little stack machine whose instructions are called through a table.
typedef u32 (*operation)(u32, u32);
static u32 add(u32 a, u32 b) { return a + b; }
static u32 subtract(u32 a, u32 b) { return a - b; }
static u32 multiply(u32 a, u32 b) { return a * (b | 1); }
static u32 mix(u32 a, u32 b) { return (a ^ b) * 0x9e3779b1u; }
static u32 turn(u32 a, u32 b) { return a << (b & 31) | a >> (-b & 31); }
static u32 choose(u32 a, u32 b) { return a > b ? a - b : b - a; }
static u32 divide(u32 a, u32 b) { return a / (b | 1); }
static u32 swap(u32 a, u32 b) { return (a >> 16 | a << 16) + b; }
static operation table[8] = {add, subtract, multiply, mix, turn, choose, divide, swap};
static void run(const u8 *input, i32 length) {
  u32 count = argument(input, length, 0), value = argument(input, length, 1), seed = 12345;
  for (u32 i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    value = table[seed >> 29](value, seed >> 3);
  }
  put_u32(value);
}
