// SPDX-License-Identifier: MIT
#include "dsp/analyzer.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/denormals.h"
#include "dsp/downmix.h"
#include "dsp/level/decimator.h"
#include "dsp/level/intake.h"
#include "dsp/level/level_sums.h"
#include "dsp/level/loudness_meter.h"
#include "dsp/level/true_peak.h"
#include "dsp/profile.h"
#include "dsp/rhythm/rhythm.h"
#include "dsp/spectrum/hpss.h"
#include "dsp/spectrum/low_spectrum.h"
#include "dsp/spectrum/native_spectrum.h"
#include "dsp/spectrum/yin.h"
#include "dsp/tonality/chroma.h"
#include "dsp/tonality/key.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Every stage sees the track in blocks of this many frames, counted from its start, however it was
// fed: that makes the result independent of the caller's blocks to the last bit.
enum { BLOCK_FRAMES = ANALYZER_BLOCK_FRAMES };
static_assert((int)BLOCK_FRAMES <= (int)DECIMATOR_MAX_FRAMES,
              "the decimator takes a block at once");
// Under this a beat at 240 BPM is less than four frames long, so no pulse is looked for.
static const double LOWEST_RHYTHM_RATE_HZ = 8000.0;

struct analyzer {
    // --- immutable after create
    struct analyzer_config config;
    double mono_rate_hz;
    uint32_t lfe; // the channel that no peak hears; as many as there are channels: none
    const struct intake_impl *intake;
    // --- the block under way
    uint32_t fill;
    float block_peak; // of all channels
    float *block;     // of all channels, interleaved
    alignas(ALIGNED_BYTES) float stereo[2 * BLOCK_FRAMES];
    alignas(ALIGNED_BYTES) float left[BLOCK_FRAMES], right[BLOCK_FRAMES], mono[BLOCK_FRAMES];
    alignas(ALIGNED_BYTES) float low[DECIMATOR_MAX_FRAMES + 1];
    // --- what the blocks so far come to
    uint64_t frames, mono_samples;
    uint64_t first_sound, last_sound; // frames that are not digital silence; equal to frames: none
    uint32_t replaced;
    int has_sound;
    float sample_peak; // without the LFE
    // --- stages at the native rate
    struct level_sums levels;
    struct loudness_meter *loudness;
    struct native_spectrum *spectrum;
    struct true_peak true_peaks[PCM_MAX_CHANNELS];
    // --- stages of the decimated mono signal; NULL for ANALYZER_TONAL
    struct decimator *decimator;
    struct low_spectrum *low_spectrum;
    struct hpss *hpss;
    struct yin *yin;
    struct chroma *chroma;
    struct key_tracker *key;
    struct rhythm *rhythm; // NULL for very low rates too
};

static int push_low_frame(void *context, const struct low_frame *frame)
{
    struct analyzer *a = context;
    hpss_push(a->hpss, frame->power);
    chroma_push(a->chroma, frame->power, frame->mean_square);
    key_tracker_push(a->key, frame->power);
    if (a->rhythm)
        rhythm_push(a->rhythm, frame->power);
    return 0;
}

static int create_mono_stages(struct analyzer *a)
{
    const uint32_t rate_hz = a->config.format.rate_hz;
    const uint32_t stages = decimator_stages_for(rate_hz);
    a->mono_rate_hz = (double)rate_hz / (double)(1U << stages);
    int error = decimator_create(&a->decimator, stages);
    if (!error)
        error = low_spectrum_create(&a->low_spectrum, push_low_frame, a);
    if (!error)
        error = hpss_create(&a->hpss);
    if (!error)
        error = yin_create(&a->yin, a->mono_rate_hz);
    if (!error)
        error = chroma_create(&a->chroma, a->mono_rate_hz);
    if (!error)
        error = key_tracker_create(&a->key, a->mono_rate_hz);
    if (!error && a->mono_rate_hz >= LOWEST_RHYTHM_RATE_HZ)
        error = rhythm_create(&a->rhythm, a->mono_rate_hz);
    return error;
}

static int create_stages(struct analyzer *a)
{
    const struct pcm_format *format = &a->config.format;
    level_sums_init(&a->levels, format->rate_hz);
    for (uint32_t c = 0; c < format->channels; ++c)
        true_peak_init(&a->true_peaks[c], format->rate_hz);
    int error = loudness_meter_create(&a->loudness, format);
    if (!error)
        error = native_spectrum_create(&a->spectrum, format->rate_hz);
    if (error || a->config.depth != ANALYZER_FULL)
        return error;
    error = loudness_meter_reserve(a->loudness);
    return error ? error : create_mono_stages(a);
}

int analyzer_create(struct analyzer **out, const struct analyzer_config *config)
{
    *out = NULL;
    const struct pcm_format *format = &config->format;
    if (format->channels < 1 || format->channels > PCM_MAX_CHANNELS ||
        format->rate_hz < PCM_MIN_RATE_HZ || format->rate_hz > PCM_MAX_RATE_HZ)
        return -EINVAL;
    struct analyzer *a = aligned_zeroed(sizeof *a);
    if (!a)
        return -ENOMEM;
    a->config = *config;
    a->lfe = downmix_lfe(format->channels);
    a->intake = intake_select(cpu_flags());
    a->block = aligned_zeroed((size_t)BLOCK_FRAMES * format->channels * sizeof *a->block);
    const int error = a->block ? create_stages(a) : -ENOMEM;
    if (error) {
        analyzer_destroy(&a);
        return error;
    }
    *out = a;
    return 0;
}

void analyzer_destroy(struct analyzer **analyzer)
{
    struct analyzer *a = *analyzer;
    if (!a)
        return;
    loudness_meter_destroy(&a->loudness);
    native_spectrum_destroy(&a->spectrum);
    decimator_destroy(&a->decimator);
    low_spectrum_destroy(&a->low_spectrum);
    hpss_destroy(&a->hpss);
    yin_destroy(&a->yin);
    chroma_destroy(&a->chroma);
    key_tracker_destroy(&a->key);
    rhythm_destroy(&a->rhythm);
    free(a->block);
    free(a);
    *analyzer = NULL;
}

// Largest magnitude of the block, the LFE left out.
static float block_peak(const struct analyzer *a, uint32_t frames)
{
    const uint32_t channels = a->config.format.channels;
    if (a->lfe == channels)
        return a->block_peak;
    float peak = 0;
    for (uint32_t i = 0; i < frames * channels; ++i) {
        const float magnitude = i % channels == a->lfe ? 0.0F : fabsf(a->block[i]);
        peak = peak > magnitude ? peak : magnitude;
    }
    return peak;
}

// First and last frame of the block with sound in any channel, and the largest sample.
static void note_sound(struct analyzer *a, uint32_t frames)
{
    const uint32_t channels = a->config.format.channels, samples = frames * channels;
    if (a->block_peak <= 0)
        return;
    uint32_t i = 0;
    if (!a->has_sound) {
        while (fabsf(a->block[i]) <= 0)
            ++i;
        a->first_sound = a->frames + i / channels;
        a->has_sound = 1;
    }
    for (i = samples - 1; fabsf(a->block[i]) <= 0;)
        --i;
    a->last_sound = a->frames + i / channels;
    const float peak = block_peak(a, frames);
    a->sample_peak = a->sample_peak > peak ? a->sample_peak : peak;
}

static int feed_mono(struct analyzer *a, const float *mono, uint32_t count)
{
    a->mono_samples += count;
    yin_feed(a->yin, mono, count);
    return low_spectrum_feed(a->low_spectrum, mono, count);
}

static void split_sides(struct analyzer *a, uint32_t frames)
{
    const float *stereo = a->block;
    if (a->config.format.channels != 2) {
        downmix_to_stereo(a->stereo, a->block, frames, a->config.format.channels);
        stereo = a->stereo;
    }
    a->intake->split(a->left, a->right, a->mono, stereo, frames);
}

static int analyze_block(struct analyzer *a)
{
    const uint32_t channels = a->config.format.channels, frames = a->fill;
    note_sound(a, frames);
    split_sides(a, frames);
    a->fill = 0;
    a->block_peak = 0;
    a->frames += frames;
    level_sums_feed(&a->levels, a->left, a->right, frames);
    const int error = loudness_meter_feed(a->loudness, a->block, frames);
    native_spectrum_feed(a->spectrum, a->left, a->right, frames);
    if (error || a->config.depth != ANALYZER_FULL)
        return error;
    const float *const sides[2] = {a->left, a->right};
    for (uint32_t c = 0; c < channels; ++c)
        if (channels <= 2)
            true_peak_feed(&a->true_peaks[c], sides[c], 1, frames);
        else if (c != a->lfe)
            true_peak_feed(&a->true_peaks[c], a->block + c, channels, frames);
    return feed_mono(a, a->low, decimator_push(a->decimator, a->low, a->mono, frames));
}

static int take(struct analyzer *a, const float *interleaved, uint32_t frames)
{
    const uint32_t channels = a->config.format.channels;
    while (frames > 0) {
        const uint32_t room = BLOCK_FRAMES - a->fill, part = room < frames ? room : frames;
        const struct intake intake = a->intake->clean(a->block + (size_t)a->fill * channels,
                                                      interleaved, (size_t)part * channels);
        a->replaced |= intake.has_odd;
        a->block_peak = intake.peak > a->block_peak ? intake.peak : a->block_peak;
        a->fill += part;
        interleaved += (size_t)part * channels;
        frames -= part;
        const int error = a->fill == BLOCK_FRAMES ? analyze_block(a) : 0;
        if (error)
            return error;
    }
    return 0;
}

int analyzer_feed(struct analyzer *a, const float *interleaved, uint32_t frames)
{
    const uint64_t saved = denormals_flush();
    const int error = take(a, interleaved, frames);
    denormals_restore(saved);
    return error;
}

static int guess(const struct analyzer *a, struct analysis_so_far *out)
{
    struct rhythm_result rhythm = {.tempo = {.first_beat_s = (double)NAN}};
    const int error = a->rhythm ? rhythm_finish(a->rhythm, a->mono_samples, &rhythm) : 0;
    rhythm_result_deinit(&rhythm);
    if (error)
        return error;
    *out = (struct analysis_so_far){
        .heard_s = (double)a->frames / a->config.format.rate_hz,
        .integrated_lufs = loudness_meter_integrated_lufs(a->loudness),
        .tempo = rhythm.tempo,
        .key = {.tonic = -1, .mode = KEY_MODE_UNKNOWN},
    };
    if (a->key)
        key_tracker_finish(a->key, &out->key);
    return 0;
}

int analyzer_so_far(const struct analyzer *a, struct analysis_so_far *out)
{
    const uint64_t saved = denormals_flush();
    const int error = guess(a, out);
    denormals_restore(saved);
    return error;
}

static double decibels(double linear)
{
    return linear > 0 ? 20.0 * log10(linear) : (double)NAN;
}

// Everything at its value for silence; what is measured replaces it.
static void fill_silence(struct analysis *out)
{
    out->fingerprint[FINGERPRINT_SILENCE_RATIO] = 1.0;
    out->fingerprint[FINGERPRINT_CHROMA_ENERGY] = 1.0 / PITCH_CLASS_COUNT;
    out->fingerprint[FINGERPRINT_PEAK_CONSISTENCY] = 1.0;
    out->fingerprint[FINGERPRINT_PHASE_CORRELATION] = 1.0;
    out->loudness.true_peak_dbtp = (double)NAN;
    out->tempo.first_beat_s = (double)NAN;
    out->key.tonic = -1;
    out->key.mode = KEY_MODE_UNKNOWN;
    for (int p = 0; p < PITCH_CLASS_COUNT; ++p)
        out->key.chroma[p] = 1.0 / PITCH_CLASS_COUNT;
    out->genre.label = GENRE_UNKNOWN;
}

static void fill_track(const struct analyzer *a, struct analysis *out)
{
    const double rate_hz = a->config.format.rate_hz;
    out->sample_rate_hz = a->config.format.rate_hz;
    out->channels = a->config.format.channels;
    out->replaced_samples_reported = a->replaced;
    out->frames = a->frames;
    out->duration_s = (double)a->frames / rate_hz;
    const uint64_t head = a->has_sound ? a->first_sound : a->frames;
    const uint64_t tail = a->has_sound ? a->frames - 1 - a->last_sound : a->frames;
    out->silence_head_s = (double)head / rate_hz;
    out->silence_tail_s = (double)tail / rate_hz;
}

static void fill_loudness(struct analyzer *a, struct analysis *out)
{
    struct loudness *loudness = &out->loudness;
    loudness->integrated_lufs = loudness_meter_integrated_lufs(a->loudness);
    loudness->sample_peak_dbfs = decibels((double)a->sample_peak);
    loudness->momentary_max_lufs = loudness_meter_momentary_max_lufs(a->loudness);
    loudness->short_term_max_lufs = loudness_meter_short_term_max_lufs(a->loudness);
    loudness->range_lu = loudness_list_range_lu(loudness_meter_list(a->loudness));
    out->fingerprint[FINGERPRINT_LUFS] = loudness->integrated_lufs;
}

// Decibels of E[60,250) over E[250,2000), held within 60.
static double bass_mid_ratio(const double bands[BAND_COUNT])
{
    const double bass = bands[1], middle = bands[2] + bands[3];
    if (bass <= 0 || middle <= 0)
        return bass > 0 ? 60.0 : middle > 0 ? -60.0 : 0.0;
    return fmin(60.0, fmax(-60.0, 10.0 * log10(bass / middle)));
}

static void fill_spectrum(struct analyzer *a, struct analysis *out)
{
    double bands[BAND_COUNT], total = 0;
    struct spectral_shape shape;
    native_spectrum_finish(a->spectrum, bands, &shape);
    for (uint32_t b = 0; b < BAND_COUNT; ++b)
        total += bands[b];
    double *f = out->fingerprint;
    for (uint32_t b = 0; b < BAND_COUNT; ++b)
        f[FINGERPRINT_SUB_BASS_PCT + b] = total > 0 ? bands[b] / total : 0.0;
    f[FINGERPRINT_BASS_MID_RATIO] = bass_mid_ratio(bands);
    f[FINGERPRINT_SPECTRAL_CENTROID] = fmin(1.0, shape.centroid_hz / 8000.0);
    if (a->config.depth == ANALYZER_FULL) {
        f[FINGERPRINT_SPECTRAL_ROLLOFF] = fmin(1.0, shape.rolloff_hz / 10000.0);
        f[FINGERPRINT_SPECTRAL_FLATNESS] = shape.flatness;
    }
}

static void fill_levels(struct analyzer *a, struct analysis *out)
{
    struct level_result levels;
    level_sums_finish(&a->levels, &levels);
    double *f = out->fingerprint;
    f[FINGERPRINT_CREST_DB] = levels.crest_db;
    f[FINGERPRINT_LOUDNESS_VARIATION_STD] =
        loudness_list_variation_lu(loudness_meter_list(a->loudness));
    f[FINGERPRINT_STEREO_WIDTH] = levels.stereo_width;
    f[FINGERPRINT_PHASE_CORRELATION] = levels.phase_correlation;
    if (a->config.depth != ANALYZER_FULL)
        return;
    f[FINGERPRINT_DYNAMIC_RANGE_VARIATION] = levels.dynamic_range_variation;
    f[FINGERPRINT_PEAK_CONSISTENCY] = levels.peak_consistency;
    float peak = 0;
    for (uint32_t c = 0; c < a->config.format.channels; ++c)
        peak = fmaxf(peak, true_peak_finish(&a->true_peaks[c])); // 0 for the LFE
    out->loudness.true_peak_dbtp = decibels((double)peak);
}

static void fill_mono(struct analyzer *a, struct analysis *out)
{
    double *f = out->fingerprint;
    struct chroma_result chroma;
    chroma_finish(a->chroma, &chroma);
    key_tracker_finish(a->key, &out->key);
    memcpy(out->key.chroma, chroma.mean_chroma, sizeof out->key.chroma);
    f[FINGERPRINT_SILENCE_RATIO] = chroma.silence_ratio;
    f[FINGERPRINT_CHROMA_ENERGY] = chroma.concentration;
    f[FINGERPRINT_HARMONIC_RATIO] = hpss_finish(a->hpss);
    f[FINGERPRINT_PITCH_STABILITY] = yin_finish(a->yin);
}

// Flush the block under way and, for a full analysis, the mono stages.
static int flush(struct analyzer *a)
{
    int error = analyze_block(a);
    if (error || a->config.depth != ANALYZER_FULL)
        return error;
    error = feed_mono(a, a->low, decimator_finish(a->decimator, a->low));
    return error ? error : low_spectrum_finish(a->low_spectrum);
}

// Read every stage but the rhythm and the loudness list.
static void read_stages(struct analyzer *a, struct analysis *out)
{
    fill_silence(out);
    fill_track(a, out);
    fill_loudness(a, out);
    fill_spectrum(a, out);
    fill_levels(a, out);
    if (a->config.depth == ANALYZER_FULL)
        fill_mono(a, out);
}

// Stages that were read leave their memory to the search for beats and to the lists.
static void drop_read_stages(struct analyzer *a)
{
    native_spectrum_destroy(&a->spectrum);
    decimator_destroy(&a->decimator);
    low_spectrum_destroy(&a->low_spectrum);
    hpss_destroy(&a->hpss);
    yin_destroy(&a->yin);
    chroma_destroy(&a->chroma);
    key_tracker_destroy(&a->key);
}

static int read_rhythm(struct analyzer *a, struct analysis *out, struct rhythm_result *rhythm)
{
    if (a->rhythm) {
        const int error = rhythm_finish(a->rhythm, a->mono_samples, rhythm);
        if (error)
            return error;
        rhythm_destroy(&a->rhythm);
    }
    double *f = out->fingerprint;
    f[FINGERPRINT_TEMPO_BPM] = rhythm->tempo.bpm;
    f[FINGERPRINT_RHYTHM_STABILITY] = rhythm->stability;
    f[FINGERPRINT_TRANSIENT_DENSITY] = rhythm->density;
    out->tempo = rhythm->tempo;
    return 0;
}

// The result proper: the figures so far, and the lists.
static int add_lists(const struct analyzer *a, const struct analysis *figures,
                     const struct rhythm_result *rhythm, struct analysis **out)
{
    const uint32_t beats = rhythm->beat_count;
    const struct loudness_list *loudness = loudness_meter_list(a->loudness);
    struct analysis *whole = analysis_create(beats, loudness_list_short_term_count(loudness));
    if (!whole)
        return -ENOMEM;
    const uint32_t windows = whole->loudness_count;
    *whole = *figures;
    whole->beat_count = beats;
    whole->loudness_count = windows;
    if (beats)
        memcpy(whole->beats_s, rhythm->beats_s, beats * sizeof *whole->beats_s);
    loudness_list_short_term_fill(loudness, analysis_short_term_mutable(whole));
    *out = whole;
    return 0;
}

static int finish(struct analyzer *a, struct analysis **out)
{
    *out = NULL;
    struct analysis figures = {.algorithm_version = ANALYSIS_ALGORITHM_VERSION};
    struct rhythm_result rhythm = {.tempo = {.first_beat_s = (double)NAN}};
    int error = flush(a);
    if (error)
        return error;
    read_stages(a, &figures);
    drop_read_stages(a);
    error = read_rhythm(a, &figures, &rhythm);
    if (!error)
        error = add_lists(a, &figures, &rhythm, out);
    rhythm_result_deinit(&rhythm);
    if (!error && a->config.depth == ANALYZER_FULL)
        profile_compute(*out);
    return error;
}

int analyzer_finish(struct analyzer *a, struct analysis **out)
{
    const uint64_t saved = denormals_flush();
    const int error = finish(a, out);
    denormals_restore(saved);
    return error;
}
