// SPDX-License-Identifier: MIT
#include "dsp/spectrum/hann.h"
#include <math.h>

void hann_fill(float *window, uint32_t size)
{
    for (uint32_t i = 0; i < size; ++i)
        window[i] = (float)(0.5 - 0.5 * cos(2.0 * M_PI * i / size));
}
