#include "kernel.h"
// A recursive-descent reader of JSON-like text in the input; nesting may overflow the stack.
static const u8 *at, *end;
static u32 hash;
static void value(void);
static void space(void) { while (at < end && *at <= ' ') at++; }
static void expect(u8 byte) {
  if (at >= end || *at != byte) __builtin_trap();
  at++;
}
static void string(void) {
  expect('"');
  while (at < end && *at != '"') hash = hash * 31 + *at++;
  expect('"');
}
static void number(void) {
  double number = 0, scale = 1;
  if (at < end && *at == '-') at++, scale = -1;
  if (at >= end || *at < '0' || *at > '9') __builtin_trap();
  while (at < end && *at >= '0' && *at <= '9') number = number * 10 + (*at++ - '0');
  if (at < end && *at == '.')
    for (at++; at < end && *at >= '0' && *at <= '9'; at++) number = number * 10 + (*at - '0'), scale /= 10;
  put_f64(number * scale);
}
static NOINLINE void list(u8 close) {
  at++;
  space();
  while (at < end && *at != close) {
    if (close == '}') string(), space(), expect(':');
    value();
    space();
    if (at < end && *at == ',') at++, space();
  }
  expect(close);
  hash ^= close;
}
static NOINLINE void value(void) {
  space();
  if (at >= end) __builtin_trap();
  if (*at == '[') list(']');
  else if (*at == '{') list('}');
  else if (*at == '"') string();
  else number();
}
static void run(const u8 *input, i32 length) {
  at = input, end = input + length;
  value();
  space();
  if (at != end) __builtin_trap();
  put_u32(hash);
}
