// SPDX-License-Identifier: MIT
// The compiled variants of the width stage, for its selection alone.
#pragma once
#include "dsp/mastering/width.h"

void width_process_c(struct width *width, const struct width_numbers *numbers, double *stereo,
                     uint32_t frames);
void width_glide_c(struct width *width, const struct width_way *way, const double *shares,
                   double *stereo, uint32_t frames);
void width_process_avx2(struct width *width, const struct width_numbers *numbers, double *stereo,
                        uint32_t frames); // x86-64 only
void width_glide_avx2(struct width *width, const struct width_way *way, const double *shares,
                      double *stereo, uint32_t frames); // likewise
