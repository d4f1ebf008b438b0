// SPDX-License-Identifier: MIT
#include "dsp/spectrum/yin_variants.h"
#include <assert.h>
#include <string.h>

enum { LANES = 16, PART = 64 };

// Four lags side by side; left as an array, the compiler would keep the sums in memory.
typedef float quad __attribute__((vector_size(16)));

void yin_differences_c(double *restrict out, const float *restrict x, uint32_t lags)
{
    assert(lags % YIN_LAG_LANES == 0);
    for (uint32_t lag = 0; lag < lags; lag += LANES) {
        double sums[LANES] = {0};
        for (uint32_t part = 0; part < YIN_BLOCK; part += PART) {
            quad lanes[LANES / 4] = {{0}};
            for (uint32_t j = part; j < part + PART; ++j)
                for (uint32_t i = 0; i < LANES / 4; ++i) {
                    quad shifted;
                    memcpy(&shifted, x + j + lag + 4 * i, sizeof shifted);
                    const quad d = x[j] - shifted;
                    lanes[i] += d * d;
                }
            for (uint32_t i = 0; i < LANES; ++i)
                sums[i] += (double)lanes[i / 4][i % 4];
        }
        memcpy(out + lag, sums, sizeof sums);
    }
}
