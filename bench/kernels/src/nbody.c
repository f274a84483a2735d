#include "kernel.h"
// Five bodies under gravity, symplectic Euler; every step stores doubles.
static double position[5][3] = {{0, 0, 0}, {4.84, -1.16, -0.10}, {8.34, 4.12, -0.4}, {12.89, -15.11, -0.22}, {15.37, -25.9, 0.17}};
static double velocity[5][3] = {{0, 0, 0}, {0.6, 2.81, -0.02}, {-1.01, 1.82, 0.008}, {1.08, 0.86, -0.01}, {0.97, 0.59, -0.03}};
static const double mass[5] = {39.47, 0.037, 0.011, 0.0017, 0.002};
static void step(double dt) {
  for (int i = 0; i < 5; i++)
    for (int j = i + 1; j < 5; j++) {
      double d[3], square = 0;
      for (int k = 0; k < 3; k++) d[k] = position[i][k] - position[j][k], square += d[k] * d[k];
      double strength = dt / (square * __builtin_sqrt(square));
      for (int k = 0; k < 3; k++) {
        velocity[i][k] -= d[k] * mass[j] * strength;
        velocity[j][k] += d[k] * mass[i] * strength;
      }
    }
  for (int i = 0; i < 5; i++)
    for (int k = 0; k < 3; k++) position[i][k] += dt * velocity[i][k];
}
static void run(const u8 *input, i32 length) {
  u32 steps = argument(input, length, 0);
  for (u32 i = 0; i < steps; i++) step(0.01);
  for (int i = 0; i < 5; i++)
    for (int k = 0; k < 3; k++) put_f64(position[i][k]);
}
