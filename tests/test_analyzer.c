// SPDX-License-Identifier: MIT
// The whole analysis: closed forms, independence of block sizes, edge cases, lack of memory.
#include "dsp/analyzer.h"
#include "dsp/denormals.h"
#include "dsp/mastering/mastering.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

// --- allocations fail from the one numbered allocations_left on; negative: never
static int allocations_left = -1;
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static int is_refused(void)
{
    if (allocations_left < 0)
        return 0;
    if (allocations_left == 0)
        return 1;
    --allocations_left;
    return 0;
}

void *__wrap_malloc(size_t bytes)
{
    return is_refused() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return is_refused() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return is_refused() ? NULL : __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return is_refused() ? NULL : __real_aligned_alloc(alignment, bytes);
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9f is not %.9f", value, expected);
}

static struct analysis *analyze(const float *samples, uint32_t frames, uint32_t rate_hz,
                                uint32_t channels, uint32_t block_frames)
{
    struct analyzer *analyzer = NULL;
    const struct analyzer_config config = {{rate_hz, channels}, ANALYZER_FULL};
    assert_int_equal(analyzer_create(&analyzer, &config), 0);
    for (uint32_t at = 0; at < frames; at += block_frames) {
        const uint32_t part = frames - at < block_frames ? frames - at : block_frames;
        assert_int_equal(analyzer_feed(analyzer, samples + (size_t)at * channels, part), 0);
    }
    struct analysis *analysis = NULL;
    assert_int_equal(analyzer_finish(analyzer, &analysis), 0);
    analyzer_destroy(&analyzer);
    assert_null(analyzer);
    return analysis;
}

static float *make_noise(size_t samples, uint32_t seed)
{
    float *noise = malloc(samples * sizeof *noise);
    assert_non_null(noise);
    for (size_t i = 0; i < samples; ++i) {
        seed = seed * 1664525U + 1013904223U;
        noise[i] = ((float)(seed >> 8) / 8388608.0F - 1.0F) * 0.5F;
    }
    return noise;
}

// A stereo sine of a whole number of cycles of the native transform: on a bin's centre.
static float *make_sine(uint32_t frames, double cycles_per_sample)
{
    float *samples = malloc((size_t)frames * 2 * sizeof *samples);
    assert_non_null(samples);
    for (uint32_t i = 0; i < frames; ++i)
        samples[2 * i] = samples[2 * i + 1] = (float)(0.5 * sin(2 * M_PI * cycles_per_sample * i));
    return samples;
}

static void assert_finite(const struct analysis *analysis)
{
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; ++d)
        if (!isfinite(analysis->fingerprint[d]))
            fail_msg("%s is not finite", fingerprint_name((enum fingerprint_dimension)d));
}

static void result_does_not_depend_on_block_size(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 5 + 123 };
    float *noise = make_noise((size_t)FRAMES * 2, 3);
    struct analysis *whole = analyze(noise, FRAMES, 44100, 2, FRAMES);
    const uint32_t sizes[] = {1, 441, 4096, 5000};
    for (uint32_t s = 0; s < 4; ++s) {
        struct analysis *cut = analyze(noise, FRAMES, 44100, 2, sizes[s]);
        assert_int_equal(analysis_bytes(cut), analysis_bytes(whole));
        assert_memory_equal(cut, whole, analysis_bytes(whole));
        free(cut);
    }
    free(whole);
    free(noise);
}

// Sums vary in their last digits, and YIN's threshold passes those on.
static double variant_tolerance(int dimension)
{
    return dimension == FINGERPRINT_PITCH_STABILITY ? 1e-4 : 1e-6;
}

static void assert_loudness_near(const struct loudness *got, const struct loudness *expected)
{
    assert_near(got->integrated_lufs, expected->integrated_lufs, 1e-6);
    assert_near(got->range_lu, expected->range_lu, 1e-6);
    assert_near(got->momentary_max_lufs, expected->momentary_max_lufs, 1e-6);
    assert_near(got->short_term_max_lufs, expected->short_term_max_lufs, 1e-6);
    assert_near(got->true_peak_dbtp, expected->true_peak_dbtp, 1e-5);
    assert_near(got->sample_peak_dbfs, expected->sample_peak_dbfs, 0.0);
}

// The references against whatever this processor has.
static void variants_agree_on_the_whole_analysis(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 5 + 123 };
    float *noise = make_noise((size_t)FRAMES * 2, 31);
    for (uint32_t i = 0; i < FRAMES * 2; ++i)
        noise[i] = 0.1F * noise[i] + 0.3F * (float)sin(2 * M_PI * 220.0 * (i / 2) / 44100) *
                                         (i / 44100 % 2 ? 1.0F : 0.2F);
    struct analysis *best = analyze(noise, FRAMES, 44100, 2, 4096);
    assert_int_equal(setenv("SEGUE_CPU", "c", 1), 0);
    struct analysis *plain = analyze(noise, FRAMES, 44100, 2, 4096);
    struct analysis *cut = analyze(noise, FRAMES, 44100, 2, 1000);
    assert_int_equal(unsetenv("SEGUE_CPU"), 0);
    assert_memory_equal(cut, plain, analysis_bytes(plain));
    assert_int_equal(analysis_bytes(best), analysis_bytes(plain));
    assert_true(plain->fingerprint[FINGERPRINT_PITCH_STABILITY] > 0);
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; ++d)
        assert_near(best->fingerprint[d], plain->fingerprint[d], variant_tolerance(d));
    assert_loudness_near(&best->loudness, &plain->loudness);
    free(best);
    free(plain);
    free(cut);
    free(noise);
}

static void sine_has_the_crest_of_a_sine_and_sits_in_its_band(void **state)
{
    (void)state;
    float *sine = make_sine(4096 * 40, 100.0 / 4096); // 1076.7 Hz
    struct analysis *analysis = analyze(sine, 4096 * 40, 44100, 2, 4096);
    const double *f = analysis->fingerprint;
    assert_near(f[FINGERPRINT_CREST_DB], 20 * log10(sqrt(2)), 1e-4);
    assert_near(f[FINGERPRINT_MID_PCT], 1.0, 1e-6);
    assert_near(f[FINGERPRINT_SPECTRAL_CENTROID], 100 * 44100.0 / 4096 / 8000, 1e-4);
    assert_near(f[FINGERPRINT_STEREO_WIDTH], 0.0, 0.0);
    assert_near(f[FINGERPRINT_PHASE_CORRELATION], 1.0, 1e-12);
    assert_near(f[FINGERPRINT_PITCH_STABILITY], 1.0, 0.06); // the frames at both ends are not whole
    assert_near(f[FINGERPRINT_PEAK_CONSISTENCY], 1.0, 1e-4);
    free(analysis);
    free(sine);
}

// Hann spreads a tone on the centre of bin k as 1/6, 2/3, 1/6. At 48 kHz and 4096 points no bin ends
// on an edge, so the cell that an edge cuts is shared out.
static void band_edge_cuts_a_cell_in_proportion(void **state)
{
    (void)state;
    const double bin_hz = 48000.0 / 4096;
    const uint32_t bin = 43; // its cell 498.05 .. 509.77 Hz holds the edge at 500 Hz
    float *sine = make_sine(4096 * 20, bin / 4096.0);
    struct analysis *analysis = analyze(sine, 4096 * 20, 48000, 2, 4096);
    const double under = (500 - (bin - 0.5) * bin_hz) / bin_hz;
    assert_near(analysis->fingerprint[FINGERPRINT_LOW_MID_PCT], 1.0 / 6 + under * 2 / 3, 1e-5);
    assert_near(analysis->fingerprint[FINGERPRINT_MID_PCT], 1.0 / 6 + (1 - under) * 2 / 3, 1e-5);
    free(analysis);
    free(sine);
}

// Normal or not, a frame's bins are exponential: e^-gamma for one side, and for the sum of two
// independent ones e^(1 - gamma) / 2.
// Two tones on the middles of bins of 4096, the second `quieter_db` below the first.
static struct analysis *analyze_tones(uint32_t bin, uint32_t quiet_bin, double quieter_db)
{
    enum { FRAMES = 88200 };
    float *x = make_sine(FRAMES, bin / 4096.0);
    float *quiet = make_sine(FRAMES, quiet_bin / 4096.0);
    for (uint32_t i = 0; i < 2 * FRAMES; ++i)
        x[i] += quiet[i] * (float)pow(10, -quieter_db / 20);
    struct analysis *a = analyze(x, FRAMES, 44100, 2, 4096);
    free(x);
    free(quiet);
    return a;
}

static void assert_bass_mid_ratio(uint32_t bin, uint32_t quiet_bin, double quieter_db,
                                  double expected_db)
{
    struct analysis *a = analyze_tones(bin, quiet_bin, quieter_db);
    assert_near(a->fingerprint[FINGERPRINT_BASS_MID_RATIO], expected_db, 1e-3);
    free(a);
}

static void figures_stop_at_the_ends_of_their_ranges(void **state)
{
    (void)state;
    enum { BASS = 12, MID = 100, HIGH = 1486 }; // 129 Hz, 1,077 Hz, 16 kHz
    assert_bass_mid_ratio(BASS, MID, 50, 50);
    assert_bass_mid_ratio(BASS, MID, 75, 60);
    assert_bass_mid_ratio(MID, BASS, 75, -60);
    assert_bass_mid_ratio(BASS, HIGH, 0, 60); // nothing at all in the middle
    assert_bass_mid_ratio(MID, HIGH, 0, -60);
    assert_bass_mid_ratio(BASS, 279, 0, 60); // 3 kHz is none of it
    struct analysis *high = analyze_tones(HIGH, HIGH, 0);
    assert_near(high->fingerprint[FINGERPRINT_SPECTRAL_CENTROID], 1, 0);
    assert_near(high->fingerprint[FINGERPRINT_SPECTRAL_ROLLOFF], 1, 0);
    free(high);
}

static void white_noise_has_the_flatness_of_its_statistics(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 8 };
    float *noise = make_noise((size_t)FRAMES * 2, 11);
    struct analysis *apart = analyze(noise, FRAMES, 44100, 2, 4096);
    struct analysis *alike = analyze(noise, FRAMES, 44100, 1, 4096);
    assert_near(apart->fingerprint[FINGERPRINT_SPECTRAL_FLATNESS], 0.7632, 0.005);
    assert_near(alike->fingerprint[FINGERPRINT_SPECTRAL_FLATNESS], 0.5615, 0.005);
    assert_near(apart->fingerprint[FINGERPRINT_STEREO_WIDTH], 0.5, 0.005);
    assert_near(apart->fingerprint[FINGERPRINT_PHASE_CORRELATION], 0.0, 0.01);
    free(apart);
    free(alike);
    free(noise);
}

static void silence_has_its_defined_figures(void **state)
{
    (void)state;
    float *silence = calloc(44100 * 4, sizeof(float));
    assert_non_null(silence);
    struct analysis *analysis = analyze(silence, 44100 * 2, 44100, 2, 4096);
    double expected[FINGERPRINT_DIMENSIONS] = {0};
    expected[FINGERPRINT_LUFS] = -70;
    expected[FINGERPRINT_SILENCE_RATIO] = 1;
    expected[FINGERPRINT_CHROMA_ENERGY] = 1.0 / 12;
    expected[FINGERPRINT_PEAK_CONSISTENCY] = 1;
    expected[FINGERPRINT_PHASE_CORRELATION] = 1;
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; ++d)
        assert_near(analysis->fingerprint[d], expected[d], 0.0);
    assert_true(isnan(analysis->loudness.true_peak_dbtp));
    assert_true(isnan(analysis->loudness.momentary_max_lufs));
    assert_near(analysis->silence_head_s, 2.0, 0.0);
    free(analysis);
    free(silence);
}

static void denormal_numbers_have_the_figures_of_silence(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 2 };
    float *samples = calloc((size_t)FRAMES * 2, sizeof(float));
    assert_non_null(samples);
    struct analysis *silence = analyze(samples, FRAMES, 44100, 2, 4096);
    for (int noise = 0; noise < 2; ++noise) {
        for (uint32_t i = 0; i < FRAMES * 2; ++i)
            samples[i] = noise ? (float)(i * 2654435761U % 1000) * 1e-43F : 1e-40F;
        struct analysis *faint = analyze(samples, FRAMES, 44100, 2, 4096);
        assert_memory_equal(faint->fingerprint, silence->fingerprint, sizeof faint->fingerprint);
        free(faint);
    }
    free(silence);
    free(samples);
}

// Of a tone near -360 dBFS most bins are denormal: the thread's own way with them must not show, and must last.
static void what_the_thread_does_with_denormals_does_not_show(void **state)
{
    (void)state;
    enum { FRAMES = 44100 };
    float *tone = calloc((size_t)FRAMES * 2, sizeof *tone);
    assert_non_null(tone);
    for (uint32_t i = 0; i < FRAMES; ++i)
        tone[2 * i] = (float)(3e-18 * sin(2 * M_PI * 441 * i / 44100.0));
    volatile float least = FLT_MIN;
    struct analysis *kept = analyze(tone, FRAMES, 44100, 2, 4096);
    assert_true(least * 0.5F > 0);
    const uint64_t saved = denormals_flush();
    const float half = least * 0.5F;
    struct analysis *flushed = analyze(tone, FRAMES, 44100, 2, 4096);
    assert_true(least * 0.5F == half);
    denormals_restore(saved);
    assert_true(kept->fingerprint[FINGERPRINT_CREST_DB] > 1);
    assert_memory_equal(flushed, kept, analysis_bytes(kept));
    free(kept);
    free(flushed);
    free(tone);
}

// A tone on the left, a louder one in the LFE, which weighs nothing in loudness and peaks.
static void a_loud_lfe_leaves_every_figure_alone(void **state)
{
    (void)state;
    enum { FRAMES = 48000 };
    float *six = calloc((size_t)FRAMES * 6, sizeof *six);
    assert_non_null(six);
    for (uint32_t i = 0; i < FRAMES; ++i)
        six[6 * i] = (float)(0.1 * sin(2 * M_PI * 300 * i / 48000.0));
    struct analysis *without = analyze(six, FRAMES, 48000, 6, 4096);
    for (uint32_t i = 1000; i < FRAMES; ++i)
        six[6 * i + 3] = (float)(0.8 * sin(2 * M_PI * 50 * i / 48000.0));
    struct analysis *with = analyze(six, FRAMES, 48000, 6, 4096);
    assert_memory_equal(with, without, analysis_bytes(without));
    assert_near(with->loudness.sample_peak_dbfs, -20.0, 1e-3);
    assert_near(with->loudness.true_peak_dbtp, -20.0, 0.01);
    free(with);

    memset(six, 0, (size_t)FRAMES * 6 * sizeof *six);
    six[6 * 12000 + 3] = 0.5F; // but it is sound: neither head nor tail hides it
    struct analysis *alone = analyze(six, FRAMES, 48000, 6, 4096);
    assert_true(isnan(alone->loudness.sample_peak_dbfs));
    assert_true(isnan(alone->loudness.true_peak_dbtp));
    assert_near(alone->fingerprint[FINGERPRINT_LUFS], -70.0, 0.0);
    assert_near(alone->silence_head_s, 0.25, 1e-12);
    free(alone);
    free(without);
    free(six);
}

static void odd_inputs_give_finite_figures(void **state)
{
    (void)state;
    const uint32_t rates_hz[] = {1000, 8000, 11025, 37800, 44100, 176400, 384000};
    const uint32_t lengths[] = {0, 1, 2205, 20000};
    float *signal = malloc(20000 * 8 * sizeof *signal);
    assert_non_null(signal);
    for (uint32_t shape = 0; shape < 3; ++shape) { // constant, full-scale square, one click
        for (uint32_t i = 0; i < 20000 * 8; ++i)
            signal[i] = shape == 0   ? 0.5F
                        : shape == 1 ? (i / 400 % 2 ? 1.0F : -1.0F)
                                     : (float)(i / 8 == 0);
        for (uint32_t r = 0; r < 7; ++r)
            for (uint32_t l = 0; l < 4; ++l) {
                struct analysis *analysis = analyze(signal, lengths[l], rates_hz[r], 8, 777);
                assert_finite(analysis);
                assert_int_equal(analysis->frames, lengths[l]);
                free(analysis);
            }
    }
    free(signal);
}

static void unsound_samples_count_as_zero(void **state)
{
    (void)state;
    float *noise = make_noise(88200, 5);
    const uint32_t places[] = {10, 5001, 88199};
    for (int p = 0; p < 3; ++p)
        noise[places[p]] = 0;
    struct analysis *clean = analyze(noise, 44100, 44100, 2, 4096);
    noise[places[0]] = (float)NAN;
    noise[places[1]] = -INFINITY;
    noise[places[2]] = 1025.0F;
    struct analysis *unsound = analyze(noise, 44100, 44100, 2, 4096);
    assert_int_equal(clean->replaced_samples_reported, 0);
    assert_int_equal(unsound->replaced_samples_reported, 1);
    unsound->replaced_samples_reported = 0;
    assert_memory_equal(unsound, clean, analysis_bytes(clean));
    noise[places[1]] = noise[places[2]] = 0;
    struct analysis *early = analyze(noise, 44100, 44100, 2, 4096); // and sound to the end
    assert_int_equal(early->replaced_samples_reported, 1);
    free(early);
    free(clean);
    free(unsound);
    free(noise);
}

static void digital_silence_at_both_ends_is_timed(void **state)
{
    (void)state;
    float *samples = calloc(48000, sizeof *samples);
    assert_non_null(samples);
    samples[12000] = samples[23999] = 0.5F;
    struct analysis *analysis = analyze(samples, 48000, 48000, 1, 4096);
    assert_near(analysis->silence_head_s, 0.25, 1e-12);
    assert_near(analysis->silence_tail_s, 0.5, 1e-12);
    free(analysis);
    analysis = analyze(samples, 24000, 48000, 2, 4096); // the same samples on two sides
    assert_near(analysis->silence_head_s, 0.125, 1e-12);
    assert_near(analysis->silence_tail_s, 0.25, 1e-12);
    free(analysis);
    free(samples);
}

static void gain_moves_loudness_alone(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 4 };
    float *noise = make_noise((size_t)FRAMES * 2, 17);
    struct analysis *loud = analyze(noise, FRAMES, 44100, 2, 4096);
    for (uint32_t i = 0; i < FRAMES * 2; ++i)
        noise[i] *= 0.251188643F; // -12 dB
    struct analysis *quiet = analyze(noise, FRAMES, 44100, 2, 4096);
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; ++d)
        assert_near(quiet->fingerprint[d], loud->fingerprint[d] - (d == FINGERPRINT_LUFS) * 12.0,
                    1e-4);
    free(loud);
    free(quiet);
    free(noise);
}

static void format_out_of_range_is_refused(void **state)
{
    (void)state;
    const struct pcm_format formats[] = {{44100, 0}, {44100, 9}, {999, 2}, {768001, 2}};
    for (int i = 0; i < 4; ++i) {
        struct analyzer *analyzer = NULL;
        const struct analyzer_config config = {formats[i], ANALYZER_FULL};
        assert_int_equal(analyzer_create(&analyzer, &config), -EINVAL);
        assert_null(analyzer);
    }
}

static void tonal_depth_measures_all_that_the_mastering_targets_are_made_of(void **state)
{
    (void)state;
    enum { FRAMES = 44100 * 9 };
    float *noise = make_noise((size_t)FRAMES * 2, 23);
    for (int i = 0; i < FRAMES; ++i) { // wide, and quiet at first
        const float gain = i < FRAMES / 2 ? 0.1F : 0.5F;
        noise[2 * i] *= gain;
        noise[2 * i + 1] = 0.6F * noise[2 * i] + 0.4F * gain * noise[2 * i + 1];
    }
    struct analysis *full = analyze(noise, FRAMES, 44100, 2, 4096), *tonal = NULL;
    struct analyzer *analyzer = NULL;
    const struct analyzer_config config = {{44100, 2}, ANALYZER_TONAL};
    assert_int_equal(analyzer_create(&analyzer, &config), 0);
    assert_int_equal(analyzer_feed(analyzer, noise, FRAMES), 0);
    assert_int_equal(analyzer_finish(analyzer, &tonal), 0);
    for (int d = 0; d <= FINGERPRINT_BASS_MID_RATIO; ++d)
        assert_near(tonal->fingerprint[d], full->fingerprint[d], 0.0);
    assert_near(tonal->fingerprint[FINGERPRINT_SPECTRAL_CENTROID],
                full->fingerprint[FINGERPRINT_SPECTRAL_CENTROID], 0.0);
    assert_near(tonal->fingerprint[FINGERPRINT_HARMONIC_RATIO], 0.0, 0.0);
    const struct mastering_settings settings = mastering_settings_default();
    struct mastering_targets by_full, by_tonal;
    mastering_targets_compute(&by_full, full, &settings);
    mastering_targets_compute(&by_tonal, tonal, &settings);
    assert_memory_equal(&by_full, &by_tonal, sizeof by_full);
    assert_true(fabs(by_full.width - 1) > 0.01);
    analyzer_destroy(&analyzer);
    free(full);
    free(tonal);
    free(noise);
}

// An A major chord struck 120 times a minute.
static float *make_chords(uint32_t frames, double rate_hz)
{
    float *samples = malloc((size_t)frames * 2 * sizeof *samples);
    assert_non_null(samples);
    for (uint32_t i = 0; i < frames; ++i) {
        const double t = i / rate_hz, decay = exp(-8.0 * fmod(t, 0.5));
        const double tones = sin(2 * M_PI * 110.0 * t) + sin(2 * M_PI * 277.18 * t) +
                             sin(2 * M_PI * 329.63 * t) + sin(2 * M_PI * 440.0 * t);
        samples[2 * i] = samples[2 * i + 1] = (float)(0.2 * decay * tones);
    }
    return samples;
}

static void what_is_told_so_far_is_that_of_a_track_that_ends_there(void **state)
{
    (void)state;
    enum { HEAD = 44100 * 11 / 4096 * 4096, WHOLE = HEAD + 44100 * 4 };
    float *chords = make_chords(WHOLE, 44100.0);
    struct analysis *head = analyze(chords, HEAD, 44100, 2, 4096), *asked = NULL;
    struct analysis *whole = analyze(chords, WHOLE, 44100, 2, 4096);
    struct analyzer *analyzer = NULL;
    const struct analyzer_config config = {{44100, 2}, ANALYZER_FULL};
    struct analysis_so_far so_far;
    assert_int_equal(analyzer_create(&analyzer, &config), 0);

    assert_int_equal(analyzer_so_far(analyzer, &so_far), 0);
    assert_near(so_far.heard_s, 0.0, 0.0);
    assert_near(so_far.integrated_lufs, -70.0, 0.0);
    assert_near(so_far.tempo.bpm, 0.0, 0.0);
    assert_int_equal(so_far.key.tonic, -1);
    assert_int_equal(analyzer_feed(analyzer, chords, HEAD), 0);
    assert_int_equal(analyzer_so_far(analyzer, &so_far), 0);
    assert_int_equal(analyzer_feed(analyzer, chords + 2 * HEAD, WHOLE - HEAD), 0);
    assert_int_equal(analyzer_finish(analyzer, &asked), 0);

    assert_near(so_far.heard_s, head->duration_s, 1e-12);
    assert_near(so_far.integrated_lufs, head->loudness.integrated_lufs, 1e-12);
    assert_near(so_far.tempo.bpm, 120.0, 0.1);
    assert_near(so_far.tempo.bpm, head->tempo.bpm, 0.05); // a few frames at the end are not out yet
    assert_int_equal(so_far.key.tonic, 9);
    assert_int_equal(so_far.key.mode, KEY_MAJOR);
    assert_memory_equal(asked, whole, analysis_bytes(whole));
    analyzer_destroy(&analyzer);
    free(asked);
    free(whole);
    free(head);
    free(chords);
}

// All is taken when an analyzer is created.
static int feed_without_memory(struct analyzer *analyzer, const float *stereo, uint32_t frames)
{
    const int left = allocations_left;
    allocations_left = 0;
    const int error = analyzer_feed(analyzer, stereo, frames);
    allocations_left = left;
    return error;
}

static void lack_of_memory_is_reported_wherever_it_strikes(void **state)
{
    (void)state;
    float *noise = make_noise(44100 * 4, 29);
    int error = -ENOMEM, failures = 0;
    for (int allowed = 0; error == -ENOMEM; ++allowed) {
        struct analyzer *analyzer = NULL;
        struct analysis *analysis = NULL;
        const struct analyzer_config config = {{44100, 2}, ANALYZER_FULL};
        allocations_left = allowed;
        error = analyzer_create(&analyzer, &config);
        if (!error)
            assert_int_equal(feed_without_memory(analyzer, noise, 44100 * 2), 0);
        if (!error)
            error = analyzer_finish(analyzer, &analysis);
        allocations_left = -1;
        assert_true(error == 0 || error == -ENOMEM);
        assert_true((analysis != NULL) == (error == 0));
        failures += error != 0;
        analyzer_destroy(&analyzer);
        free(analysis);
    }
    assert_true(failures > 20);
    free(noise);
}

// On a bin's centre magnitudes are 1/4, 1/2, 1/4: 85 % ends 0.9 of a bin over the middle. The list keeps 0.3 Hz.
static void shapes_are_shares_of_8_and_of_10_khz(void **state)
{
    (void)state;
    struct analysis *a = analyze_tones(700, 700, 0);
    const double bin_hz = 44100.0 / 4096;
    assert_near(a->fingerprint[FINGERPRINT_SPECTRAL_CENTROID], 700 * bin_hz / 8000, 5e-5);
    assert_near(a->fingerprint[FINGERPRINT_SPECTRAL_ROLLOFF], 700.9 * bin_hz / 10000, 5e-5);
    free(a);
}

static void chroma_of_a_tone_is_that_of_its_class(void **state)
{
    (void)state;
    struct analysis *a = analyze_tones(41, 41, 0); // 441 Hz
    double sum = 0;
    for (int p = 0; p < PITCH_CLASS_COUNT; ++p)
        sum += a->key.chroma[p];
    assert_near(sum, 1.0, 1e-6);
    assert_true(a->key.chroma[9] > 0.3); // A
    free(a);
}

static void a_pulse_is_looked_for_from_8_khz_on(void **state)
{
    (void)state;
    for (uint32_t rate_hz = 7999; rate_hz <= 8000; ++rate_hz) {
        const uint32_t frames = 15 * rate_hz;
        float *clicks = calloc(frames, sizeof *clicks);
        assert_non_null(clicks);
        for (uint32_t i = 0; i < frames; i += rate_hz / 2)
            for (uint32_t k = 0; k < 100 && i + k < frames; ++k)
                clicks[i + k] = (float)(0.5 * exp(-(double)k / 20) * (k % 2 ? -1 : 1));
        struct analysis *a = analyze(clicks, frames, rate_hz, 1, 4096);
        assert_near(a->fingerprint[FINGERPRINT_TEMPO_BPM], rate_hz < 8000 ? 0 : 120, 0.5);
        free(a);
        free(clicks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_does_not_depend_on_block_size),
        cmocka_unit_test(variants_agree_on_the_whole_analysis),
        cmocka_unit_test(sine_has_the_crest_of_a_sine_and_sits_in_its_band),
        cmocka_unit_test(band_edge_cuts_a_cell_in_proportion),
        cmocka_unit_test(figures_stop_at_the_ends_of_their_ranges),
        cmocka_unit_test(white_noise_has_the_flatness_of_its_statistics),
        cmocka_unit_test(silence_has_its_defined_figures),
        cmocka_unit_test(denormal_numbers_have_the_figures_of_silence),
        cmocka_unit_test(what_the_thread_does_with_denormals_does_not_show),
        cmocka_unit_test(a_loud_lfe_leaves_every_figure_alone),
        cmocka_unit_test(odd_inputs_give_finite_figures),
        cmocka_unit_test(unsound_samples_count_as_zero),
        cmocka_unit_test(digital_silence_at_both_ends_is_timed),
        cmocka_unit_test(gain_moves_loudness_alone),
        cmocka_unit_test(format_out_of_range_is_refused),
        cmocka_unit_test(tonal_depth_measures_all_that_the_mastering_targets_are_made_of),
        cmocka_unit_test(what_is_told_so_far_is_that_of_a_track_that_ends_there),
        cmocka_unit_test(lack_of_memory_is_reported_wherever_it_strikes),
        cmocka_unit_test(shapes_are_shares_of_8_and_of_10_khz),
        cmocka_unit_test(chroma_of_a_tone_is_that_of_its_class),
        cmocka_unit_test(a_pulse_is_looked_for_from_8_khz_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
