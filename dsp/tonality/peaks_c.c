// SPDX-License-Identifier: MIT
#include "dsp/tonality/peaks_body.h"
#include "dsp/tonality/peaks_variants.h"

const struct peaks_impl peaks_impl_c = {.name = "c", .cpu_flags = 0, PEAKS_FUNCTIONS};
