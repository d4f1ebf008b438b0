// SPDX-License-Identifier: MIT
#include "dsp/stereo_body.h"
#include "dsp/stereo_variants.h"

const struct stereo_impl stereo_impl_c = STEREO_IMPL("c", 0);
