// SPDX-License-Identifier: MIT
// How dear the analysis is: by stage, against decoding the same file, and against its peers.
#include "analysis_stages.h"
#include "analysis_track.h"
#include "bench.h"
#include "dsp/analyzer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 7, ROUNDS_MAX = 64, BLOCK_FRAMES = 4096 };

static int analyze(const struct analysis_track *track)
{
    const struct analyzer_config config = {.format = track->format, .depth = ANALYZER_FULL};
    struct analyzer *analyzer;
    int error = analyzer_create(&analyzer, &config);
    for (uint64_t at = 0; !error && at < track->frames; at += BLOCK_FRAMES) {
        const uint64_t left = track->frames - at;
        error = analyzer_feed(analyzer, track->samples + at * track->format.channels,
                              left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES);
    }
    struct analysis *analysis = NULL;
    if (!error)
        error = analyzer_finish(analyzer, &analysis);
    free(analysis);
    analyzer_destroy(&analyzer);
    return error;
}

static int timed(int (*run)(const struct analysis_track *), const struct analysis_track *track,
                 double *out_ms)
{
    const int64_t start_ns = bench_cpu_ns();
    const int error = run(track);
    *out_ms = (double)(bench_cpu_ns() - start_ns) / 1e6;
    return error;
}

// Decoding and analysing in turn, so that both see the same machine.
static int compare_with_decoding(const struct analysis_track *track, unsigned rounds,
                                 double *analysis_ms)
{
    double decode_ms[ROUNDS_MAX], analyze_ms[ROUNDS_MAX], ratios[ROUNDS_MAX];
    int error = 0;
    for (unsigned r = 0; r < rounds && !error; ++r) {
        error = timed(analysis_track_decode, track, &decode_ms[r]);
        if (!error)
            error = timed(analyze, track, &analyze_ms[r]);
        ratios[r] = analyze_ms[r] / decode_ms[r];
    }
    if (error)
        return error;
    *analysis_ms = bench_median(analyze_ms, rounds);
    printf("whole name=decode cpu_ms=%.2f least_ms=%.2f\n", bench_median(decode_ms, rounds),
           decode_ms[0]);
    printf("whole name=analysis cpu_ms=%.2f least_ms=%.2f\n", *analysis_ms, analyze_ms[0]);
    printf("ratio name=analysis/decode value=%.2f (median of %u pairs)\n",
           bench_median(ratios, rounds), rounds);
    return 0;
}

static int measure_track(const char *path, unsigned rounds)
{
    struct analysis_track track;
    int error = analysis_track_load(&track, path);
    if (error)
        return error;
    const double seconds = (double)track.frames / track.format.rate_hz;
    printf("track seconds=%.1f rate_hz=%u channels=%u\n", seconds, track.format.rate_hz,
           track.format.channels);
    double analysis_ms = 0;
    error = analysis_stages_run(&track, rounds);
    if (!error)
        error = compare_with_decoding(&track, rounds, &analysis_ms);
    if (!error)
        printf("speed name=analysis times_real_time=%.0f\n", seconds * 1000 / analysis_ms);
    analysis_track_unload(&track);
    return error;
}

static int measure_made_track(unsigned rounds)
{
    char path[] = "/tmp/segue-bench-XXXXXX.flac";
    const int fd = mkstemps(path, 5);
    if (fd < 0)
        return -1;
    close(fd);
    int error = analysis_track_make(path);
    if (!error)
        error = measure_track(path, rounds);
    unlink(path);
    return error;
}

int bench_analysis(int argc, char **argv)
{
    const char *path = NULL;
    unsigned rounds = ROUNDS;
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (unsigned)bench_number(argv[++i], ROUNDS_MAX);
        else if (!path && argv[i][0] != '-')
            path = argv[i];
        else
            rounds = 0;
    }
    if (rounds == 0) {
        fprintf(stderr, "usage: segue-bench analysis [--rounds 1..%d] [FILE]\n", ROUNDS_MAX);
        return 2;
    }
    const int error = path ? measure_track(path, rounds) : measure_made_track(rounds);
    if (error)
        fprintf(stderr, "segue-bench: %s: %s\n", path ? path : "made track", strerror(-error));
    return error ? 1 : 0;
}
