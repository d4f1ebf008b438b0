// SPDX-License-Identifier: MIT
#include "dsp/cpu.h"
#include <stdlib.h>
#include <string.h>

uint32_t cpu_flags(void)
{
    const char *allowed = getenv("SEGUE_CPU");
    if (allowed && strcmp(allowed, "c") == 0)
        return 0;
    uint32_t flags = 0;
#ifdef __x86_64__
    flags |= __builtin_cpu_supports("avx2") ? CPU_AVX2 : 0;
    flags |= __builtin_cpu_supports("fma") ? CPU_FMA : 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        flags |= CPU_AVX512;
#endif
    if (allowed && strcmp(allowed, "avx2") == 0)
        flags &= ~(uint32_t)CPU_AVX512;
    return flags;
}
