// SPDX-License-Identifier: MIT
// How dear the analysis is: by stage, against decoding the same file, and against its peers.
#include "analysis_kernels.h"
#include "analysis_peers.h"
#include "analysis_report.h"
#include "analysis_stages.h"
#include "analysis_track.h"
#include "bench.h"
#include "dsp/analyzer.h"
#include "dsp/cpu.h"
#include "dsp/level/loudness_meter.h"
#include "dsp/level/true_peak.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 7, ROUNDS_MAX = 64, BLOCK_FRAMES = 4096 };

// What the last analysis found, so that nobody can leave it out.
static double harmonic_ratio;

static int start_analysis(struct analyzer **out, const struct analysis_track *track)
{
    const struct analyzer_config config = {.format = track->format, .depth = ANALYZER_FULL};
    return analyzer_create(out, &config);
}

static int end_analysis(struct analyzer **analyzer)
{
    struct analysis *analysis = NULL;
    const int error = analyzer_finish(*analyzer, &analysis);
    if (!error)
        harmonic_ratio = analysis->fingerprint[FINGERPRINT_HARMONIC_RATIO];
    free(analysis);
    analyzer_destroy(analyzer);
    return error;
}

static int analyze(const struct analysis_track *track)
{
    struct analyzer *analyzer;
    int error = start_analysis(&analyzer, track);
    for (uint64_t at = 0; !error && at < track->frames; at += BLOCK_FRAMES) {
        const uint64_t left = track->frames - at;
        error = analyzer_feed(analyzer, track->samples + at * track->format.channels,
                              left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES);
    }
    if (!error)
        return end_analysis(&analyzer);
    analyzer_destroy(&analyzer);
    return error;
}

static int decode(const struct analysis_track *track)
{
    return analysis_track_decode(track, NULL, NULL);
}

// An analysis that takes each block as it is decoded, and what it has taken of the time.
struct companion {
    struct analyzer *analyzer;
    int64_t spent_ns;
};

static int analyze_block(void *context, const float *block, uint32_t frames)
{
    struct companion *c = context;
    const int64_t start_ns = bench_cpu_ns();
    const int error = analyzer_feed(c->analyzer, block, frames);
    c->spent_ns += bench_cpu_ns() - start_ns;
    return error;
}

// One pass over the file. *ratio: time in the analysis to time in the decoder, each with the caches as the other
// leaves them.
static int analyze_what_is_decoded(const struct analysis_track *track, double *ratio)
{
    struct companion c = {0};
    const int64_t start_ns = bench_cpu_ns();
    int error = start_analysis(&c.analyzer, track);
    c.spent_ns = bench_cpu_ns() - start_ns;
    if (!error)
        error = analysis_track_decode(track, analyze_block, &c);
    const int64_t tail_ns = bench_cpu_ns();
    if (!error)
        error = end_analysis(&c.analyzer);
    analyzer_destroy(&c.analyzer);
    const int64_t end_ns = bench_cpu_ns();
    c.spent_ns += end_ns - tail_ns;
    *ratio = (double)c.spent_ns / (double)(end_ns - start_ns - c.spent_ns);
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

// Instruction sets that can be held to, best first, and what each needs.
static const struct {
    const char *name;
    uint32_t cpu_flags;
} SETS[ANALYSIS_SETS] = {{"avx512", CPU_AVX512}, {"avx2", CPU_AVX2 | CPU_FMA}, {"c", 0}};

static void hold_to(const char *set)
{
    if (setenv("SEGUE_CPU", set, 1))
        abort(); // out of memory
}

static void list_sets(struct analysis_report *report)
{
    const uint32_t flags = cpu_flags();
    for (int s = 0; s < ANALYSIS_SETS; ++s)
        if (!(SETS[s].cpu_flags & ~flags))
            report->of[report->sets++].set = SETS[s].name;
}

// Decoding and analysing in turn, so that all see the same machine.
static int compare_with_decoding(const struct analysis_track *track, unsigned rounds,
                                 struct analysis_report *report)
{
    double decode_ms[ROUNDS_MAX], analyze_ms[ANALYSIS_SETS][ROUNDS_MAX];
    double ratios[ANALYSIS_SETS][ROUNDS_MAX], joint_ratios[ANALYSIS_SETS][ROUNDS_MAX];
    for (unsigned r = 0; r < rounds; ++r) {
        int error = timed(decode, track, &decode_ms[r]);
        for (int s = 0; s < report->sets && !error; ++s) {
            hold_to(report->of[s].set);
            error = timed(analyze, track, &analyze_ms[s][r]);
            ratios[s][r] = analyze_ms[s][r] / decode_ms[r];
            if (!error)
                error = analyze_what_is_decoded(track, &joint_ratios[s][r]);
        }
        if (error)
            return error;
    }
    report->harmonic_ratio = harmonic_ratio;
    report->decode_ms = bench_median(decode_ms, rounds); // sorts: the least is first
    printf("whole name=decode cpu_ms=%.2f least_ms=%.2f\n", report->decode_ms, decode_ms[0]);
    for (int s = 0; s < report->sets; ++s) {
        struct analysis_figures *f = &report->of[s];
        f->analysis_ms = bench_median(analyze_ms[s], rounds);
        f->over_decoding = bench_median(ratios[s], rounds);
        f->over_decoding_jointly = bench_median(joint_ratios[s], rounds);
        printf("whole name=analysis set=%s cpu_ms=%.2f least_ms=%.2f times_real_time=%.0f\n",
               f->set, f->analysis_ms, analyze_ms[s][0], 1000 * report->seconds / f->analysis_ms);
        printf("ratio name=analysis/decode set=%s value=%.2f (median of %u pairs)\n", f->set,
               f->over_decoding, rounds);
        printf(
            "ratio name=analysis/decode-block-by-block set=%s value=%.2f (median of %u passes)\n",
            f->set, f->over_decoding_jointly, rounds);
    }
    return 0;
}

// What libebur128 measures, by our meters.
static int measure_loudness(const struct analysis_track *track)
{
    const uint32_t channels = track->format.channels;
    struct true_peak peaks[PCM_MAX_CHANNELS];
    struct loudness_meter *meter;
    int error = loudness_meter_create(&meter, &track->format);
    for (uint32_t c = 0; c < channels; ++c)
        true_peak_init(&peaks[c], track->format.rate_hz);
    for (uint64_t at = 0; !error && at < track->frames; at += BLOCK_FRAMES) {
        const uint64_t left = track->frames - at;
        const uint32_t frames = left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
        const float *samples = track->samples + at * channels;
        error = loudness_meter_feed(meter, samples, frames);
        for (uint32_t c = 0; c < channels; ++c)
            true_peak_feed(&peaks[c], samples + c, channels, frames);
    }
    if (!error && loudness_list_range_lu(loudness_meter_list(meter)) < 0)
        error = -EIO;
    for (uint32_t c = 0; c < channels; ++c)
        if (true_peak_finish(&peaks[c]) < 0)
            error = -EIO;
    if (!error && loudness_meter_integrated_lufs(meter) < -70)
        error = -EIO;
    loudness_meter_destroy(&meter);
    return error;
}

// Ours and libebur128's in turn. A missing peer is no error.
static int compare_loudness(const struct analysis_track *track, unsigned rounds,
                            struct analysis_report *report)
{
    double ours_ms[ANALYSIS_SETS][ROUNDS_MAX], peer_ms[ROUNDS_MAX];
    double ratios[ANALYSIS_SETS][ROUNDS_MAX];
    for (unsigned r = 0; r < rounds; ++r) {
        int error = timed(analysis_peer_ebur128, track, &peer_ms[r]);
        if (error == -ENOSYS)
            printf("peer name=libebur128 absent\n");
        if (error)
            return error == -ENOSYS ? 0 : error;
        for (int s = 0; s < report->sets && !error; ++s) {
            hold_to(report->of[s].set);
            error = timed(measure_loudness, track, &ours_ms[s][r]);
            ratios[s][r] = peer_ms[r] / ours_ms[s][r];
        }
        if (error)
            return error;
    }
    report->ebur128_ms = bench_median(peer_ms, rounds);
    printf("peer name=libebur128 cpu_ms=%.2f\n", report->ebur128_ms);
    for (int s = 0; s < report->sets; ++s) {
        struct analysis_figures *f = &report->of[s];
        f->loudness_ms = bench_median(ours_ms[s], rounds);
        f->under_ebur128 = bench_median(ratios[s], rounds);
        printf("ratio name=libebur128/loudness-range-true-peak set=%s value=%.1f (median of %u "
               "pairs)\n",
               f->set, f->under_ebur128, rounds);
    }
    return 0;
}

static void print_peer(const char *name, double ms)
{
    if (isnan(ms))
        printf("peer name=%s absent\n", name);
    else
        printf("peer name=%s cpu_ms=%.0f\n", name, ms);
}

static int compare_with_peers(const struct analysis_track *track, unsigned rounds,
                              struct analysis_report *report)
{
    const int error = compare_loudness(track, rounds, report);
    if (error)
        return error;
    if (timed(analysis_peer_aubio, track, &report->aubio_ms) != 0)
        report->aubio_ms = (double)NAN;
    report->ffmpeg_ms = analysis_peer_ffmpeg(track);
    analysis_peer_python(track, &report->python);
    print_peer("aubio", report->aubio_ms);
    print_peer("ffmpeg-ebur128", report->ffmpeg_ms);
    print_peer("librosa", report->python.librosa);
    print_peer("librosa-hpss", report->python.librosa_hpss);
    print_peer("scipy-medians", report->python.medians);
    print_peer("essentia", report->python.essentia);
    return 0;
}

static int measure_stages(const struct analysis_track *track, unsigned rounds,
                          struct analysis_report *report)
{
    for (int s = 0; s < report->sets; ++s) {
        struct analysis_figures *f = &report->of[s];
        hold_to(f->set);
        const int error = analysis_stages_run(track, rounds, f->stages_ms);
        if (error)
            return error;
        for (int stage = 0; stage < analysis_stage_count(); ++stage)
            printf("stage name=%s set=%s cpu_ms=%.2f\n", analysis_stage_name(stage), f->set,
                   f->stages_ms[stage]);
    }
    return 0;
}

struct options {
    const char *path; // NULL: a track that is made
    unsigned rounds;  // 0: the options make no sense
    int skips_peers, is_table;
};

static int measure_track(const char *path, const struct options *options)
{
    struct analysis_track track;
    struct analysis_report report = {
        .ebur128_ms = (double)NAN,
        .aubio_ms = (double)NAN,
        .ffmpeg_ms = (double)NAN,
        .python = {(double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN}};
    int error = analysis_track_load(&track, path);
    if (error)
        return error;
    report.seconds = (double)track.frames / track.format.rate_hz;
    printf("track seconds=%.1f rate_hz=%u channels=%u\n", report.seconds, track.format.rate_hz,
           track.format.channels);
    list_sets(&report);
    analysis_kernels_run(options->rounds);
    error = measure_stages(&track, options->rounds, &report);
    if (!error)
        error = compare_with_decoding(&track, options->rounds, &report);
    if (!error && !options->skips_peers)
        error = compare_with_peers(&track, options->rounds, &report);
    analysis_track_unload(&track);
    if (!error && options->is_table)
        analysis_report_print(&report);
    return error;
}

static int measure_made_track(const struct options *options)
{
    char path[] = "/tmp/segue-bench-XXXXXX.flac";
    const int fd = mkstemps(path, 5);
    if (fd < 0)
        return -errno;
    close(fd);
    int error = analysis_track_make(path);
    if (!error)
        error = measure_track(path, options);
    unlink(path);
    return error;
}

static struct options read_options(int argc, char **argv)
{
    struct options options = {.rounds = ROUNDS};
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            options.rounds = (unsigned)bench_number(argv[++i], ROUNDS_MAX);
        else if (strcmp(argv[i], "--no-peers") == 0)
            options.skips_peers = 1;
        else if (strcmp(argv[i], "--markdown") == 0)
            options.is_table = 1;
        else if (!options.path && argv[i][0] != '-')
            options.path = argv[i];
        else
            options.rounds = 0;
    }
    return options;
}

int bench_analysis(int argc, char **argv)
{
    const struct options options = read_options(argc, argv);
    if (options.rounds == 0) {
        fprintf(stderr,
                "usage: segue-bench analysis [--rounds 1..%d] [--no-peers] [--markdown] [FILE]\n",
                ROUNDS_MAX);
        return 2;
    }
    const int error =
        options.path ? measure_track(options.path, &options) : measure_made_track(&options);
    if (error)
        fprintf(stderr, "segue-bench: %s: %s\n", options.path ? options.path : "made track",
                strerror(-error));
    return error ? 1 : 0;
}
