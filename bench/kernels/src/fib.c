#include "kernel.h"
// Doubly recursive Fibonacci numbers: almost nothing but calls.
static NOINLINE u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static void run(const u8 *input, i32 length) { put_u32(fib(argument(input, length, 0))); }
