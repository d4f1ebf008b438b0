// SPDX-License-Identifier: MIT
#include "analysis_stages.h"
#include "bench.h"
#include "dsp/chroma.h"
#include "dsp/decimator.h"
#include "dsp/downmix.h"
#include "dsp/hpss.h"
#include "dsp/key.h"
#include "dsp/level_sums.h"
#include "dsp/loudness_meter.h"
#include "dsp/low_spectrum.h"
#include "dsp/native_spectrum.h"
#include "dsp/rhythm.h"
#include "dsp/true_peak.h"
#include "dsp/yin.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FRAMES = DECIMATOR_MAX_FRAMES, ROUNDS_MAX = 64 };

// What the stages take in, made before any clock runs.
struct inputs {
    const struct analysis_track *track;
    float *left, *right, *mono, *low;
    uint32_t low_samples;
    double low_rate_hz;
    float *powers; // low_frames rows of LOW_SPECTRUM_BINS
    double *mean_squares;
    uint32_t low_frames;
    int64_t inner_ns; // what a stage measured of itself; 0: the whole call counts
};

static uint32_t block_at(const struct inputs *in, uint64_t at)
{
    const uint64_t left = in->track->frames - at;
    return left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
}

static int run_levels(struct inputs *in)
{
    struct level_sums sums;
    struct level_result result;
    level_sums_init(&sums, in->track->format.rate_hz);
    for (uint64_t at = 0; at < in->track->frames; at += BLOCK_FRAMES)
        level_sums_feed(&sums, in->left + at, in->right + at, block_at(in, at));
    level_sums_finish(&sums, &result);
    return 0;
}

static int run_loudness(struct inputs *in)
{
    struct loudness_meter *meter;
    int error = loudness_meter_create(&meter, &in->track->format);
    const uint32_t channels = in->track->format.channels;
    for (uint64_t at = 0; !error && at < in->track->frames; at += BLOCK_FRAMES)
        error = loudness_meter_feed(meter, in->track->samples + at * channels, block_at(in, at));
    double range_lu;
    if (!error)
        error = loudness_meter_range_lu(meter, &range_lu);
    loudness_meter_destroy(&meter);
    return error;
}

static int run_true_peak(struct inputs *in)
{
    const uint32_t channels = in->track->format.channels;
    struct true_peak meters[PCM_MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; ++c)
        true_peak_init(&meters[c], in->track->format.rate_hz);
    for (uint64_t at = 0; at < in->track->frames; at += BLOCK_FRAMES)
        for (uint32_t c = 0; c < channels; ++c)
            true_peak_feed(&meters[c], in->track->samples + at * channels + c, channels,
                           block_at(in, at));
    for (uint32_t c = 0; c < channels; ++c)
        if (true_peak_finish(&meters[c]) < 0)
            return -EIO;
    return 0;
}

static int run_decimator(struct inputs *in)
{
    struct decimator *decimator;
    const int error = decimator_create(&decimator, decimator_stages_for(in->track->format.rate_hz));
    if (error)
        return error;
    in->low_samples = 0;
    for (uint64_t at = 0; at < in->track->frames; at += BLOCK_FRAMES)
        in->low_samples +=
            decimator_push(decimator, in->low + in->low_samples, in->mono + at, block_at(in, at));
    in->low_samples += decimator_finish(decimator, in->low + in->low_samples);
    decimator_destroy(&decimator);
    return 0;
}

static int run_native_spectrum(struct inputs *in)
{
    struct native_spectrum *spectrum;
    int error = native_spectrum_create(&spectrum, in->track->format.rate_hz);
    for (uint64_t at = 0; !error && at < in->track->frames; at += BLOCK_FRAMES)
        error = native_spectrum_feed(spectrum, in->left + at, in->right + at, block_at(in, at));
    double bands[BAND_COUNT];
    struct spectral_shape shape;
    if (!error)
        error = native_spectrum_finish(spectrum, bands, &shape);
    native_spectrum_destroy(&spectrum);
    return error;
}

static int drop_frame(void *context, const struct low_frame *frame)
{
    (void)context;
    return frame->mean_square < 0 ? -EIO : 0;
}

static int keep_frame(void *context, const struct low_frame *frame)
{
    struct inputs *in = context;
    memcpy(in->powers + (size_t)in->low_frames * LOW_SPECTRUM_BINS, frame->power,
           LOW_SPECTRUM_BINS * sizeof(float));
    in->mean_squares[in->low_frames++] = frame->mean_square;
    return 0;
}

static int feed_low_spectrum(struct inputs *in, low_frame_fn on_frame)
{
    struct low_spectrum *spectrum;
    int error = low_spectrum_create(&spectrum, on_frame, in);
    for (uint32_t at = 0; !error && at < in->low_samples; at += BLOCK_FRAMES / 2) {
        const uint32_t left = in->low_samples - at;
        error = low_spectrum_feed(spectrum, in->low + at,
                                  left < BLOCK_FRAMES / 2 ? left : BLOCK_FRAMES / 2);
    }
    if (!error)
        error = low_spectrum_finish(spectrum);
    low_spectrum_destroy(&spectrum);
    return error;
}

static int run_low_spectrum(struct inputs *in)
{
    return feed_low_spectrum(in, drop_frame);
}

static const float *power_of(const struct inputs *in, uint32_t frame)
{
    return in->powers + (size_t)frame * LOW_SPECTRUM_BINS;
}

static int run_hpss(struct inputs *in)
{
    struct hpss *hpss;
    const int error = hpss_create(&hpss);
    if (error)
        return error;
    for (uint32_t t = 0; t < in->low_frames; ++t)
        hpss_push(hpss, power_of(in, t));
    const double ratio = hpss_finish(hpss);
    hpss_destroy(&hpss);
    return ratio < 0 ? -EIO : 0;
}

static int run_yin(struct inputs *in)
{
    struct yin *yin;
    const int error = yin_create(&yin, in->low_rate_hz);
    if (error)
        return error;
    yin_feed(yin, in->low, in->low_samples);
    const double stability = yin_finish(yin);
    yin_destroy(&yin);
    return stability < 0 ? -EIO : 0;
}

static int run_chroma(struct inputs *in)
{
    struct chroma *chroma;
    const int error = chroma_create(&chroma, in->low_rate_hz);
    if (error)
        return error;
    struct chroma_result result;
    for (uint32_t t = 0; t < in->low_frames; ++t)
        chroma_push(chroma, power_of(in, t), in->mean_squares[t]);
    chroma_finish(chroma, &result);
    chroma_destroy(&chroma);
    return 0;
}

static int run_key(struct inputs *in)
{
    struct key_tracker *tracker;
    const int error = key_tracker_create(&tracker, in->low_rate_hz);
    if (error)
        return error;
    struct key key;
    for (uint32_t t = 0; t < in->low_frames; ++t)
        key_tracker_push(tracker, power_of(in, t));
    key_tracker_finish(tracker, &key);
    key_tracker_destroy(&tracker);
    return 0;
}

enum rhythm_part { ONSETS, TAIL };

static int measure_rhythm(struct inputs *in, enum rhythm_part part)
{
    struct rhythm *rhythm;
    const int64_t start_ns = bench_cpu_ns();
    int error = rhythm_create(&rhythm, in->low_rate_hz);
    for (uint32_t t = 0; !error && t < in->low_frames; ++t)
        error = rhythm_push(rhythm, power_of(in, t));
    const int64_t pushed_ns = bench_cpu_ns();
    struct rhythm_result result = {0};
    if (!error)
        error = rhythm_finish(rhythm, in->low_samples, &result);
    in->inner_ns = part == ONSETS ? pushed_ns - start_ns : bench_cpu_ns() - pushed_ns;
    rhythm_result_deinit(&result);
    rhythm_destroy(&rhythm);
    return error;
}

static int run_onsets(struct inputs *in)
{
    return measure_rhythm(in, ONSETS);
}

static int run_tail(struct inputs *in)
{
    return measure_rhythm(in, TAIL);
}

static void inputs_deinit(struct inputs *in)
{
    free(in->left);
    free(in->right);
    free(in->mono);
    free(in->low);
    free(in->powers);
    free(in->mean_squares);
}

static int split_sides(struct inputs *in)
{
    const uint64_t frames = in->track->frames;
    float *stereo = malloc(frames * 2 * sizeof *stereo);
    if (!stereo)
        return -ENOMEM;
    downmix_to_stereo(stereo, in->track->samples, (uint32_t)frames, in->track->format.channels);
    for (uint64_t i = 0; i < frames; ++i) {
        in->left[i] = stereo[2 * i];
        in->right[i] = stereo[2 * i + 1];
        in->mono[i] = 0.5F * (in->left[i] + in->right[i]);
    }
    free(stereo);
    return 0;
}

static int inputs_init(struct inputs *in, const struct analysis_track *track)
{
    const size_t samples = track->frames + 2 * BLOCK_FRAMES;
    const size_t low_frames = samples / LOW_SPECTRUM_HOP + 2;
    const uint32_t stages = decimator_stages_for(track->format.rate_hz);
    *in = (struct inputs){
        .track = track,
        .left = malloc(samples * sizeof(float)),
        .right = malloc(samples * sizeof(float)),
        .mono = malloc(samples * sizeof(float)),
        .low = malloc(samples * sizeof(float)),
        .low_rate_hz = (double)track->format.rate_hz / (1U << stages),
        .powers = malloc(low_frames * LOW_SPECTRUM_BINS * sizeof(float)),
        .mean_squares = malloc(low_frames * sizeof(double)),
    };
    int error = -ENOMEM;
    if (in->left && in->right && in->mono && in->low && in->powers && in->mean_squares)
        error = split_sides(in);
    if (!error)
        error = run_decimator(in);
    if (!error)
        error = feed_low_spectrum(in, keep_frame);
    if (error)
        inputs_deinit(in);
    return error;
}

static const struct {
    const char *name;
    int (*run)(struct inputs *in);
} STAGES[] = {
    {"level-sums", run_levels},
    {"loudness", run_loudness},
    {"true-peak", run_true_peak},
    {"decimation", run_decimator},
    {"native-spectrum", run_native_spectrum},
    {"low-spectrum", run_low_spectrum},
    {"hpss", run_hpss},
    {"yin", run_yin},
    {"chroma", run_chroma},
    {"key", run_key},
    {"onsets", run_onsets},
    {"rhythm-tail", run_tail},
};
enum { STAGE_COUNT = sizeof STAGES / sizeof STAGES[0] };

static int measure(struct inputs *in, size_t stage, double *out_ms)
{
    in->inner_ns = 0;
    const int64_t start_ns = bench_cpu_ns();
    const int error = STAGES[stage].run(in);
    const int64_t spent_ns = bench_cpu_ns() - start_ns;
    *out_ms = (double)(in->inner_ns ? in->inner_ns : spent_ns) / 1e6;
    return error;
}

int analysis_stages_run(const struct analysis_track *track, unsigned rounds)
{
    struct inputs in;
    int error = inputs_init(&in, track);
    if (error)
        return error;
    double ms[STAGE_COUNT][ROUNDS_MAX], sum_ms = 0;
    rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
    // Stages in turn, so that a busy spell of the machine does not fall on one of them alone.
    for (unsigned r = 0; r < rounds; ++r)
        for (size_t s = 0; s < STAGE_COUNT && !error; ++s)
            error = measure(&in, s, &ms[s][r]);
    for (size_t s = 0; s < STAGE_COUNT && !error; ++s) {
        const double median_ms = bench_median(ms[s], rounds);
        sum_ms += median_ms;
        printf("stage name=%s cpu_ms=%.2f\n", STAGES[s].name, median_ms);
    }
    if (!error)
        printf("stage name=sum cpu_ms=%.2f\n", sum_ms);
    inputs_deinit(&in);
    return error;
}
