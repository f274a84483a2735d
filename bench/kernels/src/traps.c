#include "kernel.h"
// Ends in the way that the first number asks for, after working for as long as the second says.
static u32 zero, garbage;
typedef void (*nothing)(void);
typedef u32 (*something)(u32, u64);
static NOINLINE void hello(void) { garbage++; }
static nothing functions[2] = {hello, 0};
static NOINLINE u32 forever(u32 n) { return forever(n + 1) * 3 + forever(n ^ 1); }
static NOINLINE void work(u32 rounds) {
  for (u32 i = 0; i < rounds; i++) garbage = garbage * 31 + i;
}
static void run(const u8 *input, i32 length) {
  u32 kind = argument(input, length, 0);
  work(argument(input, length, 1));
  zero = argument(input, length, 2);
  volatile double nan = (double)zero / zero;
  switch (kind) {
  case 0: break;
  case 1: put_u32(garbage / zero); break;
  case 2: put_u32((u32)((i32)(0x80000000u + zero) / ((i32)zero - 1))); break;
  case 3: put_u32(*(volatile u32 *)(0xfffffff0u + zero)); break;
  case 4: *(volatile u32 *)(0x7ffffff0u + zero) = kind; break;
  case 5: __builtin_trap();
  case 6: functions[zero + 1](); break;
  case 7: ((something)functions[zero])(1, 2); break;
  case 8: put_u32((u32)__builtin_wasm_trunc_s_i32_f64(nan)); break;
  case 9: put_u32((u32)__builtin_wasm_trunc_s_i32_f64(1e30 + zero)); break;
  case 10: put_u32(forever(zero)); break;
  case 11: for (;;) work(1000);
  case 12: __builtin_memset((void *)0x10000u, 1, 0x7fffffffu - zero); break;
  case 13: ((nothing)(12345 + zero))(); break;
  case 14: put_u32((u32)(kind % zero)); break;
  case 15: put_u64((u64)__builtin_wasm_trunc_s_i64_f64(nan * 2)); break;
  default: put_u32(kind);
  }
  put_u32(garbage);
}
