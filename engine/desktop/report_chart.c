// SPDX-License-Identifier: MIT
#include "engine/desktop/report_chart.h"
#include <assert.h>
#include <math.h>
#include <stdint.h>

enum { WIDTH = 1000, HEIGHT = 200 }; // of the drawing, stretched by the page

static double height_of(const struct report_chart *chart, double value)
{
    const double share = (chart->high - value) / (chart->high - chart->low);
    return HEIGHT * fmin(fmax(share, 0.0), 1.0);
}

static double place_of(size_t i, size_t count)
{
    return count > 1 ? (double)i * WIDTH / (double)(count - 1) : 0.0;
}

static double first_line(const struct report_chart *chart)
{
    return ceil(chart->low / chart->grid - 1e-9) * chart->grid;
}

void report_chart_open(FILE *out, const struct report_chart *chart)
{
    assert(chart->high > chart->low && chart->grid > 0);
    fprintf(out, "<div class=\"plot\"><div class=\"y\"><span class=\"unit\">%s</span>",
            chart->unit);
    for (double v = first_line(chart); v <= chart->high + 1e-9; v += chart->grid)
        fprintf(out, "<span style=\"top:%.1f%%\">%.4g</span>", 100 * height_of(chart, v) / HEIGHT,
                v == 0 ? 0.0 : v);
    fprintf(out,
            "</div><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"%s\"><path class=\"grid\" d=\"",
            WIDTH, HEIGHT, chart->label);
    for (double v = first_line(chart); v <= chart->high + 1e-9; v += chart->grid)
        fprintf(out, "M0 %.1fH%d", height_of(chart, v), WIDTH);
    fprintf(out, "\"/>");
}

void report_chart_line(FILE *out, const struct report_chart *chart, const double *values,
                       size_t count, const char *style)
{
    char command = 'M';
    fprintf(out, "<path class=\"line %s\" d=\"", style);
    for (size_t i = 0; i < count; ++i) {
        if (!isfinite(values[i])) {
            command = 'M';
            continue;
        }
        fprintf(out, "%c%.1f %.1f", command, place_of(i, count), height_of(chart, values[i]));
        command = 'L';
    }
    fprintf(out, "\"/>");
}

void report_chart_area(FILE *out, const struct report_chart *chart, const double *low,
                       const double *high, size_t count, const char *style)
{
    fprintf(out, "<path class=\"area %s\" d=\"", style);
    for (size_t i = 0; i < count; ++i)
        fprintf(out, "%c%.1f %.1f", i ? 'L' : 'M', place_of(i, count), height_of(chart, high[i]));
    for (size_t i = count; i-- > 0;)
        fprintf(out, "L%.1f %.1f", place_of(i, count), height_of(chart, low[i]));
    fprintf(out, "Z\"/>");
}

void report_chart_level(FILE *out, const struct report_chart *chart, double level,
                        const char *style)
{
    fprintf(out, "<path class=\"line %s\" d=\"M0 %.1fH%d\"/>", style, height_of(chart, level),
            WIDTH);
}

void report_chart_close(FILE *out)
{
    fprintf(out, "</svg></div>\n");
}

void report_time(FILE *out, double seconds)
{
    const uint64_t whole = (uint64_t)llround(seconds);
    if (whole >= 3600)
        fprintf(out, "%u:%02u:%02u", (unsigned)(whole / 3600), (unsigned)(whole / 60 % 60),
                (unsigned)(whole % 60));
    else
        fprintf(out, "%u:%02u", (unsigned)(whole / 60), (unsigned)(whole % 60));
}

// The least round step that gives at most six marks: few enough for a phone.
static double time_step(double duration_s)
{
    static const double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600};
    enum { COUNT = sizeof steps / sizeof steps[0], MARKS = 6 };
    for (size_t i = 0; i < COUNT; ++i)
        if (duration_s / steps[i] <= MARKS)
            return steps[i];
    return ceil(duration_s / MARKS / 3600) * 3600;
}

void report_time_axis(FILE *out, double duration_s)
{
    const double step = time_step(duration_s);
    fprintf(out, "<div class=\"x\">");
    // The last mark stays off the edge, where it would be cut.
    for (double t = 0; t < duration_s * 0.97 || t == 0; t += step) {
        fprintf(out, "<span style=\"left:%.2f%%\">", duration_s > 0 ? 100 * t / duration_s : 0.0);
        report_time(out, t);
        fprintf(out, "</span>");
    }
    fprintf(out, "</div>\n");
}

void report_frequency_axis(FILE *out, double low_hz, double high_hz)
{
    static const struct {
        double hz;
        const char *text;
    } marks[] = {{50, "50"},   {100, "100"}, {200, "200"}, {500, "500"},
                 {1000, "1k"}, {2000, "2k"}, {5000, "5k"}, {10000, "10k"}};
    fprintf(out, "<div class=\"x\">");
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; ++i)
        if (marks[i].hz >= low_hz && marks[i].hz < high_hz)
            fprintf(out, "<span style=\"left:%.2f%%\">%s</span>",
                    100 * log(marks[i].hz / low_hz) / log(high_hz / low_hz), marks[i].text);
    fprintf(out, "</div>\n");
}
