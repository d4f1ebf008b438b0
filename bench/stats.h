// SPDX-License-Identifier: MIT
// Many measured values, and what is said of them: percentiles and a histogram to look at.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { STATS_POINTS = 6 }; // p50 p90 p99 p99.9 p99.99 max

/// Room for a fixed number of values: adding one allocates nothing. Thread-safety: one thread at a time.
struct stats {
    double *values;
    size_t count, capacity;
    uint64_t lost; // that there was no room for
};

/// All memory is touched. @return 0; -ENOMEM.
MUST_CHECK int stats_init(struct stats *stats, size_t capacity);
void stats_deinit(struct stats *stats);
void stats_add(struct stats *stats, double value);
/// Sort the values, and give the percentiles by nearest rank; NaN where there are none.
void stats_points(struct stats *stats, double points[STATS_POINTS]);
/// "p50" .. "max".
const char *stats_point_name(size_t point);
/// A histogram of sorted values in text, a bar a line, on bins that grow by powers of two.
void stats_draw(const struct stats *stats, FILE *out, const char *unit);
