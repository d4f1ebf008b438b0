// SPDX-License-Identifier: MIT
// The compiled variants of median31.h, for its table alone.
#pragma once
#include "dsp/median31.h"

void median31_quad_c(const float *const rows[MEDIAN31_ROWS], float *const out[4], uint32_t lanes);
/// x86-64 only.
void median31_quad_avx2(const float *const rows[MEDIAN31_ROWS], float *const out[4],
                        uint32_t lanes);
