// SPDX-License-Identifier: MIT
// Compiled with -mavx2 -mfma; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/mastering/smooth_variants.h"
#include "dsp/mastering/smooth_vectors.h"

const struct smooth_impl smooth_impl_avx2 = {"avx2", CPU_AVX2 | CPU_FMA, smooth_hold,
                                             smooth_release_groups, smooth_boxes};
