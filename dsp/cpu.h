// SPDX-License-Identifier: MIT
// Instruction sets that kernels may use beyond the compiler's baseline.
#pragma once
#include <stdint.h>

enum {
    CPU_AVX2 = 1U << 0,
    CPU_FMA = 1U << 1,
    CPU_AVX512 = 1U << 2, // F, DQ, BW and VL
};

/// What this processor and its system support, less what the environment forbids: SEGUE_CPU=c leaves the
/// references alone, SEGUE_CPU=avx2 no more than AVX2 and FMA. Whoever creates a stage asks once and keeps the
/// chosen variant.
uint32_t cpu_flags(void);
