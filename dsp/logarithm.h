// SPDX-License-Identifier: MIT
// A logarithm that loops of the compiler's can lay side by side.
#pragma once
#include <stdint.h>
#include <string.h>

/// Natural logarithm of a positive, normal value; 1 gives 0. Within 1.5e-7 of it, absolutely up to e and
/// relatively beyond. No branch, and the same bits on every instruction set.
static inline float logarithm(float x)
{
    // x = 2^exponent (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); the polynomial of Cephes' logf().
    const uint32_t sqrt_half = 0x3f3504f3;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int32_t exponent = (int32_t)(bits - sqrt_half) >> 23;
    bits -= (uint32_t)exponent << 23;
    memcpy(&x, &bits, sizeof x);
    const float f = x - 1.0F, squared = f * f, e = (float)exponent;
    float y = 7.0376836292e-2F;
    y = y * f - 1.1514610310e-1F;
    y = y * f + 1.1676998740e-1F;
    y = y * f - 1.2420140846e-1F;
    y = y * f + 1.4249322787e-1F;
    y = y * f - 1.6668057665e-1F;
    y = y * f + 2.0000714765e-1F;
    y = y * f - 2.4999993993e-1F;
    y = y * f + 3.3333331174e-1F;
    y = y * f * squared + e * -2.12194440e-4F - 0.5F * squared;
    return f + y + e * 0.693359375F; // ln 2 in two parts, the larger one exact
}
