// SPDX-License-Identifier: MIT
#include "dsp/mastering/eq_body.h"
#include "dsp/mastering/eq_variants.h"
#include <string.h>

void eq_process_c(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo, uint32_t frames)
{
    struct eq_pairs pairs;
    for (int i = 0; i < EQ_NUMBERS; ++i)
        pairs.numbers[i] = (eq_pair){numbers[i], numbers[i]};
    memcpy(pairs.s1, eq->s1, sizeof pairs.s1);
    memcpy(pairs.s2, eq->s2, sizeof pairs.s2);
    for (uint32_t i = 0; i < frames; ++i) {
        eq_pair x;
        memcpy(&x, stereo + (size_t)2 * i, sizeof x);
        x *= pairs.numbers[0];
        for (int band = 0; band < EQ_BAND_COUNT; ++band)
            eq_step(&pairs, band, &x);
        memcpy(stereo + (size_t)2 * i, &x, sizeof x);
    }
    memcpy(eq->s1, pairs.s1, sizeof pairs.s1);
    memcpy(eq->s2, pairs.s2, sizeof pairs.s2);
}
