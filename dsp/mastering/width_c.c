// SPDX-License-Identifier: MIT
#include "dsp/mastering/width_body.h"
#include "dsp/mastering/width_variants.h"

void width_process_c(struct width *width, const struct width_numbers *numbers, double *stereo,
                     uint32_t frames)
{
    width_process_all(width, numbers, stereo, frames);
}

void width_glide_c(struct width *width, const struct width_way *way, const double *shares,
                   double *stereo, uint32_t frames)
{
    width_glide_all(width, way, shares, stereo, frames);
}
