// SPDX-License-Identifier: MIT
// The compiled variants of k_slice.h, for its table alone.
#pragma once
#include "dsp/level/k_slice.h"

void k_slice_energies_c(const struct k_slice_plan *plan, struct k_slice_state states[2],
                        const float *pair, uint32_t frames, float *scratch, double energies[2]);
/// x86-64 only, as the next.
void k_slice_energies_avx2(const struct k_slice_plan *plan, struct k_slice_state states[2],
                           const float *pair, uint32_t frames, float *scratch, double energies[2]);
void k_slice_energies_avx512(const struct k_slice_plan *plan, struct k_slice_state states[2],
                             const float *pair, uint32_t frames, float *scratch,
                             double energies[2]);
