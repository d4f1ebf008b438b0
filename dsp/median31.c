// SPDX-License-Identifier: MIT
#include "dsp/median31.h"
#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { CORE = 28, LANES = MEDIAN31_LANES, FIRST_RANK = 12, LAST_RANK = 15 };

// Batcher's odd-even merge sort for 32 values. Values 28 to 31 stand for infinity, which never
// moves, so their comparators fall away; so do those that no wanted rank depends on.
void median31_init(struct median31 *network)
{
    uint8_t low[256], high[256];
    uint32_t count = 0;
    for (uint32_t p = 1; p < 32; p *= 2)
        for (uint32_t k = p; k >= 1; k /= 2)
            for (uint32_t j = k % p; j + k < 32; j += 2 * k)
                for (uint32_t i = 0; i < k; ++i)
                    if ((i + j) / (2 * p) == (i + j + k) / (2 * p) && i + j + k < CORE) {
                        low[count] = (uint8_t)(i + j);
                        high[count++] = (uint8_t)(i + j + k);
                    }
    assert(count <= sizeof low);
    bool wanted[CORE] = {0}, keep[256] = {0};
    for (uint32_t r = FIRST_RANK; r <= LAST_RANK; ++r)
        wanted[r] = true;
    for (uint32_t c = count; c-- > 0;)
        if (wanted[low[c]] || wanted[high[c]])
            keep[c] = wanted[low[c]] = wanted[high[c]] = true;
    network->count = 0;
    for (uint32_t c = 0; c < count; ++c)
        if (keep[c]) {
            network->low[network->count] = low[c];
            network->high[network->count++] = high[c];
        }
}

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

void median31_quad(const struct median31 *network, const float *const rows[MEDIAN31_ROWS],
                   float *const out[4], uint32_t lanes)
{
    assert(lanes % LANES == 0);
    float core[CORE][LANES];
    for (uint32_t at = 0; at < lanes; at += LANES) {
        for (uint32_t r = 0; r < CORE; ++r)
            memcpy(core[r], rows[r + 3] + at, sizeof core[r]);
        for (uint32_t c = 0; c < network->count; ++c)
            exchange(core[network->low[c]], core[network->high[c]]);
        // Window q has rows q..2 before the core and 31..30+q after it.
        merge_extras(out[0] + at, core, rows[0] + at, rows[1] + at, rows[2] + at);
        merge_extras(out[1] + at, core, rows[1] + at, rows[2] + at, rows[31] + at);
        merge_extras(out[2] + at, core, rows[2] + at, rows[31] + at, rows[32] + at);
        merge_extras(out[3] + at, core, rows[31] + at, rows[32] + at, rows[33] + at);
    }
}
