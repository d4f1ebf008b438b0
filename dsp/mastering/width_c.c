// SPDX-License-Identifier: MIT
#include "dsp/mastering/width_body.h"
#include "dsp/mastering/width_variants.h"

void width_process_c(struct width *width, const struct width_numbers *numbers, double *stereo,
                     uint32_t frames)
{
    width_process_all(width, numbers, stereo, frames);
}
