// SPDX-License-Identifier: MIT
#include "dsp/mastering/stereo_body.h"
#include "dsp/mastering/stereo_variants.h"

const struct stereo_impl stereo_impl_c = STEREO_IMPL("c", 0);
