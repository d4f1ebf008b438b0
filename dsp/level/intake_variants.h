// SPDX-License-Identifier: MIT
// The compiled variants of intake.h, for its table alone.
#pragma once
#include "dsp/level/intake.h"

struct intake intake_clean_c(float *out, const float *in, size_t samples);
void intake_split_c(float *left, float *right, float *mono, const float *stereo, size_t frames);
/// x86-64 only, as the next.
struct intake intake_clean_avx2(float *out, const float *in, size_t samples);
void intake_split_avx2(float *left, float *right, float *mono, const float *stereo, size_t frames);
struct intake intake_clean_avx512(float *out, const float *in, size_t samples);
void intake_split_avx512(float *left, float *right, float *mono, const float *stereo,
                         size_t frames);
