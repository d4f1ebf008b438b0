// SPDX-License-Identifier: MIT
#include "engine/desktop/render_report.h"
#include "engine/escape.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static void write_names(FILE *to, const char *in, const char *out)
{
    char text[4096];
    escape_text(text, sizeof(text), in);
    fputs(text, to);
    if (out) {
        escape_text(text, sizeof(text), out);
        fprintf(to, " -> %s", text);
    }
}

// What the target is of: in an album the album, of which a track may lie on either side; of a chunk its track.
static double lufs_of_target(const struct render_outcome *o)
{
    return isfinite(o->album_lufs) ? o->album_lufs
           : o->is_part            ? o->targets.predicted_lufs
                                   : o->after_lufs;
}

static void write_shortfall(FILE *to, const struct render_outcome *o)
{
    const struct mastering_targets *t = &o->targets;
    const int is_of_album = isfinite(o->album_lufs);
    const int was_mastered = !is_of_album && o->was_mastered;
    fprintf(to, ", %s%.1f LU below target: %s",
            is_of_album  ? "album "
            : o->is_part ? "track "
                         : "",
            t->target_lufs - lufs_of_target(o),
            was_mastered ? "mastered before, its peaks are at the ceiling"
                         : "limiter reduction of 4 dB reached, brief peaks aside: more would "
                           "flatten the music");
}

// Without a sign on what rounds to nothing.
static double tenths(double db)
{
    return round(db * 10) / 10 + 0.0;
}

void render_report_line(FILE *to, const char *in, const char *out, const struct render_outcome *o)
{
    const struct mastering_targets *t = &o->targets;
    write_names(to, in, out);
    if (!o->mastered) {
        fprintf(to, ": %.1f LUFS, not mastered\n", o->after_lufs);
        return;
    }
    fprintf(to,
            ": %.1f -> %.1f LUFS (%starget %.1f), %.1f dBTP, makeup %+.1f dB, limiting at most "
            "%.1f dB",
            o->before_lufs, o->after_lufs, o->is_part ? "track's " : "", t->target_lufs,
            o->after_dbtp, tenths(t->makeup_db), o->limiter_db);
    if (t->shortfall == SHORTFALL_LIMITER)
        write_shortfall(to, o);
    else if (t->shortfall == SHORTFALL_SILENCE)
        fprintf(to, ", too quiet or too short to have a loudness");
    fputc('\n', to);
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *text(const char *path)
{
    char *escaped = path ? escape_dup(path) : NULL;
    json_t *value = escaped ? json_string(escaped) : json_null();
    free(escaped);
    return value;
}

static const char *shortfall_name(const struct render_outcome *o)
{
    static const char *const names[] = {
        [SHORTFALL_LIMITER] = "limiter", [SHORTFALL_SILENCE] = "silence"};
    return o->mastered ? names[o->targets.shortfall] : NULL;
}

int render_report_json(FILE *to, const char *in, const char *out, const struct render_outcome *o)
{
    const double target = o->mastered ? o->targets.target_lufs : NAN;
    const double makeup = o->mastered ? o->targets.makeup_db : NAN;
    json_t *line = json_pack(
        "{s:o, s:o, s:b, s:{s:o}, s:{s:o, s:o}, s:o, s:o, s:o, s:s?}", "path", text(in), "output",
        text(out), "mastered", o->mastered, "before", "integrated_lufs", number(o->before_lufs),
        "after", "integrated_lufs", number(o->after_lufs), "true_peak_dbtp", number(o->after_dbtp),
        "target_lufs", number(target), "makeup_db", number(makeup), "limiter_reduction_db",
        number(o->limiter_db), "shortfall", shortfall_name(o));
    const int error = line && json_dumpf(line, to, JSON_COMPACT) == 0 ? 0 : -ENOMEM;
    fputc('\n', to);
    json_decref(line);
    return error;
}
