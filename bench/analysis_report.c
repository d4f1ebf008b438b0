// SPDX-License-Identifier: MIT
#include "analysis_report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void print_machine(void)
{
    char line[256] = "", date[32] = "";
    FILE *info = fopen("/proc/cpuinfo", "re");
    while (info && fgets(line, sizeof line, info) && strncmp(line, "model name", 10) != 0)
        ;
    if (info)
        fclose(info);
    const char *name = strchr(line, ':');
    const time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local))
        strftime(date, sizeof date, "%Y-%m-%d", &local);
    printf("%s,%.*s, %s %s\n\n", date, name ? (int)strcspn(name + 1, "\n") : 0,
           name ? name + 1 : "",
#ifdef __clang__
           "clang", __clang_version__);
#else
           "gcc", __VERSION__);
#endif
}

static void print_head(const struct analysis_report *r, const char *what)
{
    printf("| %s |", what);
    for (int s = 0; s < r->sets; ++s)
        printf(" %s |", r->of[s].set);
    printf("\n| --- |");
    for (int s = 0; s < r->sets; ++s)
        printf(" ---: |");
    printf("\n");
}

// A row of what each set's time goes into, or "absent".
static void print_ratios(const struct analysis_report *r, const char *what, double peer_ms,
                         double (*own_ms)(const struct analysis_figures *))
{
    printf("| %s |", what);
    for (int s = 0; s < r->sets; ++s)
        if (isnan(peer_ms))
            printf(" absent |");
        else
            printf(" %.0f |", peer_ms / own_ms(&r->of[s]));
    printf("\n");
}

static double analysis_of(const struct analysis_figures *f)
{
    return f->analysis_ms;
}

static double loudness_of(const struct analysis_figures *f)
{
    return f->loudness_ms;
}

static double hpss_of(const struct analysis_figures *f)
{
    return f->stages_ms[analysis_stage_hpss()];
}

static void print_whole(const struct analysis_report *r)
{
    print_head(r, "the whole analysis");
    printf("| CPU time, ms |");
    for (int s = 0; s < r->sets; ++s)
        printf(" %.0f |", r->of[s].analysis_ms);
    printf("\n| times real time |");
    for (int s = 0; s < r->sets; ++s)
        printf(" %.0f |", 1000 * r->seconds / r->of[s].analysis_ms);
    printf("\n| against decoding the same file (%.0f ms) |", r->decode_ms);
    for (int s = 0; s < r->sets; ++s)
        printf(" %.2f |", r->of[s].over_decoding);
    printf("\n| the same, block by block in one pass |");
    for (int s = 0; s < r->sets; ++s)
        printf(" %.2f |", r->of[s].over_decoding_jointly);
    printf("\n");
    print_ratios(r, "librosa takes so many times as long", r->python.librosa, analysis_of);
    print_ratios(r, "essentia's MusicExtractor, decoding included", r->python.essentia,
                 analysis_of);
    print_ratios(r, "aubio's tempo, onsets and pitch alone", r->aubio_ms, analysis_of);
    printf("| libebur128, against loudness, range and true peak alone |");
    for (int s = 0; s < r->sets; ++s)
        if (isnan(r->ebur128_ms))
            printf(" absent |");
        else
            printf(" %.0f |", r->of[s].under_ebur128);
    printf("\n");
    print_ratios(r, "ffmpeg's ebur128, against the same", r->ffmpeg_ms, loudness_of);
    print_ratios(r, "scipy's medians, against the whole separation", r->python.medians, hpss_of);
    if (!isnan(r->python.harmonic_ratio))
        printf("\nHarmonic ratio: %.9f, from scipy's medians %.9f.\n", r->harmonic_ratio,
               r->python.harmonic_ratio);
}

void analysis_report_print(const struct analysis_report *r)
{
    print_machine();
    print_whole(r);
    printf("\n");
    print_head(r, "stage, ms of CPU");
    for (int stage = 0; stage < analysis_stage_count(); ++stage) {
        printf("| %s |", analysis_stage_name(stage));
        for (int s = 0; s < r->sets; ++s)
            printf(" %.1f |", r->of[s].stages_ms[stage]);
        printf("\n");
    }
}
