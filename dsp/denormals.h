// SPDX-License-Identifier: MIT
// Numbers too small to have all their bits: arithmetic with them can be some 20 times as slow, and nobody hears them.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>
#ifdef __SSE__
#    include <xmmintrin.h>
#endif

/// From here on the calling thread reads and writes denormal numbers as 0. Where the processor cannot, nothing
/// happens. @return what denormals_restore() puts back. RT safe.
RT_SAFE static inline uint64_t denormals_flush(void)
{
#if defined(__SSE__)
    const uint32_t saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040); // FTZ, DAZ
    return saved;
#elif defined(__aarch64__)
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(saved | UINT64_C(1) << 24)); // FZ
    return saved;
#else
    return 0;
#endif
}

/// Put back what denormals_flush() found: the thread may be somebody else's. RT safe.
RT_SAFE static inline void denormals_restore(uint64_t saved)
{
#if defined(__SSE__)
    _mm_setcsr((uint32_t)saved);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
#else
    (void)saved;
#endif
}
