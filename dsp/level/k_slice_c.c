// SPDX-License-Identifier: MIT
#include "dsp/level/k_slice_body.h"
#include "dsp/level/k_slice_variants.h"

void k_slice_energies_c(const struct k_slice_plan *plan, struct k_slice_state states[2],
                        const float *pair, uint32_t frames, float *scratch, double energies[2])
{
    slice_energies(plan, states, pair, frames, scratch, energies);
}
