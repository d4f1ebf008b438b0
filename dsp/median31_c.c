// SPDX-License-Identifier: MIT
#include "dsp/median31_network.h"
#include "dsp/median31_variants.h"
#include <string.h>

enum { CORE = 28, LANES = MEDIAN31_LANES };

#define PAIR(i, j) {i, j},
static const uint8_t NETWORK[][2] = {MEDIAN31_NETWORK(PAIR)};
enum { COMPARATORS = sizeof NETWORK / sizeof NETWORK[0] };

static inline float lower(float a, float b)
{
    return a < b ? a : b;
}

static inline float higher(float a, float b)
{
    return a > b ? a : b;
}

static inline void exchange(float *restrict a, float *restrict b)
{
    for (uint32_t i = 0; i < LANES; ++i) {
        const float x = a[i], y = b[i];
        a[i] = lower(x, y);
        b[i] = higher(x, y);
    }
}

// The 16th of 31 is found from the core's ranks 13 to 16 and the three other values in order e: it
// is the least of m16, max(m15, e0), max(m14, e1), max(m13, e2).
static void merge_extras(float *restrict out, float core[CORE][LANES], const float *a,
                         const float *b, const float *c)
{
    for (uint32_t i = 0; i < LANES; ++i) {
        const float low = lower(a[i], b[i]), high = higher(a[i], b[i]);
        const float e0 = lower(low, c[i]), rest = higher(low, c[i]);
        const float e1 = lower(rest, high), e2 = higher(rest, high);
        out[i] = lower(lower(core[15][i], higher(core[14][i], e0)),
                       lower(higher(core[13][i], e1), higher(core[12][i], e2)));
    }
}

void median31_quad_c(const float *const rows[MEDIAN31_ROWS], float *const out[4], uint32_t lanes)
{
    float core[CORE][LANES];
    for (uint32_t at = 0; at < lanes; at += LANES) {
        for (uint32_t r = 0; r < CORE; ++r)
            memcpy(core[r], rows[r + 3] + at, sizeof core[r]);
        for (uint32_t c = 0; c < COMPARATORS; ++c)
            exchange(core[NETWORK[c][0]], core[NETWORK[c][1]]);
        // Window q has rows q..2 before the core and 31..30+q after it.
        merge_extras(out[0] + at, core, rows[0] + at, rows[1] + at, rows[2] + at);
        merge_extras(out[1] + at, core, rows[1] + at, rows[2] + at, rows[31] + at);
        merge_extras(out[2] + at, core, rows[2] + at, rows[31] + at, rows[32] + at);
        merge_extras(out[3] + at, core, rows[31] + at, rows[32] + at, rows[33] + at);
    }
}
