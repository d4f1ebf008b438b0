// SPDX-License-Identifier: MIT
#include "dsp/mastering/eq_body.h"
#include "dsp/mastering/eq_variants.h"
#include <string.h>

void eq_process_c(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo, uint32_t frames)
{
    struct eq_pairs pairs;
    eq_load(&pairs, eq, numbers);
    for (uint32_t i = 0; i < frames; ++i) {
        eq_pair x;
        memcpy(&x, stereo + (size_t)2 * i, sizeof x);
        x *= pairs.scale;
        for (int band = 0; band < EQ_BAND_COUNT; ++band)
            eq_step(&pairs, band, &x);
        memcpy(stereo + (size_t)2 * i, &x, sizeof x);
    }
    eq_store(eq, &pairs);
}

void eq_glide_c(struct eq *eq, const struct eq_way *way, const double *shares, double *stereo,
                uint32_t frames)
{
    eq_glide_all(eq, way, shares, stereo, frames);
}
