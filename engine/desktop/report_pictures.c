// SPDX-License-Identifier: MIT
#include "engine/desktop/report_pictures.h"
#include "engine/desktop/report_chart.h"
#include "engine/desktop/report_image.h"
#include <math.h>

enum { COLUMNS_MOST = TRACK_PICTURE_COLUMNS_MOST, ROWS = SPECTROGRAM_ROWS };

static const char *const legend[TRACK_SIDES] = {[TRACK_BEFORE] = "before", [TRACK_AFTER] = "after"};

static void write_legend(FILE *out, const struct report_track *t)
{
    if (t->targets)
        fprintf(out, "<span class=\"legend\"><i style=\"background:var(--before)\"></i>before"
                     "<i style=\"background:var(--after)\"></i>after</span>");
}

static void write_waveform(FILE *out, const struct report_track *t, enum track_side side)
{
    static const struct report_chart charts[TRACK_SIDES] = {
        [TRACK_BEFORE] = {"Waveform before mastering", "", -1, 1, 0.5},
        [TRACK_AFTER] = {"Waveform after mastering", "", -1, 1, 0.5}};
    const uint32_t columns = track_picture_columns(t->picture);
    const struct track_extent *extents = track_picture_waveform(t->picture, side);
    double low[COLUMNS_MOST], high[COLUMNS_MOST];
    for (uint32_t c = 0; c < columns; ++c) {
        low[c] = (double)extents[c].low;
        high[c] = (double)extents[c].high;
    }
    report_chart_open(out, &charts[side]);
    report_chart_area(out, &charts[side], low, high, columns, legend[side]);
    report_chart_close(out);
}

static void write_waveforms(FILE *out, const struct report_track *t)
{
    fprintf(out, "<section><h2>Waveform");
    write_legend(out, t);
    fprintf(out, "</h2>\n");
    write_waveform(out, t, TRACK_BEFORE);
    if (t->targets)
        write_waveform(out, t, TRACK_AFTER);
    report_time_axis(out, t->analysis->duration_s);
    fprintf(out, "</section>\n");
}

// A list of any length as one value a column, the loudest; a window of 3 s stands at its end.
static size_t reduce(double out[COLUMNS_MOST], const float *lufs, uint32_t count, double duration_s)
{
    for (size_t c = 0; c < COLUMNS_MOST; ++c)
        out[c] = NAN;
    const double step_s = analysis_short_term_step_s(count, duration_s);
    for (uint32_t i = 0; i < count; ++i) {
        const double time_s = 3.0 + step_s * i;
        const double place = time_s / duration_s * (COLUMNS_MOST - 1);
        const size_t c = place < COLUMNS_MOST - 1 ? (size_t)place : COLUMNS_MOST - 1;
        if (!(out[c] >= (double)lufs[i]))
            out[c] = (double)lufs[i];
    }
    // Between the windows of a short track lie empty columns, which the line passes over.
    size_t last = 0;
    for (size_t c = 1; c < COLUMNS_MOST; ++c) {
        if (isnan(out[c]))
            continue;
        for (size_t gap = last + 1; !isnan(out[last]) && gap < c; ++gap)
            out[gap] = out[last] + (out[c] - out[last]) * (double)(gap - last) / (double)(c - last);
        last = c;
    }
    return COLUMNS_MOST;
}

// A scale from 0 down to a line of the grid below the quietest, so that most music fills it; what is silent lies
// under it.
static double low_of(const double *before, const double *after, double grid)
{
    double least = -18;
    for (size_t c = 0; c < COLUMNS_MOST; ++c) {
        least = isfinite(before[c]) ? fmin(least, before[c]) : least;
        least = isfinite(after[c]) ? fmin(least, after[c]) : least;
    }
    return fmax(-42, grid * floor(least / grid - 0.25));
}

static void write_loudness(FILE *out, const struct report_track *t)
{
    struct report_chart chart = {"Short-term loudness over time", "LUFS", -42, 0, 6};
    const struct analysis *a = t->analysis;
    double before[COLUMNS_MOST], after[COLUMNS_MOST];
    const size_t count = reduce(before, analysis_short_term(a), a->loudness_count, a->duration_s);
    (void)reduce(after, t->after_short_term, t->after_short_term_count, a->duration_s);
    chart.low = low_of(before, after, chart.grid);
    fprintf(out, "<section><h2>Short-term loudness");
    write_legend(out, t);
    fprintf(out, "</h2>\n");
    report_chart_open(out, &chart);
    if (t->targets)
        report_chart_level(out, &chart, t->targets->target_lufs, "target");
    report_chart_line(out, &chart, before, count, legend[TRACK_BEFORE]);
    if (t->targets)
        report_chart_line(out, &chart, after, count, legend[TRACK_AFTER]);
    report_chart_close(out);
    report_time_axis(out, a->duration_s);
    if (t->targets)
        fprintf(out,
                "<p class=\"soft\">Windows of 3 s; the dashed line is the target of %.1f LUFS.</p>",
                t->targets->target_lufs);
    fprintf(out, "</section>\n");
}

static void write_dynamics(FILE *out, const struct report_track *t)
{
    static const struct report_chart chart = {"Gain reduction over time", "dB", -8, 0, 2};
    const uint32_t columns = track_picture_columns(t->picture);
    const struct chain_dynamics *dynamics = track_picture_dynamics(t->picture);
    double zero[COLUMNS_MOST] = {0}, compressor[COLUMNS_MOST], both[COLUMNS_MOST];
    for (uint32_t c = 0; c < columns; ++c) {
        compressor[c] = dynamics[c].compressor_db;
        both[c] = dynamics[c].compressor_db + dynamics[c].limiter_db;
    }
    fprintf(out, "<section><h2>Gain reduction<span class=\"legend\">"
                 "<i style=\"background:var(--after)\"></i>compressor"
                 "<i style=\"background:var(--limit)\"></i>limiter</span></h2>\n");
    report_chart_open(out, &chart);
    report_chart_area(out, &chart, both, compressor, columns, "limit");
    report_chart_area(out, &chart, compressor, zero, columns, "after");
    report_chart_close(out);
    report_time_axis(out, t->analysis->duration_s);
    fprintf(out, "</section>\n");
}

static void write_frequency_marks(FILE *out, const struct spectrogram *s)
{
    static const struct {
        double hz;
        const char *text;
    } marks[] = {{100, "100"}, {1000, "1k"}, {10000, "10k"}};
    const double low = spectrogram_row_hz(s, -0.5), high = spectrogram_row_hz(s, ROWS - 0.5);
    fprintf(out, "<div class=\"y\">");
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; ++i)
        if (marks[i].hz < high)
            fprintf(out, "<span style=\"top:%.1f%%\">%s</span>",
                    100 * (1 - log(marks[i].hz / low) / log(high / low)), marks[i].text);
    fprintf(out, "</div>");
}

static int write_spectrograms(FILE *out, const struct report_track *t)
{
    static const char *const alt[TRACK_SIDES] = {"Spectrogram before mastering",
                                                 "Spectrogram after mastering"};
    const struct spectrogram *s = track_picture_spectrogram(t->picture);
    struct report_image_range range;
    report_image_fit(&range, s);
    int error = 0;
    for (int side = 0; side < (t->targets ? TRACK_SIDES : 1) && !error; ++side) {
        fprintf(out, "<section><h2>%s</h2>\n<div class=\"spectrogram\">", alt[side]);
        write_frequency_marks(out, s);
        error = report_image_write(out, s, (enum spectrogram_signal)side, &range, alt[side]);
        fprintf(out, "</div>\n");
        report_time_axis(out, t->analysis->duration_s);
        fprintf(out, "</section>\n");
    }
    return error;
}

static void write_spectrum(FILE *out, const struct report_track *t)
{
    const struct spectrogram *s = track_picture_spectrogram(t->picture);
    double values[TRACK_SIDES][ROWS], highest = -HUGE_VAL;
    for (uint32_t row = 0; row < ROWS; ++row)
        for (int side = 0; side < TRACK_SIDES; ++side) {
            const double power = spectrogram_mean(s, (enum spectrogram_signal)side, row);
            values[side][row] = 10.0 * log10(power);
            highest = fmax(highest, values[side][row]);
        }
    const double top = isfinite(highest) ? 6 * ceil(highest / 6) : 0;
    const struct report_chart chart = {"Mean spectrum", "dB", top - 60, top, 12};
    fprintf(out, "<section><h2>Mean spectrum");
    write_legend(out, t);
    fprintf(out, "</h2>\n");
    report_chart_open(out, &chart);
    for (int side = 0; side < (t->targets ? TRACK_SIDES : 1); ++side)
        report_chart_line(out, &chart, values[side], ROWS, legend[side]);
    report_chart_close(out);
    report_frequency_axis(out, spectrogram_row_hz(s, 0), spectrogram_row_hz(s, ROWS - 1));
    fprintf(out,
            "<p class=\"soft\">Equal parts of an octave: pink noise is level.</p></section>\n");
}

int report_pictures_write(FILE *out, const struct report_track *track)
{
    write_waveforms(out, track);
    write_loudness(out, track);
    if (track->targets)
        write_dynamics(out, track);
    const int error = write_spectrograms(out, track);
    write_spectrum(out, track);
    return error;
}
