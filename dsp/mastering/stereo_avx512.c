// SPDX-License-Identifier: MIT
// Compiled with -mavx512f; called only where the processor has it.
#include "dsp/cpu.h"
#include "dsp/mastering/stereo_body.h"
#include "dsp/mastering/stereo_variants.h"

const struct stereo_impl stereo_impl_avx512 = STEREO_IMPL("avx512", CPU_AVX512);
