// SPDX-License-Identifier: MIT
// Compiled with -mavx2; called only where the processor has it. Eight lanes a register, the network
// written out so that no value is kept in memory that a register can hold.
#include "dsp/median31_network.h"
#include "dsp/median31_variants.h"
#include <immintrin.h>

enum { CORE = 28, LANES = 8 };

// What three extra values leave of the core's middle ranks; see the reference.
static inline __m256 merged(const __m256 *core, __m256 a, __m256 b, __m256 c)
{
    const __m256 low = _mm256_min_ps(a, b), high = _mm256_max_ps(a, b);
    const __m256 e0 = _mm256_min_ps(low, c), rest = _mm256_max_ps(low, c);
    const __m256 e1 = _mm256_min_ps(rest, high), e2 = _mm256_max_ps(rest, high);
    return _mm256_min_ps(_mm256_min_ps(core[15], _mm256_max_ps(core[14], e0)),
                         _mm256_min_ps(_mm256_max_ps(core[13], e1), _mm256_max_ps(core[12], e2)));
}

void median31_quad_avx2(const float *const rows[MEDIAN31_ROWS], float *const out[4], uint32_t lanes)
{
    for (uint32_t at = 0; at < lanes; at += LANES) {
        __m256 core[CORE];
        for (uint32_t r = 0; r < CORE; ++r)
            core[r] = _mm256_loadu_ps(rows[r + 3] + at);
#define EXCHANGE(i, j)                                                                             \
    {                                                                                              \
        const __m256 lower = _mm256_min_ps(core[i], core[j]);                                      \
        core[j] = _mm256_max_ps(core[i], core[j]);                                                 \
        core[i] = lower;                                                                           \
    }
        MEDIAN31_NETWORK(EXCHANGE)
#undef EXCHANGE
        const __m256 a = _mm256_loadu_ps(rows[0] + at), b = _mm256_loadu_ps(rows[1] + at);
        const __m256 c = _mm256_loadu_ps(rows[2] + at), d = _mm256_loadu_ps(rows[31] + at);
        const __m256 e = _mm256_loadu_ps(rows[32] + at), f = _mm256_loadu_ps(rows[33] + at);
        _mm256_storeu_ps(out[0] + at, merged(core, a, b, c));
        _mm256_storeu_ps(out[1] + at, merged(core, b, c, d));
        _mm256_storeu_ps(out[2] + at, merged(core, c, d, e));
        _mm256_storeu_ps(out[3] + at, merged(core, d, e, f));
    }
}
