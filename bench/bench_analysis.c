// SPDX-License-Identifier: MIT
// How dear the analysis is: by stage, against decoding the same file, and against its peers.
#include "analysis_kernels.h"
#include "analysis_peers.h"
#include "analysis_stages.h"
#include "analysis_track.h"
#include "bench.h"
#include "dsp/analyzer.h"
#include "dsp/loudness_meter.h"
#include "dsp/true_peak.h"
#include <errno.h>
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
    const double decode_median_ms = bench_median(decode_ms, rounds); // sorts: the least is first
    printf("whole name=decode cpu_ms=%.2f least_ms=%.2f\n", decode_median_ms, decode_ms[0]);
    printf("whole name=analysis cpu_ms=%.2f least_ms=%.2f\n", *analysis_ms, analyze_ms[0]);
    printf("ratio name=analysis/decode value=%.2f (median of %u pairs)\n",
           bench_median(ratios, rounds), rounds);
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
    double range_lu = 0;
    if (!error)
        error = loudness_meter_range_lu(meter, &range_lu);
    for (uint32_t c = 0; c < channels; ++c)
        if (true_peak_finish(&peaks[c]) < 0)
            error = -EIO;
    if (!error && loudness_meter_integrated_lufs(meter) < -70)
        error = -EIO;
    loudness_meter_destroy(&meter);
    return error;
}

// Ours and libebur128's in turn. A missing peer is no error.
static int compare_loudness(const struct analysis_track *track, unsigned rounds)
{
    double ours_ms[ROUNDS_MAX], peer_ms[ROUNDS_MAX], ratios[ROUNDS_MAX];
    for (unsigned r = 0; r < rounds; ++r) {
        int error = timed(measure_loudness, track, &ours_ms[r]);
        if (!error)
            error = timed(analysis_peer_ebur128, track, &peer_ms[r]);
        if (error == -ENOSYS)
            printf("peer name=libebur128 absent\n");
        if (error)
            return error == -ENOSYS ? 0 : error;
        ratios[r] = peer_ms[r] / ours_ms[r];
    }
    printf("whole name=loudness-range-true-peak cpu_ms=%.2f\n", bench_median(ours_ms, rounds));
    printf("peer name=libebur128 cpu_ms=%.2f\n", bench_median(peer_ms, rounds));
    printf("ratio name=libebur128/ours value=%.1f (median of %u pairs)\n",
           bench_median(ratios, rounds), rounds);
    return 0;
}

static int compare_with_peers(const struct analysis_track *track, unsigned rounds,
                              double analysis_ms, double hpss_ms)
{
    const int error = compare_loudness(track, rounds);
    if (error)
        return error;
    double aubio_ms;
    if (timed(analysis_peer_aubio, track, &aubio_ms) == 0) {
        printf("peer name=aubio cpu_ms=%.2f\n", aubio_ms);
        printf("ratio name=aubio/analysis value=%.1f\n", aubio_ms / analysis_ms);
    } else {
        printf("peer name=aubio absent\n");
    }
    struct librosa_times librosa;
    if (analysis_peer_librosa(track, &librosa)) {
        printf("peer name=librosa absent\n");
        return 0;
    }
    printf("peer name=librosa cpu_ms=%.0f\n", librosa.set);
    printf("peer name=librosa-hpss cpu_ms=%.0f\n", librosa.hpss);
    printf("peer name=scipy-medians cpu_ms=%.0f\n", librosa.medians);
    printf("ratio name=librosa/analysis value=%.0f\n", librosa.set / analysis_ms);
    printf("ratio name=librosa-hpss/ours value=%.0f\n", librosa.hpss / hpss_ms);
    printf("ratio name=scipy-medians/our-hpss value=%.0f\n", librosa.medians / hpss_ms);
    return 0;
}

enum peers { WITH_PEERS, WITHOUT_PEERS };

static int measure_track(const char *path, unsigned rounds, enum peers peers)
{
    struct analysis_track track;
    int error = analysis_track_load(&track, path);
    if (error)
        return error;
    const double seconds = (double)track.frames / track.format.rate_hz;
    printf("track seconds=%.1f rate_hz=%u channels=%u\n", seconds, track.format.rate_hz,
           track.format.channels);
    double analysis_ms = 0, hpss_ms = 0;
    analysis_kernels_run(rounds);
    error = analysis_stages_run(&track, rounds, &hpss_ms);
    if (!error)
        error = compare_with_decoding(&track, rounds, &analysis_ms);
    if (!error)
        printf("speed name=analysis times_real_time=%.0f\n", seconds * 1000 / analysis_ms);
    if (!error && peers == WITH_PEERS)
        error = compare_with_peers(&track, rounds, analysis_ms, hpss_ms);
    analysis_track_unload(&track);
    return error;
}

static int measure_made_track(unsigned rounds, enum peers peers)
{
    char path[] = "/tmp/segue-bench-XXXXXX.flac";
    const int fd = mkstemps(path, 5);
    if (fd < 0)
        return -1;
    close(fd);
    int error = analysis_track_make(path);
    if (!error)
        error = measure_track(path, rounds, peers);
    unlink(path);
    return error;
}

int bench_analysis(int argc, char **argv)
{
    const char *path = NULL;
    unsigned rounds = ROUNDS;
    enum peers peers = WITH_PEERS;
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (unsigned)bench_number(argv[++i], ROUNDS_MAX);
        else if (strcmp(argv[i], "--no-peers") == 0)
            peers = WITHOUT_PEERS;
        else if (!path && argv[i][0] != '-')
            path = argv[i];
        else
            rounds = 0;
    }
    if (rounds == 0) {
        fprintf(stderr, "usage: segue-bench analysis [--rounds 1..%d] [--no-peers] [FILE]\n",
                ROUNDS_MAX);
        return 2;
    }
    const int error = path ? measure_track(path, rounds, peers) : measure_made_track(rounds, peers);
    if (error)
        fprintf(stderr, "segue-bench: %s: %s\n", path ? path : "made track", strerror(-error));
    return error ? 1 : 0;
}
