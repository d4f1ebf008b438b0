// SPDX-License-Identifier: MIT
#include "engine/desktop/line_parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void line_append_clock(char *out, size_t size, double seconds)
{
    const size_t used = strlen(out);
    if (!(seconds >= 0 && seconds < 1e9)) {
        (void)snprintf(out + used, size - used, "-:--"); // the buffers have room for any time
        return;
    }
    const long whole = (long)floor(seconds);
    if (whole >= 3600)
        (void)snprintf(out + used, size - used, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                       whole % 60);
    else
        (void)snprintf(out + used, size - used, "%ld:%02ld", whole / 60, whole % 60);
}

void line_append_bar(char *out, size_t size, double share, unsigned columns)
{
    const double within = share >= 0 ? fmin(share, 1) : 0; // NaN is 0 as well
    const unsigned heavy = (unsigned)lround(within * columns);
    size_t used = strlen(out);
    for (unsigned i = 0; i < columns && used + 4 <= size; ++i, used += 3)
        memcpy(out + used, i < heavy ? "\xe2\x94\x81" : "\xe2\x94\x80", 4); // heavy, light line
}
