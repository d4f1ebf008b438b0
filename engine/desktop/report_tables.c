// SPDX-License-Identifier: MIT
#include "engine/desktop/report_tables.h"
#include <math.h>

/// A value on a scale, for its bar.
struct scale {
    double low, high, from; // the bar grows from `from`
};
static const struct scale UNIT = {0, 1, 0};

static void write_row(FILE *out, const char *name, double value, const char *format,
                      const struct scale *scale)
{
    fprintf(out, "<tr><td>%s</td><td class=\"n\">", name);
    if (isfinite(value))
        fprintf(out, format, value);
    else
        fprintf(out, "–");
    fprintf(out, "</td><td class=\"bar\">");
    if (scale && isfinite(value)) {
        const double width = scale->high - scale->low;
        const double held = fmin(fmax(value, scale->low), scale->high);
        fprintf(out, "<div><i style=\"left:%.1f%%;width:%.1f%%\"></i></div>",
                100 * (fmin(held, scale->from) - scale->low) / width,
                100 * fabs(held - scale->from) / width);
    }
    fprintf(out, "</td></tr>\n");
}

static void open_table(FILE *out, const char *heading)
{
    fprintf(out, "<section><h2>%s</h2>\n<table>\n", heading);
}

static void close_table(FILE *out)
{
    fprintf(out, "</table></section>\n");
}

static const char *shortfall_text(const struct mastering_targets *targets)
{
    switch (targets->shortfall) {
    case SHORTFALL_LIMITER:
        return "Below target: the limiter's allowed reduction is reached.";
    case SHORTFALL_SILENCE:
        return "Too quiet or too short to have a loudness.";
    default:
        return "";
    }
}

static void write_targets(FILE *out, const struct report_track *t)
{
    static const char *const bands[EQ_BAND_COUNT] = {
        "EQ low shelf 120 Hz", "EQ 300 Hz", "EQ 1.2 kHz", "EQ 3.5 kHz", "EQ high shelf 9 kHz"};
    static const struct scale gain = {-6, 6, 0}, makeup = {-12, 12, 0}, width = {0, 2, 1};
    const struct mastering_targets *g = t->targets;
    open_table(out, "Mastering");
    fprintf(out, "<tr><td>preset</td><td class=\"n\">%s</td><td></td></tr>\n", t->preset);
    write_row(out, "intensity", t->intensity, "%.2f", &UNIT);
    for (int b = 0; b < EQ_BAND_COUNT; ++b)
        write_row(out, bands[b], g->eq_db[b], "%+.1f dB", &gain);
    write_row(out, "compressor mix", g->compressor.mix, "%.2f", &UNIT);
    write_row(out, "threshold", g->compressor.threshold_db, "%.1f dB", NULL);
    write_row(out, "ratio", g->compressor.ratio, "%.1f : 1", NULL);
    write_row(out, "side gain", g->width, "%.2f", &width);
    write_row(out, "makeup", g->makeup_db, "%+.1f dB", &makeup);
    write_row(out, "ceiling", g->ceiling_dbtp, "%.1f dBTP", NULL);
    write_row(out, "target", g->target_lufs, "%.1f LUFS", NULL);
    fprintf(out, "</table>\n");
    if (!g->bypass && mastering_targets_are_again(g, t->analysis))
        fprintf(out,
                "<p class=\"soft\">Mastered before, as its tag says: it keeps its tone and gets "
                "only the makeup that its target still needs.</p>\n");
    if (g->shortfall)
        fprintf(out, "<p class=\"soft\">%s</p>\n", shortfall_text(g));
    fprintf(out, "</section>\n");
}

static struct scale scale_of(enum fingerprint_dimension dimension)
{
    switch (dimension) {
    case FINGERPRINT_LUFS:
        return (struct scale){-40, 0, -40};
    case FINGERPRINT_CREST_DB:
        return (struct scale){0, 40, 0};
    case FINGERPRINT_BASS_MID_RATIO:
        return (struct scale){-60, 60, 0};
    case FINGERPRINT_TEMPO_BPM:
        return (struct scale){0, 240, 0};
    case FINGERPRINT_LOUDNESS_VARIATION_STD:
        return (struct scale){0, 20, 0};
    case FINGERPRINT_PHASE_CORRELATION:
        return (struct scale){-1, 1, 0};
    default:
        return UNIT;
    }
}

static void write_fingerprint(FILE *out, const struct analysis *a)
{
    open_table(out, "Fingerprint");
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; ++d) {
        const struct scale scale = scale_of((enum fingerprint_dimension)d);
        write_row(out, fingerprint_name((enum fingerprint_dimension)d), a->fingerprint[d], "%.4g",
                  &scale);
    }
    close_table(out);
}

static void write_chroma(FILE *out, const struct analysis *a)
{
    double highest = 0;
    for (int c = 0; c < PITCH_CLASS_COUNT; ++c)
        highest = fmax(highest, a->key.chroma[c]);
    const struct scale scale = {0, highest > 0 ? highest : 1, 0};
    open_table(out, "Chroma");
    for (int c = 0; c < PITCH_CLASS_COUNT; ++c)
        write_row(out, key_tonic_name(c), a->key.chroma[c], "%.3f", &scale);
    close_table(out);
}

static void write_profile(FILE *out, const struct analysis *a)
{
    open_table(out, "Profile");
    write_row(out, "energy", a->profile.energy, "%.2f", &UNIT);
    write_row(out, "dynamic range", a->profile.dynamic_range, "%.2f", &UNIT);
    write_row(out, "brightness", a->profile.brightness, "%.2f", &UNIT);
    write_row(out, "warmth", a->profile.warmth, "%.2f", &UNIT);
    write_row(out, "rhythm", a->profile.rhythm, "%.2f", &UNIT);
    write_row(out, "harmony", a->profile.harmony, "%.2f", &UNIT);
    close_table(out);
}

static void write_genres(FILE *out, const struct analysis *a)
{
    open_table(out, "Genre, by rules");
    for (int g = 0; g < GENRE_COUNT; ++g)
        write_row(out, genre_name(g), a->genre.scores[g], "%.2f", &UNIT);
    close_table(out);
}

void report_tables_write(FILE *out, const struct report_track *track)
{
    fprintf(out, "<div class=\"pair\">\n<div>\n");
    if (track->targets)
        write_targets(out, track);
    write_profile(out, track->analysis);
    write_genres(out, track->analysis);
    fprintf(out, "</div>\n<div>\n");
    write_fingerprint(out, track->analysis);
    write_chroma(out, track->analysis);
    fprintf(out, "</div></div>\n");
}
