// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has it.
#include "dsp/mastering/width_body.h"
#include "dsp/mastering/width_variants.h"

void width_process_avx2(struct width *width, const struct width_numbers *numbers, double *stereo,
                        uint32_t frames)
{
    width_process_all(width, numbers, stereo, frames);
}

void width_glide_avx2(struct width *width, const struct width_way *way, const double *shares,
                      double *stereo, uint32_t frames)
{
    width_glide_all(width, way, shares, stereo, frames);
}
