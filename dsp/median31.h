// SPDX-License-Identifier: MIT
// Running medians of 31 values, four neighbouring windows at a time, many lanes side by side.
#pragma once
#include <stdint.h>

enum {
    MEDIAN31_ROWS = 34,  // what four windows of 31 cover
    MEDIAN31_LANES = 16, // lane counts are multiples of this
};

/// The comparators that bring ranks 13 to 16 of 28 values to their places. Immutable after init.
struct median31 {
    uint32_t count;
    uint8_t low[256], high[256];
};

void median31_init(struct median31 *network);
/// out[q][i] = median of rows[q][i] .. rows[q + 30][i] for q = 0..3 and each lane i, exactly. `lanes`
/// is a multiple of MEDIAN31_LANES; rows may overlap or repeat, outputs overlap nothing. No NaN.
void median31_quad(const struct median31 *network, const float *const rows[MEDIAN31_ROWS],
                   float *const out[4], uint32_t lanes);
