// SPDX-License-Identifier: MIT
// Pieces that status lines are put together from.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

/// Append "1:23" or "1:02:03" to the text in `out`; "-:--" for a time that is not known (NaN) or absurd.
void line_append_clock(char *out, size_t size, double seconds);
/// Append a bar of `columns` columns, a `share` (0..1; NaN is 0) of it heavy; what does not fit is left out.
void line_append_bar(char *out, size_t size, double share, unsigned columns);
