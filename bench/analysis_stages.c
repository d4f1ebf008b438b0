// SPDX-License-Identifier: MIT
#include "analysis_stages.h"
#include "bench.h"
#include "dsp/aligned.h"
#include "dsp/analyzer.h"
#include "dsp/cpu.h"
#include "dsp/downmix.h"
#include "dsp/level/decimator.h"
#include "dsp/level/intake.h"
#include "dsp/level/level_sums.h"
#include "dsp/level/loudness_meter.h"
#include "dsp/level/true_peak.h"
#include "dsp/rhythm/onset.h"
#include "dsp/rhythm/picker.h"
#include "dsp/rhythm/plain.h"
#include "dsp/rhythm/rhythm.h"
#include "dsp/spectrum/hpss.h"
#include "dsp/spectrum/low_spectrum.h"
#include "dsp/spectrum/native_spectrum.h"
#include "dsp/spectrum/yin.h"
#include "dsp/tonality/chroma.h"
#include "dsp/tonality/key.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FRAMES = ANALYZER_BLOCK_FRAMES, ROUNDS_MAX = 64, LOW_FRAMES_MAX = 16 };

enum stage {
    STAGE_INPUT,
    STAGE_LEVELS,
    STAGE_LOUDNESS,
    STAGE_TRUE_PEAK,
    STAGE_DECIMATION,
    STAGE_NATIVE_SPECTRUM,
    STAGE_LOW_SPECTRUM,
    STAGE_HPSS,
    STAGE_YIN,
    STAGE_CHROMA,
    STAGE_KEY,
    STAGE_ONSETS,
    STAGE_PICKER,
    STAGE_PLAIN,
    STAGE_TAIL,
    STAGE_COUNT
};
static_assert((int)STAGE_COUNT <= (int)ANALYSIS_STAGES_MAX, "callers have room for every stage");
static const char *const NAMES[STAGE_COUNT] = {
    "input",        "level-sums", "loudness",   "true-peak", "decimation", "native-spectrum",
    "low-spectrum", "hpss",       "yin",        "chroma",    "key",        "onsets",
    "picker",       "plain",      "rhythm-tail"};

// The analysis taken apart: every stage takes each block in turn, as it does within an analyzer, so that
// data is as warm in the caches as it is there.
struct rig {
    const struct analysis_track *track;
    int64_t spent_ns[STAGE_COUNT], last_ns, reading_ns;
    // --- the block under way
    uint32_t frames, low_count, low_frames;
    alignas(ALIGNED_BYTES) float block[PCM_MAX_CHANNELS * BLOCK_FRAMES], stereo[2 * BLOCK_FRAMES];
    alignas(ALIGNED_BYTES) float left[BLOCK_FRAMES], right[BLOCK_FRAMES], mono[BLOCK_FRAMES];
    alignas(ALIGNED_BYTES) float low[DECIMATOR_MAX_FRAMES + 1];
    alignas(ALIGNED_BYTES) float powers[LOW_FRAMES_MAX][LOW_SPECTRUM_BINS / 16 * 16 + 16];
    double mean_squares[LOW_FRAMES_MAX];
    // --- stages
    const struct intake_impl *intake;
    uint64_t low_samples;
    struct level_sums levels;
    struct loudness_meter *loudness;
    struct true_peak true_peaks[PCM_MAX_CHANNELS];
    struct decimator *decimator;
    struct native_spectrum *native;
    struct low_spectrum *low_spectrum;
    struct hpss *hpss;
    struct yin *yin;
    struct chroma *chroma;
    struct key_tracker *key;
    struct rhythm *rhythm;
    struct onset *onset; // what the rhythm keeps to itself, once more
};

// Charge a stage with the time since the last call, less what reading the clock takes.
static void charge(struct rig *rig, enum stage stage)
{
    const int64_t now_ns = bench_cpu_ns();
    rig->spent_ns[stage] += now_ns - rig->last_ns - rig->reading_ns;
    rig->last_ns = bench_cpu_ns();
}

static int64_t clock_reading_ns(void)
{
    enum { READINGS = 1000 };
    const int64_t start_ns = bench_cpu_ns();
    for (int i = 1; i < READINGS; ++i)
        bench_cpu_ns();
    return (bench_cpu_ns() - start_ns) / READINGS;
}

static int keep_frame(void *context, const struct low_frame *frame)
{
    struct rig *rig = context;
    assert(rig->low_frames < LOW_FRAMES_MAX);
    memcpy(rig->powers[rig->low_frames], frame->power, LOW_SPECTRUM_BINS * sizeof(float));
    rig->mean_squares[rig->low_frames++] = frame->mean_square;
    return 0;
}

static int create_stages(struct rig *rig)
{
    const struct pcm_format *format = &rig->track->format;
    const uint32_t halvings = decimator_stages_for(format->rate_hz);
    const double low_rate_hz = (double)format->rate_hz / (1U << halvings);
    rig->intake = intake_select(cpu_flags());
    level_sums_init(&rig->levels, format->rate_hz);
    for (uint32_t c = 0; c < format->channels; ++c)
        true_peak_init(&rig->true_peaks[c], format->rate_hz);
    int error = loudness_meter_create(&rig->loudness, format);
    if (!error)
        error = native_spectrum_create(&rig->native, format->rate_hz);
    if (!error)
        error = decimator_create(&rig->decimator, halvings);
    if (!error)
        error = low_spectrum_create(&rig->low_spectrum, keep_frame, rig);
    if (!error)
        error = hpss_create(&rig->hpss);
    if (!error)
        error = yin_create(&rig->yin, low_rate_hz);
    if (!error)
        error = chroma_create(&rig->chroma, low_rate_hz);
    if (!error)
        error = key_tracker_create(&rig->key, low_rate_hz);
    if (!error)
        error = rhythm_create(&rig->rhythm, low_rate_hz);
    if (!error)
        error = onset_create(&rig->onset, low_rate_hz);
    return error;
}

static void destroy_stages(struct rig *rig)
{
    loudness_meter_destroy(&rig->loudness);
    native_spectrum_destroy(&rig->native);
    decimator_destroy(&rig->decimator);
    low_spectrum_destroy(&rig->low_spectrum);
    hpss_destroy(&rig->hpss);
    yin_destroy(&rig->yin);
    chroma_destroy(&rig->chroma);
    key_tracker_destroy(&rig->key);
    rhythm_destroy(&rig->rhythm);
    onset_destroy(&rig->onset);
}

static void run_low_frames(struct rig *rig)
{
    charge(rig, STAGE_LOW_SPECTRUM);
    for (uint32_t t = 0; t < rig->low_frames; ++t)
        hpss_push(rig->hpss, rig->powers[t]);
    charge(rig, STAGE_HPSS);
    for (uint32_t t = 0; t < rig->low_frames; ++t)
        chroma_push(rig->chroma, rig->powers[t], rig->mean_squares[t]);
    charge(rig, STAGE_CHROMA);
    for (uint32_t t = 0; t < rig->low_frames; ++t)
        key_tracker_push(rig->key, rig->powers[t]);
    charge(rig, STAGE_KEY);
    for (uint32_t t = 0; t < rig->low_frames; ++t)
        rhythm_push(rig->rhythm, rig->powers[t]);
    charge(rig, STAGE_ONSETS);
    for (uint32_t t = 0; t < rig->low_frames; ++t)
        onset_push(rig->onset, rig->powers[t]);
    rig->last_ns = bench_cpu_ns(); // charged to no stage
    rig->low_frames = 0;
}

static int run_mono(struct rig *rig)
{
    rig->low_samples += rig->low_count;
    yin_feed(rig->yin, rig->low, rig->low_count);
    charge(rig, STAGE_YIN);
    const int error = low_spectrum_feed(rig->low_spectrum, rig->low, rig->low_count);
    if (!error)
        run_low_frames(rig);
    return error;
}

static void take_block(struct rig *rig, const float *samples)
{
    const uint32_t channels = rig->track->format.channels;
    rig->intake->clean(rig->block, samples, (size_t)rig->frames * channels);
    const float *stereo = rig->block;
    if (channels != 2) {
        downmix_to_stereo(rig->stereo, rig->block, rig->frames, channels);
        stereo = rig->stereo;
    }
    rig->intake->split(rig->left, rig->right, rig->mono, stereo, rig->frames);
    charge(rig, STAGE_INPUT);
}

static void find_peaks(struct rig *rig)
{
    const uint32_t channels = rig->track->format.channels;
    const float *const sides[2] = {rig->left, rig->right};
    for (uint32_t c = 0; c < channels; ++c)
        if (channels <= 2)
            true_peak_feed(&rig->true_peaks[c], sides[c], 1, rig->frames);
        else
            true_peak_feed(&rig->true_peaks[c], rig->block + c, channels, rig->frames);
}

static int run_block(struct rig *rig, const float *samples)
{
    take_block(rig, samples);
    level_sums_feed(&rig->levels, rig->left, rig->right, rig->frames);
    charge(rig, STAGE_LEVELS);
    int error = loudness_meter_feed(rig->loudness, rig->block, rig->frames);
    charge(rig, STAGE_LOUDNESS);
    native_spectrum_feed(rig->native, rig->left, rig->right, rig->frames);
    charge(rig, STAGE_NATIVE_SPECTRUM);
    find_peaks(rig);
    charge(rig, STAGE_TRUE_PEAK);
    rig->low_count = decimator_push(rig->decimator, rig->low, rig->mono, rig->frames);
    charge(rig, STAGE_DECIMATION);
    return error ? error : run_mono(rig);
}

// Everything of the rhythm's end, and once more two parts of it, which the rest is charged without.
static int finish_rhythm(struct rig *rig)
{
    const uint32_t rate_hz = rig->track->format.rate_hz;
    const double frame_rate_hz =
        (double)rate_hz / (1U << decimator_stages_for(rate_hz)) / RHYTHM_HOP;
    struct rhythm_result rhythm = {0};
    int error = rhythm_finish(rig->rhythm, rig->low_samples, &rhythm);
    rhythm_result_deinit(&rhythm);
    charge(rig, STAGE_TAIL);
    picker_pick(onset_strength(rig->onset), onset_frames(rig->onset), frame_rate_hz, NULL);
    charge(rig, STAGE_PICKER);
    double period_frames;
    if (!error)
        error = plain_find(rig->onset, frame_rate_hz, &period_frames);
    charge(rig, STAGE_PLAIN);
    rig->spent_ns[STAGE_TAIL] -= rig->spent_ns[STAGE_PICKER] + rig->spent_ns[STAGE_PLAIN];
    return error;
}

static int finish_mono(struct rig *rig)
{
    rig->low_count = decimator_finish(rig->decimator, rig->low);
    charge(rig, STAGE_DECIMATION);
    int error = run_mono(rig);
    if (!error)
        error = low_spectrum_finish(rig->low_spectrum);
    if (!error)
        run_low_frames(rig);
    hpss_finish(rig->hpss);
    charge(rig, STAGE_HPSS);
    yin_finish(rig->yin);
    charge(rig, STAGE_YIN);
    struct chroma_result chroma;
    chroma_finish(rig->chroma, &chroma);
    charge(rig, STAGE_CHROMA);
    struct key key;
    key_tracker_finish(rig->key, &key);
    charge(rig, STAGE_KEY);
    return error ? error : finish_rhythm(rig);
}

static int finish(struct rig *rig)
{
    struct level_result levels;
    level_sums_finish(&rig->levels, &levels);
    charge(rig, STAGE_LEVELS);
    const int error = loudness_list_range_lu(loudness_meter_list(rig->loudness)) < 0 ? -EIO : 0;
    charge(rig, STAGE_LOUDNESS);
    double bands[BAND_COUNT];
    struct spectral_shape shape;
    native_spectrum_finish(rig->native, bands, &shape);
    charge(rig, STAGE_NATIVE_SPECTRUM);
    return error ? error : finish_mono(rig);
}

static int run_once(struct rig *rig, const struct analysis_track *track, double ms[STAGE_COUNT])
{
    memset(rig, 0, sizeof *rig);
    rig->track = track;
    rig->reading_ns = clock_reading_ns();
    int error = create_stages(rig);
    rig->last_ns = bench_cpu_ns();
    for (uint64_t at = 0; at < track->frames && !error; at += BLOCK_FRAMES) {
        const uint64_t left = track->frames - at;
        rig->frames = left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES;
        error = run_block(rig, track->samples + at * track->format.channels);
    }
    if (!error)
        error = finish(rig);
    destroy_stages(rig);
    for (int s = 0; s < STAGE_COUNT; ++s)
        ms[s] = (double)rig->spent_ns[s] / 1e6;
    return error;
}

int analysis_stage_count(void)
{
    return STAGE_COUNT;
}

const char *analysis_stage_name(int stage)
{
    assert(stage >= 0 && stage < STAGE_COUNT);
    return NAMES[stage];
}

int analysis_stage_hpss(void)
{
    return STAGE_HPSS;
}

int analysis_stages_run(const struct analysis_track *track, unsigned rounds,
                        double ms[ANALYSIS_STAGES_MAX])
{
    static struct rig rig;
    double rounds_ms[STAGE_COUNT][ROUNDS_MAX];
    assert(rounds > 0 && rounds <= ROUNDS_MAX);
    for (unsigned r = 0; r < rounds; ++r) {
        double round_ms[STAGE_COUNT];
        const int error = run_once(&rig, track, round_ms);
        if (error)
            return error;
        for (int s = 0; s < STAGE_COUNT; ++s)
            rounds_ms[s][r] = round_ms[s];
    }
    for (int s = 0; s < STAGE_COUNT; ++s)
        ms[s] = bench_median(rounds_ms[s], rounds);
    return 0;
}
