// SPDX-License-Identifier: MIT
// The compiled variants of median31.h, for its table alone.
#pragma once
#include "dsp/spectrum/median31.h"

void median31_deal_c(float *out, const float *row, uint32_t lanes);
void median31_sort_c(const float *const rows[MEDIAN31_RUN], float *const out[MEDIAN31_RUN],
                     uint32_t lanes);
void median31_octet_c(const struct median31_rows *rows, float *const out[MEDIAN31_RUN],
                      uint32_t lanes);
// x86-64 only
void median31_deal_avx2(float *out, const float *row, uint32_t lanes);
void median31_sort_avx2(const float *const rows[MEDIAN31_RUN], float *const out[MEDIAN31_RUN],
                        uint32_t lanes);
void median31_octet_avx2(const struct median31_rows *rows, float *const out[MEDIAN31_RUN],
                         uint32_t lanes);
void median31_deal_avx512(float *out, const float *row, uint32_t lanes);
void median31_sort_avx512(const float *const rows[MEDIAN31_RUN], float *const out[MEDIAN31_RUN],
                          uint32_t lanes);
void median31_octet_avx512(const struct median31_rows *rows, float *const out[MEDIAN31_RUN],
                           uint32_t lanes);
