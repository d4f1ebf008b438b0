// SPDX-License-Identifier: MIT
// The warm start of a track: how long it takes until its targets are at hand, from each tier.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"

/// Of a track in `folder` that is saved in `database` with `record`, and kept in a cache. @return 0 or -errno.
MUST_CHECK int bench_warm(const char *folder, const char *database, struct record *record);
