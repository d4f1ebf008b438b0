// SPDX-License-Identifier: MIT
#include "engine/desktop/report_page.h"
#include "engine/desktop/report_chart.h"
#include "engine/desktop/report_pictures.h"
#include "engine/desktop/report_tables.h"
#include "engine/escape.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Colours are named by what they stand for; dark mode gives the names other values.
static const char style[] =
    ":root{--page:#fbfaf8;--card:#fff;--ink:#1d1c1a;--soft:#6b6862;--rule:#e4e1db;"
    "--before:#9a958c;--after:#0b6e8f;--limit:#c2410c;--target:#15803d}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#141416;--card:#1d1d20;--ink:#ecebe8;"
    "--soft:#a09d97;--rule:#34343a;--before:#88858f;--after:#4cc2e6;--limit:#fb923c;"
    "--target:#4ade80}}\n"
    "*{box-sizing:border-box}html{color-scheme:light dark}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}\n"
    "main{max-width:1080px;margin:0 auto;padding:16px}\n"
    "h1{font-size:1.5rem;line-height:1.25;margin:.4em 0 0;overflow-wrap:anywhere}\n"
    "h2{font-size:1rem;margin:0 0 10px;display:flex;flex-wrap:wrap;justify-content:space-between;"
    "gap:2px 1em;align-items:baseline}\n"
    "p{margin:.3em 0}.soft{color:var(--soft);overflow-wrap:anywhere}\n"
    "section{background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:14px;margin:14px 0}.pair{margin:14px 0}\n"
    "details>summary{cursor:pointer;font-weight:600;padding:10px 0;overflow-wrap:anywhere}\n"
    ".tiles{display:grid;gap:10px;grid-template-columns:repeat(auto-fit,minmax(140px,1fr))}\n"
    ".tile b{display:block;font-size:1.25rem;font-weight:600;white-space:nowrap}\n"
    ".tile span{color:var(--soft);font-size:.85rem}\n"
    ".pair{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));"
    "align-items:start}\n"
    ".pair section{margin:0 0 14px}.legend{font-size:.85rem;color:var(--soft)}\n"
    ".legend i{display:inline-block;width:1.1em;height:.25em;vertical-align:middle;"
    "margin:0 .35em 0 .9em;border-radius:2px}.legend i:first-child{margin-left:0}\n"
    ".plot{position:relative;padding-left:38px;height:150px}.plot.low{height:100px}\n"
    ".plot svg{display:block;width:100%;height:100%;overflow:visible}\n"
    ".y span{position:absolute;left:0;width:32px;text-align:right;font-size:.75rem;"
    "color:var(--soft);transform:translateY(-50%)}\n"
    ".y .unit{top:auto;bottom:-22px;transform:none}\n"
    ".x{position:relative;height:22px;margin-left:38px;font-size:.75rem;color:var(--soft)}\n"
    ".x span{position:absolute;top:4px;transform:translateX(-50%)}"
    ".x span:first-child{transform:none}\n"
    ".grid{stroke:var(--rule);fill:none;vector-effect:non-scaling-stroke}\n"
    ".line{fill:none;stroke-width:1.6;stroke-linejoin:round;vector-effect:non-scaling-stroke}\n"
    ".line.before{stroke:var(--before)}.line.after{stroke:var(--after)}"
    ".line.target{stroke:var(--target);stroke-dasharray:6 4}.line.limit{stroke:var(--limit)}\n"
    ".area.before{fill:var(--before)}.area.after{fill:var(--after)}.area.limit{fill:var(--limit)}\n"
    ".spectrogram{padding-left:38px;position:relative}.spectrogram img{display:block;width:100%;"
    "height:170px;border-radius:4px}\n"
    ".spectrogram .y span{color:var(--soft)}\n"
    "table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:3px 6px 3px 0;"
    "border-top:1px solid var(--rule);font-weight:400;vertical-align:middle}"
    "tr:first-child>*{border-top:0}td:first-child{overflow-wrap:anywhere}td.n{text-align:right;white-space:nowrap}\n"
    "td.bar{width:38%;min-width:70px}.bar div{height:9px;border-radius:3px;background:var(--rule);"
    "position:relative;overflow:hidden}\n"
    ".bar i{position:absolute;top:0;bottom:0;background:var(--after)}\n"
    ".failure{border-color:var(--limit)}\n"
    "@media print{section{break-inside:avoid}}\n";

void report_page_text(FILE *out, const char *text)
{
    char *printable = escape_dup(text);
    for (const char *c = printable ? printable : "?"; *c; ++c) {
        switch (*c) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*c, out);
        }
    }
    free(printable);
}

char *report_page_name(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        --end;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        --start;
    return strndup(path + start, end - start);
}

static void write_name(FILE *out, const char *path)
{
    char *name = report_page_name(path);
    report_page_text(out, name ? name : path);
    free(name);
}

void report_page_begin(FILE *out, const char *title, enum report_fold fold)
{
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    report_page_text(out, title);
    fprintf(out, " – Segue</title>\n<style>\n%s</style></head>\n<body><main>\n", style);
    if (fold == REPORT_OPEN)
        return;
    fprintf(out, "<h1>");
    report_page_text(out, title);
    fprintf(out, "</h1>\n<p class=\"soft\">Before and after mastering; a line opens.</p>\n");
}

void report_page_end(FILE *out)
{
    fprintf(out, "<p class=\"soft\">Made by Segue. Loudness by ITU-R BS.1770 and EBU R 128.</p>\n"
                 "</main></body></html>\n");
}

static void write_head(FILE *out, const struct report_track *t)
{
    const struct analysis *a = t->analysis;
    fprintf(out, "<h1>");
    write_name(out, t->path);
    fprintf(out, "</h1>\n<p class=\"soft\">");
    report_page_text(out, t->path);
    fprintf(out, " · %s · %g kHz · %s · ", t->codec, a->sample_rate_hz / 1000.0,
            a->channels == 1   ? "mono"
            : a->channels == 2 ? "stereo"
                               : "multichannel");
    report_time(out, a->duration_s);
    fprintf(out, "</p>\n");
}

static void write_tile(FILE *out, const char *label, double before, double after, const char *unit)
{
    fprintf(out, "<div class=\"tile\"><span>%s</span><b>", label);
    if (isfinite(before))
        fprintf(out, "%.1f", before);
    else
        fprintf(out, "–");
    if (isfinite(after))
        fprintf(out, " → %.1f", after);
    fprintf(out, "</b><span>%s</span></div>\n", unit);
}

static void write_words(FILE *out, const char *label, const char *words, const char *unit)
{
    fprintf(out, "<div class=\"tile\"><span>%s</span><b>%s</b><span>%s</span></div>\n", label,
            words, unit);
}

static void write_tiles(FILE *out, const struct report_track *t)
{
    const struct analysis *a = t->analysis;
    const double no = NAN;
    char words[64], more[64];
    fprintf(out, "<section class=\"tiles\">\n");
    write_tile(out, "Loudness", a->loudness.integrated_lufs, t->targets ? t->after_lufs : no,
               "LUFS");
    write_tile(out, "True peak", a->loudness.true_peak_dbtp, t->targets ? t->after_dbtp : no,
               "dBTP");
    write_tile(out, "Loudness range", a->loudness.range_lu, no, "LU");
    (void)snprintf(words, sizeof words, a->tempo.bpm > 0 ? "%.1f" : "–", a->tempo.bpm);
    (void)snprintf(more, sizeof more, a->tempo.bpm > 0 ? "BPM, or %.1f" : "BPM",
                   a->tempo.alternative_bpm);
    write_words(out, "Tempo", words, more);
    const char *tonic = key_tonic_name(a->key.tonic), *mode = key_mode_name(a->key.mode);
    (void)snprintf(words, sizeof words, "%s %s", tonic ? tonic : "–", mode && tonic ? mode : "");
    (void)snprintf(more, sizeof more, "strength %.2f", a->key.strength);
    write_words(out, "Key", words, more);
    write_words(out, "Genre, by rules", genre_name(a->genre.label), "");
    fprintf(out, "</section>\n");
}

int report_page_track(FILE *out, const struct report_track *track, enum report_fold fold)
{
    if (fold == REPORT_FOLDED) {
        fprintf(out, "<details><summary>");
        write_name(out, track->path);
        fprintf(out, " <span class=\"soft\">%.1f LUFS", track->analysis->loudness.integrated_lufs);
        if (track->targets)
            fprintf(out, " → %.1f", track->after_lufs);
        fprintf(out, "</span></summary>\n");
    }
    write_head(out, track);
    write_tiles(out, track);
    const int error = report_pictures_write(out, track);
    report_tables_write(out, track);
    if (fold == REPORT_FOLDED)
        fprintf(out, "</details>\n");
    return error;
}

void report_page_failure(FILE *out, const char *path, const char *cause)
{
    fprintf(out, "<section class=\"failure\"><b>");
    write_name(out, path);
    fprintf(out, "</b><p class=\"soft\">");
    report_page_text(out, path);
    fprintf(out, ": ");
    report_page_text(out, cause);
    fprintf(out, "</p></section>\n");
}
