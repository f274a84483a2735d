// What every C kernel shares: the reactor ABI around one function, with no library and no imports.
#pragma once
typedef unsigned char u8;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#define OUTPUT_BYTES_MAX (1 << 20)
extern u8 __heap_base;
static u8 output[OUTPUT_BYTES_MAX];
static u32 output_length;
static u32 heap_top;

/** Bump allocation: a kernel runs once per instance. */
__attribute__((export_name("starling_alloc"))) void *starling_alloc(i32 length) {
  if (!heap_top) heap_top = (u32)&__heap_base;
  u32 at = (heap_top + 15) & ~15u;
  heap_top = at + (u32)length;
  u32 have = __builtin_wasm_memory_size(0) << 16;
  if (heap_top > have && __builtin_wasm_memory_grow(0, (heap_top - have + 65535) >> 16) == (unsigned long)-1) __builtin_trap();
  return (void *)at;
}

static inline void put_u32(u32 value) {
  if (output_length + 4 > OUTPUT_BYTES_MAX) __builtin_trap();
  __builtin_memcpy(output + output_length, &value, 4);
  output_length += 4;
}
static inline void put_u64(u64 value) {
  put_u32((u32)value);
  put_u32((u32)(value >> 32));
}
static inline void put_f64(double value) {
  u64 bits;
  __builtin_memcpy(&bits, &value, 8);
  put_u64(bits);
}
static inline void put_f32(float value) {
  u32 bits;
  __builtin_memcpy(&bits, &value, 4);
  put_u32(bits);
}

static u32 argument(const u8 *input, i32 length, i32 index) {
  u32 value = 0;
  if (index * 4 + 4 <= length) __builtin_memcpy(&value, input + index * 4, 4);
  return value;
}

/** The kernel: reads `length` bytes of input, 32-bit little-endian numbers unless it says otherwise. */
static void run(const u8 *input, i32 length);

__attribute__((export_name("starling_run"))) i64 starling_run(u8 *input, i32 length) {
  output_length = 0;
  run(input, length);
  return (i64)((u64)(u32)output << 32 | output_length);
}

#define NOINLINE __attribute__((noinline))
