// SPDX-License-Identifier: MIT
#include "dsp/spectrum/yin_body.h"
#include "dsp/spectrum/yin_variants.h"

enum { LAGS = 16, PART = 64 };

// Lags by fours side by side; left as an array, the compiler would keep the sums in memory.

static void differences(double *restrict out, const float *restrict x, uint32_t lags)
{
    assert(lags % YIN_LAG_LANES == 0);
    for (uint32_t lag = 0; lag < lags; lag += LAGS) {
        double sums[LAGS] = {0};
        for (uint32_t part = 0; part < YIN_BLOCK; part += PART) {
            vector4 lanes[LAGS / 4] = {{0}};
            for (uint32_t j = part; j < part + PART; ++j)
                for (uint32_t i = 0; i < LAGS / 4; ++i) {
                    vector4 shifted;
                    memcpy(&shifted, x + j + lag + 4 * i, sizeof shifted);
                    const vector4 d = x[j] - shifted;
                    lanes[i] += d * d;
                }
            for (uint32_t i = 0; i < LAGS; ++i)
                sums[i] += (double)lanes[i / 4][i % 4];
        }
        memcpy(out + lag, sums, sizeof sums);
    }
}

const struct yin_impl yin_impl_c = {.name = "c",
                                    .cpu_flags = 0,
                                    .differences = differences,
                                    .expand = yin_expand,
                                    .sum_squares = yin_sum_squares,
                                    .accumulate = yin_accumulate,
                                    .first_under = yin_first_under};
