// SPDX-License-Identifier: MIT
// Charts as SVG that stretches to any width, with their labels beside them as text that does not.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdio.h>

/// Vertical scale, and what is read out instead of the picture. Errors of `out` stay with it.
struct report_chart {
    const char *label; // safe HTML
    const char *unit;  // of the vertical axis, safe HTML
    double low, high;
    double grid; // distance of the lines, > 0
};

/// Open a chart with its grid. Lines and areas follow, then report_chart_close().
void report_chart_open(FILE *out, const struct report_chart *chart);
/// A line through `count` values at equal distances over the whole width; a value that is not finite
/// interrupts it, others are held within the chart. `style` is a class of the page.
void report_chart_line(FILE *out, const struct report_chart *chart, const double *values,
                       size_t count, const char *style);
/// The area between two rows of values.
void report_chart_area(FILE *out, const struct report_chart *chart, const double *low,
                       const double *high, size_t count, const char *style);
/// A level line with a name.
void report_chart_level(FILE *out, const struct report_chart *chart, double level,
                        const char *style);
void report_chart_close(FILE *out);

/// Marks under a chart or picture of a whole track.
void report_time_axis(FILE *out, double duration_s);
/// Marks under a chart whose width is log frequency.
void report_frequency_axis(FILE *out, double low_hz, double high_hz);
/// "3:47" or "1:02:03".
void report_time(FILE *out, double seconds);
