// SPDX-License-Identifier: MIT
// Compiled with -mavx2; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/mastering/stereo_body.h"
#include "dsp/mastering/stereo_variants.h"

const struct stereo_impl stereo_impl_avx2 = STEREO_IMPL("avx2", CPU_AVX2);
