// SPDX-License-Identifier: MIT
#include "dsp/rhythm/onset_body.h"
#include "dsp/rhythm/onset_variants.h"

const struct onset_impl onset_impl_c = {.name = "c", .cpu_flags = 0, ONSET_FUNCTIONS};
