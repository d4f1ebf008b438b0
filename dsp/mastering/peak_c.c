// SPDX-License-Identifier: MIT
#include "dsp/mastering/peak_kernel.h"
#include "dsp/mastering/peak_variants.h"

const struct peak_impl peak_impl_c = {"c", 0, peak_raise};
