// SPDX-License-Identifier: MIT
// The periodic Hann window of every spectrum here.
#pragma once
#include <stdint.h>

/// window[i] = (1 - cos(2 pi i / size)) / 2.
void hann_fill(float *window, uint32_t size);
