// SPDX-License-Identifier: MIT
#include "dsp/spectrum/spectrum_body.h"
#include "dsp/spectrum/spectrum_variants.h"

const struct spectrum_impl spectrum_impl_c = {.name = "c", .cpu_flags = 0, SPECTRUM_FUNCTIONS};
