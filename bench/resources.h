// SPDX-License-Identifier: MIT
// What this process holds of the system, now.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

struct resources {
    uint64_t resident_bytes;
    uint32_t descriptors, threads;
};

/// @return 0 or -errno.
MUST_CHECK int resources_read(struct resources *resources);
/// Keep the larger of each.
void resources_raise(struct resources *peak, const struct resources *now);
