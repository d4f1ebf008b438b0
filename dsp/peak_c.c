// SPDX-License-Identifier: MIT
#include "dsp/peak_kernel.h"
#include "dsp/peak_variants.h"

static void raise_lanes(const struct peak_bank *bank, float *out, const float *x, uint32_t frames,
                        float floor)
{
    peak_raise(bank, out, x, frames, floor);
}

static void refine_lanes(const struct peak_bank *bank, float *out, const float *gate,
                         const float *x, uint32_t frames, float floor)
{
    peak_refine(bank, out, gate, x, frames, floor);
}

const struct peak_impl peak_impl_c = {"c", raise_lanes, refine_lanes};
