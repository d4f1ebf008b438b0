// SPDX-License-Identifier: MIT
// The compiled variants of the equaliser, for its selection alone.
#pragma once
#include "dsp/mastering/eq.h"

void eq_process_c(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo, uint32_t frames);
void eq_glide_c(struct eq *eq, const struct eq_way *way, const double *shares, double *stereo,
                uint32_t frames);
void eq_process_avx2(struct eq *eq, const double numbers[EQ_NUMBERS], double *stereo,
                     uint32_t frames); // x86-64 only
void eq_glide_avx2(struct eq *eq, const struct eq_way *way, const double *shares, double *stereo,
                   uint32_t frames); // likewise
