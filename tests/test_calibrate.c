// SPDX-License-Identifier: MIT
#include "dsp/downmix.h"
#include "dsp/mastering/calibrate.h"
#include "dsp/mastering/chain.h"
#include "support/measure.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { RATE_HZ = 48000, FRAMES = 5 * RATE_HZ };

/// Audio in memory as a reader, with faults to order.
struct tape {
    float *samples;
    uint32_t channels;
    uint32_t frames;
    uint32_t rounds;  // how often the samples are played; 0: once
    uint32_t rate_hz; // 0: RATE_HZ
    uint32_t at, round;
    int error; // reported where the audio ends
    uint32_t opens;
    uint32_t open_now; // opened and not closed yet
};

static int tape_open(void *context, struct pcm_format *format)
{
    struct tape *tape = context;
    tape->at = 0;
    ++tape->opens;
    tape->open_now = 1;
    *format = (struct pcm_format){.rate_hz = tape->rate_hz ? tape->rate_hz : RATE_HZ,
                                  .channels = tape->channels};
    tape->round = 0;
    return 0;
}

static int64_t tape_read(void *context, float *interleaved, uint32_t frames)
{
    struct tape *tape = context;
    if (tape->at == tape->frames && tape->round + 1 < tape->rounds) {
        tape->at = 0;
        ++tape->round;
    }
    uint32_t count = tape->frames - tape->at;
    if (count == 0)
        return tape->error;
    // Odd pieces, as a decoder gives them.
    count = count < frames ? count : frames;
    count = count > 111 ? 111 : count;
    memcpy(interleaved, tape->samples + (size_t)tape->at * tape->channels,
           (size_t)count * tape->channels * sizeof *interleaved);
    tape->at += count;
    return count;
}

static void tape_close(void *context)
{
    struct tape *tape = context;
    tape->open_now = 0;
}

static struct pcm_reader reader_of(struct tape *tape)
{
    return (struct pcm_reader){
        .context = tape, .open = tape_open, .read = tape_read, .close = tape_close};
}

/// A song of kick, bass, chords and hats, quieter in its middle.
static void compose(double *left, double *right)
{
    uint64_t seed = 23;
    for (uint32_t n = 0; n < FRAMES; ++n) {
        const double t = n / (double)RATE_HZ;
        const double part = t > 2 && t < 3 ? 0.3 : 1.0;
        const double kick = sin(2 * M_PI * 55 * t) * exp(-10 * fmod(t, 0.5));
        const double bass = sin(2 * M_PI * 82.4 * t + 0.4 * sin(2 * M_PI * 164.8 * t));
        const double chord =
            sin(2 * M_PI * 329.6 * t) + sin(2 * M_PI * 415.3 * t) + sin(2 * M_PI * 1976 * t) * 0.5;
        const double hat = measure_noise(&seed) * exp(-40 * fmod(t, 0.25));
        left[n] = part * (0.3 * kick + 0.2 * bass + 0.12 * chord + 0.15 * hat);
        right[n] = part * (0.3 * kick + 0.2 * bass + 0.1 * chord - 0.08 * hat);
    }
}

/// The song, composed once, as loud and for as many channels as wanted.
static struct tape song(double gain, uint32_t channels)
{
    static double sides[2][FRAMES];
    static int is_composed;
    if (!is_composed)
        compose(sides[0], sides[1]);
    is_composed = 1;
    struct tape tape = {.channels = channels, .frames = FRAMES};
    tape.samples = malloc((size_t)FRAMES * channels * sizeof *tape.samples);
    assert_non_null(tape.samples);
    for (uint32_t n = 0; n < FRAMES; ++n)
        for (uint32_t c = 0; c < channels; ++c)
            tape.samples[n * channels + c] = (float)(gain * sides[c % 2][n]);
    return tape;
}

/// Second-order section of BS.1770-5's table at 48 kHz, in place.
static void section(double *x, uint32_t frames, const double b[3], const double a[2])
{
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (uint32_t n = 0; n < frames; ++n) {
        const double y = b[0] * x[n] + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
        x2 = x1;
        x1 = x[n];
        y2 = y1;
        y1 = x[n] = y;
    }
}

/// Integrated loudness straight from the standard's text.
static double naive_lufs(const float *stereo, uint32_t frames)
{
    static const double shelf_b[3] = {1.53512485958697, -2.69169618940638, 1.19839281085285};
    static const double shelf_a[2] = {-1.69065929318241, 0.73248077421585};
    static const double pass_b[3] = {1, -2, 1};
    static const double pass_a[2] = {-1.99004745483398, 0.99007225036621};
    const uint32_t hop = RATE_HZ / 10, hops = frames / hop;
    double *x = malloc(frames * sizeof *x), *energy = calloc(hops, sizeof *energy);
    assert_non_null(x);
    assert_non_null(energy);
    for (uint32_t side = 0; side < 2; ++side) {
        for (uint32_t n = 0; n < frames; ++n)
            x[n] = (double)stereo[2 * n + side];
        section(x, frames, shelf_b, shelf_a);
        section(x, frames, pass_b, pass_a);
        for (uint32_t n = 0; n < hops * hop; ++n)
            energy[n / hop] += x[n] * x[n] / hop;
    }
    double gate = pow(10, (-70 + 0.691) / 10), mean = 0;
    for (int stage = 0; stage < 2; ++stage) {
        double sum = 0;
        uint32_t count = 0;
        for (uint32_t i = 0; i + 4 <= hops; ++i) {
            const double z = (energy[i] + energy[i + 1] + energy[i + 2] + energy[i + 3]) / 4;
            if (z > gate) {
                sum += z;
                ++count;
            }
        }
        mean = count ? sum / count : 1e-12;
        gate = fmax(gate, mean / 10);
    }
    free(x);
    free(energy);
    return -0.691 + 10 * log10(mean);
}

/// What the figures of the song above are, roughly; calibration must not depend on them.
static struct analysis *song_analysis(double lufs)
{
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    double *fp = a->fingerprint;
    fp[FINGERPRINT_BASS_PCT] = 0.7;
    fp[FINGERPRINT_LOW_MID_PCT] = 0.15;
    fp[FINGERPRINT_MID_PCT] = 0.1;
    fp[FINGERPRINT_PRESENCE_PCT] = 0.03;
    fp[FINGERPRINT_AIR_PCT] = 0.02;
    fp[FINGERPRINT_LUFS] = lufs;
    fp[FINGERPRINT_CREST_DB] = 13;
    fp[FINGERPRINT_LOUDNESS_VARIATION_STD] = 1.5;
    fp[FINGERPRINT_SPECTRAL_CENTROID] = 0.1;
    fp[FINGERPRINT_STEREO_WIDTH] = 0.15;
    fp[FINGERPRINT_PHASE_CORRELATION] = 0.8;
    return a;
}

static struct mastering_targets targets_for(const struct analysis *a, enum mastering_preset preset,
                                            enum loudness_goal goal, double target_lufs)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.preset = preset;
    settings.goal = goal;
    settings.target_lufs = target_lufs;
    struct mastering_targets targets;
    mastering_targets_compute(&targets, a, &settings);
    return targets;
}

/// Render through the chain, delay compensated. The caller frees it.
static float *render(const struct tape *tape, const struct mastering_targets *targets)
{
    struct chain *chain;
    assert_int_equal(chain_create(&chain, RATE_HZ), 0);
    chain_reset(chain, targets);
    const uint32_t delay = chain_delay_frames(chain);
    float *x = calloc((size_t)tape->frames + delay, 2 * sizeof *x);
    assert_non_null(x);
    downmix_to_stereo(x, tape->samples, tape->frames, tape->channels);
    chain_process(chain, x, tape->frames + delay);
    memmove(x, x + (size_t)2 * delay, (size_t)tape->frames * 2 * sizeof *x);
    chain_destroy(&chain);
    return x;
}

static void output_of_every_preset_measures_its_target(void **state)
{
    (void)state;
    struct tape tape = song(0.3, 2);
    const struct pcm_reader reader = reader_of(&tape);
    const double lufs = naive_lufs(tape.samples, tape.frames);
    struct analysis *a = song_analysis(lufs);
    for (int preset = 0; preset < PRESET_COUNT; ++preset) {
        struct mastering_targets t =
            targets_for(a, (enum mastering_preset)preset, LOUDNESS_OF_PRESET, 0);
        tape.opens = 0;
        assert_int_equal(calibrate(&t, a, &reader), 0);
        assert_int_equal(tape.open_now, 0);

        float *out = render(&tape, &t);
        const double measured = naive_lufs(out, tape.frames);
        print_message("%s: %.3f LUFS for %.1f, makeup %+.2f dB, limiting %.2f dB, %u passes\n",
                      mastering_preset_name(preset), measured, t.target_lufs, t.makeup_db,
                      t.limiter_reduction_db, tape.opens);
        assert_int_equal(t.shortfall, SHORTFALL_NONE);
        assert_true(fabs(measured - t.target_lufs) <= 0.1);
        assert_true(fabs(measured - t.predicted_lufs) <= 0.02);
        assert_true(t.predicted_dbtp <= -1);
        assert_true(tape.opens <= 4);
        free(out);
    }
    free(a);
    free(tape.samples);
}

static void makeup_makes_up_for_what_the_limiter_takes(void **state)
{
    (void)state;
    struct tape tape = song(0.3, 2);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -10.5);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    float *out = render(&tape, &t);
    const double measured = naive_lufs(out, tape.frames);
    print_message("-10.5: %.3f LUFS, limiting %.2f dB, shortfall %d, %u passes\n", measured,
                  t.limiter_reduction_db, (int)t.shortfall, tape.opens);
    assert_true(t.limiter_reduction_db > 1);
    assert_true(fabs(measured - t.predicted_lufs) <= 0.02);
    if (t.shortfall == SHORTFALL_NONE)
        assert_true(fabs(measured + 10.5) <= 0.1);
    free(out);
    free(a);
    free(tape.samples);
}

/// Bursts of noise over a song, whose limiting no model foretells well.
static void add_bursts(struct tape *tape)
{
    uint64_t seed = 8;
    for (uint32_t n = 0; n < tape->frames; ++n)
        for (uint32_t c = 0; c < tape->channels; ++c) {
            const double noise = measure_noise(&seed);
            if (n % 4800 < 200)
                tape->samples[(size_t)n * tape->channels + c] += (float)(0.5 * noise);
        }
}

/// Else each run would be off by as much as the one before.
static void a_models_error_is_made_up_for_after_one_run(void **state)
{
    (void)state;
    struct tape tape = song(0.1, 2);
    add_bursts(&tape);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -16);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    print_message("-16: %.3f LUFS, limiting %.2f dB, %u passes\n", t.predicted_lufs,
                  t.limiter_reduction_db, tape.opens);
    assert_in_range(tape.opens, 3, 4);
    free(a);
    free(tape.samples);
}

/// What the limiter may take is one makeup, whatever the goal beyond it: it follows the first run's dB by dB. At
/// -16.5 LUFS the first run is short of its loudness instead, by a model that is off, and ends up at the same makeup.
static void makeup_at_the_allowed_reduction_is_found_in_one_run_more(void **state)
{
    (void)state;
    static const double goals_lufs[] = {-6, -9, -12, -15, -16.5};
    static const enum mastering_preset presets[] = {PRESET_ADAPTIVE, PRESET_WARM};
    struct tape tape = song(0.1, 2);
    add_bursts(&tape);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
    for (size_t p = 0; p < 2; ++p) {
        double makeup_db = NAN;
        for (size_t i = 0; i < 5; ++i) {
            struct mastering_targets t = targets_for(a, presets[p], LOUDNESS_FIXED, goals_lufs[i]);
            tape.opens = 0;
            assert_int_equal(calibrate(&t, a, &reader), 0);
            print_message("%.1f: %.3f LUFS, makeup %+.3f dB, limiting %.2f dB, %u passes\n",
                          goals_lufs[i], t.predicted_lufs, t.makeup_db, t.limiter_reduction_db,
                          tape.opens);
            assert_int_equal(t.shortfall, SHORTFALL_LIMITER);
            assert_true(tape.opens <= (i < 4 || presets[p] == PRESET_WARM ? 3 : 4));
            assert_true(i == 0 || fabs(t.makeup_db - makeup_db) <= 0.04);
            makeup_db = t.makeup_db;
        }
    }
    free(a);
    free(tape.samples);
}

/// As a track too long for a model of its limiting: its makeup is found by runs of the whole chain alone.
static void makeup_is_found_without_a_model_of_the_limiting(void **state)
{
    (void)state;
    static const double goals_lufs[] = {-10.5, -6};
    for (size_t i = 0; i < 2; ++i) {
        struct tape tape = song(0.3, 2);
        const struct pcm_reader reader = reader_of(&tape);
        struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
        a->loudness.true_peak_dbtp = -60; // no limiting is foreseen
        struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, goals_lufs[i]);
        assert_int_equal(calibrate(&t, a, &reader), 0);
        float *out = render(&tape, &t);
        const double measured = naive_lufs(out, tape.frames);
        print_message("%.1f: %.3f LUFS, limiting %.2f dB, shortfall %d, %u passes\n", goals_lufs[i],
                      measured, t.limiter_reduction_db, (int)t.shortfall, tape.opens);
        assert_true(tape.opens > 2);
        assert_true(fabs(measured - t.predicted_lufs) <= 0.02);
        if (t.shortfall == SHORTFALL_NONE)
            assert_true(fabs(measured - goals_lufs[i]) <= 0.1);
        else // as much as is allowed, no less
            assert_true(measured < goals_lufs[i] && fabs(t.limiter_reduction_db - 4) <= 0.1);
        free(out);
        free(a);
        free(tape.samples);
    }
}

static void target_beyond_the_limiters_reach_is_named_and_predicted(void **state)
{
    (void)state;
    struct tape tape = song(0.5, 2);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -6);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    float *out = render(&tape, &t);
    const double measured = naive_lufs(out, tape.frames);
    print_message("-6: %.3f LUFS, limiting %.2f dB, %u passes\n", measured, t.limiter_reduction_db,
                  tape.opens);
    assert_int_equal(t.shortfall, SHORTFALL_LIMITER);
    assert_true(measured < -6.1 && measured > -13);
    assert_true(fabs(measured - t.predicted_lufs) <= 0.02);
    // 99.9 of 100 samples have at most 4 dB, the very most a little more.
    assert_true(t.limiter_reduction_db > 3.8 && t.limiter_reduction_db < 5.5);
    free(out);
    free(a);
    free(tape.samples);
}

// Where the limiter's allowed reduction ends is measured; a target just beyond it is missed by more than what is
// promised.
static void target_just_beyond_the_limiters_reach_is_named_too(void **state)
{
    (void)state;
    struct tape tape = song(0.5, 2);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -6);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    const double reach_lufs = t.predicted_lufs;
    for (int i = 0; i < 2; ++i) {
        const double beyond_lu = i ? 0.2 : 0.4;
        t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, reach_lufs + beyond_lu);
        assert_int_equal(calibrate(&t, a, &reader), 0);
        assert_true(fabs(t.predicted_lufs - reach_lufs) <= 0.05);
        assert_int_equal(t.shortfall, SHORTFALL_LIMITER);
    }
    free(a);
    free(tape.samples);
}

static void one_click_does_not_hold_a_track_down(void **state)
{
    (void)state;
    struct tape tape = song(0.1, 2);
    tape.samples = realloc(tape.samples, (size_t)7 * FRAMES * 2 * sizeof *tape.samples);
    assert_non_null(tape.samples);
    for (size_t i = 1; i < 7; ++i)
        memcpy(tape.samples + i * FRAMES * 2, tape.samples, FRAMES * 2 * sizeof *tape.samples);
    tape.frames = 7 * FRAMES;
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, FRAMES));
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -25);
    memset(t.eq_db, 0, sizeof t.eq_db);
    t.compressor.mix = 0;
    t.limiter.release_s = 0.1;
    // 4.5 dB over the ceiling, for less than a thousandth of the time.
    tape.samples[300001] = (float)(pow(10, 3.5 / 20) / pow(10, t.makeup_db / 20));
    assert_int_equal(calibrate(&t, a, &reader), 0);
    print_message("click: %.3f LUFS, limiting %.2f dB, makeup %.2f dB, shortfall %d\n",
                  t.predicted_lufs, t.limiter_reduction_db, t.makeup_db, (int)t.shortfall);
    assert_int_equal(t.shortfall, SHORTFALL_NONE);
    assert_true(t.limiter_reduction_db > 4.1);
    assert_true(fabs(t.predicted_lufs + 25) <= 0.1);
    free(a);
    free(tape.samples);
}

static void silence_is_named_and_left_alone(void **state)
{
    (void)state;
    struct tape tape = song(0, 2);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(-70);
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET, 0);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    assert_int_equal(t.shortfall, SHORTFALL_SILENCE);
    assert_true(t.makeup_db == 0);
    free(a);
    free(tape.samples);
}

static void every_channel_count_is_calibrated_as_it_is_heard(void **state)
{
    (void)state;
    static const uint32_t channels[] = {1, 6};
    for (int i = 0; i < 2; ++i) {
        struct tape tape = song(0.1, channels[i]);
        const struct pcm_reader reader = reader_of(&tape);
        struct analysis *a = song_analysis(-25);
        struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET, 0);
        assert_int_equal(calibrate(&t, a, &reader), 0);
        float *out = render(&tape, &t);
        assert_true(fabs(naive_lufs(out, tape.frames) + 14) <= 0.1);
        free(out);
        free(a);
        free(tape.samples);
    }
}

static void damage_ends_the_audio_and_the_rest_is_calibrated(void **state)
{
    (void)state;
    struct tape tape = song(0.1, 2);
    tape.error = -EBADMSG;
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(-25);
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET, 0);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    assert_true(fabs(t.predicted_lufs + 14) <= 0.1);
    free(a);
    free(tape.samples);
}

static void cancelled_reader_leaves_the_targets_unchanged(void **state)
{
    (void)state;
    struct tape tape = song(0.1, 2);
    tape.error = -ECANCELED;
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(-25);
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET, 0);
    const struct mastering_targets before = t;
    assert_int_equal(calibrate(&t, a, &reader), -ECANCELED);
    assert_memory_equal(&t, &before, sizeof t);
    assert_int_equal(tape.open_now, 0);
    free(a);
    free(tape.samples);
}

static void calibration_is_deterministic(void **state)
{
    (void)state;
    struct tape tape = song(0.3, 2);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(-20);
    struct mastering_targets t[2];
    for (int i = 0; i < 2; ++i) {
        t[i] = targets_for(a, PRESET_PUNCHY, LOUDNESS_OF_PRESET, 0);
        assert_int_equal(calibrate(&t[i], a, &reader), 0);
    }
    assert_memory_equal(&t[0], &t[1], sizeof t[0]);
    assert_true(isfinite(t[0].predicted_lufs));
    free(a);
    free(tape.samples);
}

static void track_mastered_again_moves_by_a_fifth_of_a_decibel_at_most(void **state)
{
    (void)state;
    // Limited; held down by the limiter, where a second run must not go on.
    static const double goals_lufs[] = {-11, -6};
    for (int i = 0; i < 2; ++i) {
        struct tape tape = song(0.5, 2);
        struct pcm_reader reader = reader_of(&tape);
        struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
        struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, goals_lufs[i]);
        assert_int_equal(calibrate(&t, a, &reader), 0);
        float *out = render(&tape, &t);
        const double first_lufs = naive_lufs(out, tape.frames);

        free(tape.samples);
        tape.samples = out;
        a->fingerprint[FINGERPRINT_LUFS] = first_lufs;
        struct mastering_settings settings = mastering_settings_default();
        settings.goal = LOUDNESS_FIXED;
        settings.target_lufs = goals_lufs[i];
        mastering_targets_compute_again(&t, a, &settings);
        assert_int_equal(calibrate(&t, a, &reader), 0);
        float *again = render(&tape, &t);
        const double again_lufs = naive_lufs(again, tape.frames);
        print_message("%.0f: %.3f, again %.3f LUFS, makeup %+.3f dB\n", goals_lufs[i], first_lufs,
                      again_lufs, t.makeup_db);
        assert_true(fabs(again_lufs - first_lufs) <= 0.2);
        free(again);
        free(a);
        free(tape.samples);
    }
}

// Its targets are neutral, for nothing in it is to be shaped. The limiter may take of it what it may of any track.
static void constant_is_calibrated_as_a_first_time(void **state)
{
    (void)state;
    struct tape tape = song(0, 2);
    for (uint32_t n = 0; n < 2 * FRAMES; ++n)
        tape.samples[n] = 0.7F;
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    a->fingerprint[FINGERPRINT_LUFS] = naive_lufs(tape.samples, tape.frames);
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -14);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    print_message("constant: %.3f LUFS, makeup %+.3f dB, limiting %.2f dB\n", t.predicted_lufs,
                  t.makeup_db, t.limiter_reduction_db);
    assert_true(mastering_targets_are_neutral(&t));
    assert_int_equal(t.shortfall, SHORTFALL_LIMITER);
    assert_true(fabs(t.limiter_reduction_db - 4) < 0.2);
    free(a);
    free(tape.samples);
}

static void limited_track_of_twelve_minutes_lands_on_its_target(void **state)
{
    (void)state;
    // At 1 kHz the song lasts four minutes. The limiter's model has room for 17, by the millisecond, so that it is not
    // shown a track twice.
    struct tape tape = song(0.5, 2);
    tape.rate_hz = 1000;
    tape.rounds = 3;
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(-12);
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -24);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    print_message("%.3f LUFS, limiting %.2f dB, %u passes\n", t.predicted_lufs,
                  t.limiter_reduction_db, tape.opens);
    assert_true(t.limiter_reduction_db > 1);
    assert_int_equal(t.shortfall, SHORTFALL_NONE);
    assert_true(fabs(t.predicted_lufs + 24) <= 0.1);
    free(a);
    free(tape.samples);
}

enum { ALBUM_TRACKS = 3 };

struct album {
    struct tape tapes[ALBUM_TRACKS];
    struct pcm_reader readers[ALBUM_TRACKS];
    struct analysis *analyses[ALBUM_TRACKS];
    struct mastering_targets targets[ALBUM_TRACKS];
    struct calibrate_track tracks[ALBUM_TRACKS];
};

/// A loud, a quiet and a middling track, each with an EQ of its own.
static void make_album(struct album *album, const struct mastering_settings *settings,
                       enum calibrate_join join)
{
    static const double gains[ALBUM_TRACKS] = {0.4, 0.1, 0.2};
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        album->tapes[i] = song(gains[i], 2);
        album->readers[i] = reader_of(&album->tapes[i]);
        album->analyses[i] = song_analysis(naive_lufs(album->tapes[i].samples, FRAMES));
        album->analyses[i]->fingerprint[FINGERPRINT_BASS_PCT] = 0.3 + 0.2 * i;
        mastering_targets_compute(&album->targets[i], album->analyses[i], settings);
        album->tracks[i] = (struct calibrate_track){.targets = &album->targets[i],
                                                    .analysis = album->analyses[i],
                                                    .reader = &album->readers[i],
                                                    .join = i ? join : CALIBRATE_FRESH};
    }
}

static void free_album(struct album *album)
{
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        free(album->tapes[i].samples);
        free(album->analyses[i]);
    }
}

/// The album as one: the chain runs on through it, its parameters by ramps.
static float *render_album(const struct album *album)
{
    struct chain *chain;
    assert_int_equal(chain_create(&chain, RATE_HZ), 0);
    const uint32_t delay = chain_delay_frames(chain), frames = ALBUM_TRACKS * FRAMES;
    float *x = calloc((size_t)frames + delay, 2 * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < ALBUM_TRACKS; ++i) {
        float *at = x + i * 2 * FRAMES;
        memcpy(at, album->tapes[i].samples, (size_t)2 * FRAMES * sizeof *at);
        if (i == 0)
            chain_reset(chain, &album->targets[i]);
        else
            chain_ramp_to(chain, &album->targets[i], CHAIN_JOIN_SECONDS * RATE_HZ);
        chain_process(chain, at, i + 1 < ALBUM_TRACKS ? FRAMES : FRAMES + delay);
    }
    memmove(x, x + (size_t)2 * delay, (size_t)frames * 2 * sizeof *x);
    chain_destroy(&chain);
    return x;
}

static void album_lands_on_its_target_by_one_makeup(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -14;
    struct album album;
    make_album(&album, &settings, CALIBRATE_RUNS_ON);
    const struct mastering_targets before = album.targets[1];
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);

    float *out = render_album(&album);
    const double measured = naive_lufs(out, ALBUM_TRACKS * FRAMES);
    print_message("album %.3f LUFS for %.0f, makeup %+.2f dB\n", measured, settings.target_lufs,
                  album.targets[0].makeup_db);
    assert_true(fabs(measured - settings.target_lufs) <= 0.1);
    assert_true(fabs(measured - found.lufs) <= 0.01);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        const double own = naive_lufs(out + (size_t)i * 2 * FRAMES, FRAMES);
        assert_true(fabs(own - album.targets[i].predicted_lufs) <= 0.05);
        assert_true(album.targets[i].makeup_db == album.targets[0].makeup_db);
        assert_int_equal(album.targets[i].shortfall, SHORTFALL_NONE);
    }
    assert_memory_equal(album.targets[1].eq_db, before.eq_db, sizeof before.eq_db);
    assert_true(album.targets[1].predicted_lufs < album.targets[0].predicted_lufs - 8);
    free(out);
    free_album(&album);
}

/// Where the chain runs on, each track is limited by its own release, as it will be heard.
static void album_that_runs_on_is_rehearsed_with_each_tracks_own_release(void **state)
{
    (void)state;
    static const double releases_s[ALBUM_TRACKS] = {0.02, 2.0, 0.02};
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -12;
    struct album album;
    make_album(&album, &settings, CALIBRATE_RUNS_ON);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        for (size_t n = 0; n < (size_t)2 * FRAMES; ++n) // all of them loud enough to be limited
            album.tapes[i].samples[n] *= i == 1 ? 4.0F : i == 2 ? 2.0F : 1.0F;
        album.targets[i].limiter.release_s = releases_s[i];
    }
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);

    float *out = render_album(&album);
    const double measured = naive_lufs(out, ALBUM_TRACKS * FRAMES);
    print_message("album %.3f LUFS, predicted %.3f for %.0f, makeup %+.2f dB\n", measured,
                  found.lufs, settings.target_lufs, album.targets[0].makeup_db);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        const double own = naive_lufs(out + (size_t)i * 2 * FRAMES, FRAMES);
        print_message("track %d: %.3f LUFS, predicted %.3f, limiting %.2f dB\n", i, own,
                      album.targets[i].predicted_lufs, album.targets[i].limiter_reduction_db);
        assert_true(album.targets[i].limiter_reduction_db > 0.5);
        assert_true(fabs(own - album.targets[i].predicted_lufs) <= 0.05);
    }
    assert_true(fabs(measured - settings.target_lufs) <= 0.1);
    free(out);
    free_album(&album);
}

static void album_as_it_is_keeps_its_own_loudness(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_AS_IS;
    struct album album;
    make_album(&album, &settings, CALIBRATE_FRESH);
    float *joined = malloc((size_t)ALBUM_TRACKS * 2 * FRAMES * sizeof *joined);
    assert_non_null(joined);
    for (size_t i = 0; i < ALBUM_TRACKS; ++i)
        memcpy(joined + i * 2 * FRAMES, album.tapes[i].samples, 2 * FRAMES * sizeof *joined);
    const double own_lufs = naive_lufs(joined, ALBUM_TRACKS * FRAMES);
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
    assert_true(fabs(found.target_lufs - own_lufs) <= 0.1);
    assert_true(fabs(found.lufs - found.target_lufs) <= 0.1);
    free(joined);
    free_album(&album);
}

// What is asked for then depends on what the album is.
static void album_at_half_intensity_goes_half_of_the_way(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -20;
    settings.intensity = 0.5;
    struct album album;
    make_album(&album, &settings, CALIBRATE_FRESH);
    float *joined = malloc((size_t)ALBUM_TRACKS * 2 * FRAMES * sizeof *joined);
    assert_non_null(joined);
    for (size_t i = 0; i < ALBUM_TRACKS; ++i)
        memcpy(joined + i * 2 * FRAMES, album.tapes[i].samples, 2 * FRAMES * sizeof *joined);
    const double own_lufs = naive_lufs(joined, ALBUM_TRACKS * FRAMES);
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
    print_message("%.2f LUFS, target %.2f\n", own_lufs, found.target_lufs);
    assert_true(fabs(own_lufs + 20) > 2);
    assert_true(fabs(found.target_lufs - (own_lufs - 20) / 2) <= 0.1);
    free(joined);
    free_album(&album);
}

/// Tracks of a second and less: most blocks of the album are no one track's.
static void album_of_jingles_lands_on_its_target_as_it_is_heard(void **state)
{
    (void)state;
    static const double seconds[][ALBUM_TRACKS] = {{0.95, 0.95, 0.95}, {0.35, 3.0, 0.39}};
    static const double goals_lufs[] = {-24, -24, -14, -18.5}; // at rest, limited
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    for (int i = 0; i < 4; ++i) {
        struct album album;
        settings.target_lufs = goals_lufs[i];
        make_album(&album, &settings, CALIBRATE_FRESH);
        float *joined = malloc((size_t)ALBUM_TRACKS * 2 * FRAMES * sizeof *joined);
        assert_non_null(joined);
        for (int k = 0; k < ALBUM_TRACKS; ++k)
            album.tapes[k].frames = (uint32_t)(seconds[i % 2][k] * RATE_HZ);
        struct calibrate_album found;
        assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
        uint32_t frames = 0, opens = album.tapes[0].opens;
        for (int k = 0; k < ALBUM_TRACKS; frames += album.tapes[k++].frames) {
            float *out = render(&album.tapes[k], &album.targets[k]);
            memcpy(joined + 2 * (size_t)frames, out,
                   2 * (size_t)album.tapes[k].frames * sizeof *out);
            free(out);
        }
        const double measured = naive_lufs(joined, frames);
        print_message("%.3f LUFS for %.1f, limiting %.2f dB, shortfall %d, %u passes\n", measured,
                      settings.target_lufs, album.targets[0].limiter_reduction_db,
                      (int)album.targets[0].shortfall, opens);
        assert_int_equal(album.targets[0].shortfall, SHORTFALL_NONE);
        assert_true(fabs(measured - settings.target_lufs) <= 0.1);
        assert_true(fabs(measured - found.lufs) <= 0.01);
        free(joined);
        free_album(&album);
    }
}

static void peak_is_predicted_where_nothing_is_limited(void **state)
{
    (void)state;
    struct tape tape = song(0.1, 2);
    const struct pcm_reader reader = reader_of(&tape);
    struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
    struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_FIXED, -24);
    assert_int_equal(calibrate(&t, a, &reader), 0);
    float *out = render(&tape, &t);
    const double dbtp = measure_db(measure_itu_peak(out, 2, tape.frames));
    print_message("makeup %+.2f dB, %.2f dBTP, predicted %.2f\n", t.makeup_db, dbtp,
                  t.predicted_dbtp);
    assert_true(fabs(t.makeup_db) > 1 && t.limiter_reduction_db == 0);
    assert_true(fabs(t.predicted_dbtp - dbtp) < 0.2);
    free(out);
    free(a);
    free(tape.samples);
}

static void album_stays_below_where_one_tracks_limiter_would_take_too_much(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -6;
    struct album album;
    make_album(&album, &settings, CALIBRATE_FRESH);
    struct calibrate_album found;
    assert_int_equal(calibrate_album(album.tracks, ALBUM_TRACKS, &settings, &found), 0);
    assert_true(found.lufs < -6.1 && found.dbtp <= -1);
    for (int i = 0; i < ALBUM_TRACKS; ++i) {
        assert_int_equal(album.targets[i].shortfall, SHORTFALL_LIMITER);
        assert_true(album.targets[i].limiter_reduction_db < 5.5);
    }
    assert_true(album.targets[0].limiter_reduction_db > 3.8); // the loud one sets the bound
    free_album(&album);
}

/// Tracks that have broken other calibrations: what comes out is on its target, or below for a reason given.
static void short_and_spiky_tracks_land_on_their_target_or_say_why_not(void **state)
{
    (void)state;
    enum { CLICK, BURST, SHORT, SWELL, CASES };
    for (int i = 0; i < CASES; ++i) {
        struct tape tape = song(i == SHORT ? 0.3 : 0.001, 2);
        if (i == SHORT)
            tape.frames = RATE_HZ * 3 / 10;
        for (uint32_t n = 0; n < FRAMES; ++n)
            for (uint32_t c = 0; c < 2; ++c) {
                float *x = &tape.samples[2 * n + c];
                if (i == CLICK)
                    *x = n == 100000 ? 0.9F : 0;
                if (i == BURST) // half a second of noise in silence
                    *x = n / (RATE_HZ / 2) == 4 ? *x * 700 : 0;
                if (i == SWELL) // 60 dB within the track
                    *x *= (float)pow(10, 3.0 * n / FRAMES);
            }
        const struct pcm_reader reader = reader_of(&tape);
        struct analysis *a = song_analysis(naive_lufs(tape.samples, tape.frames));
        struct mastering_targets t = targets_for(a, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET, 0);
        assert_int_equal(calibrate(&t, a, &reader), 0);
        float *out = render(&tape, &t);
        const double measured = naive_lufs(out, tape.frames);
        print_message("case %d: %.3f LUFS, makeup %+.2f dB, limiting %.2f dB, shortfall %d\n", i,
                      measured, t.makeup_db, t.limiter_reduction_db, (int)t.shortfall);
        assert_true(isfinite(t.makeup_db) && fabs(t.makeup_db) <= 70);
        assert_true(measure_db(measure_itu_peak(out, 2, tape.frames)) <= -1);
        if (t.shortfall == SHORTFALL_NONE)
            assert_true(fabs(measured + 14) <= 0.1);
        else
            assert_true(measured < -14);
        if (i == SHORT) // no whole block of 0.4 s: nothing to measure
            assert_true(t.makeup_db == 0 && t.shortfall == SHORTFALL_SILENCE);
        free(out);
        free(a);
        free(tape.samples);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_of_every_preset_measures_its_target),
        cmocka_unit_test(makeup_makes_up_for_what_the_limiter_takes),
        cmocka_unit_test(a_models_error_is_made_up_for_after_one_run),
        cmocka_unit_test(makeup_at_the_allowed_reduction_is_found_in_one_run_more),
        cmocka_unit_test(makeup_is_found_without_a_model_of_the_limiting),
        cmocka_unit_test(target_beyond_the_limiters_reach_is_named_and_predicted),
        cmocka_unit_test(target_just_beyond_the_limiters_reach_is_named_too),
        cmocka_unit_test(one_click_does_not_hold_a_track_down),
        cmocka_unit_test(silence_is_named_and_left_alone),
        cmocka_unit_test(every_channel_count_is_calibrated_as_it_is_heard),
        cmocka_unit_test(damage_ends_the_audio_and_the_rest_is_calibrated),
        cmocka_unit_test(cancelled_reader_leaves_the_targets_unchanged),
        cmocka_unit_test(calibration_is_deterministic),
        cmocka_unit_test(short_and_spiky_tracks_land_on_their_target_or_say_why_not),
        cmocka_unit_test(track_mastered_again_moves_by_a_fifth_of_a_decibel_at_most),
        cmocka_unit_test(constant_is_calibrated_as_a_first_time),
        cmocka_unit_test(limited_track_of_twelve_minutes_lands_on_its_target),
        cmocka_unit_test(album_lands_on_its_target_by_one_makeup),
        cmocka_unit_test(album_that_runs_on_is_rehearsed_with_each_tracks_own_release),
        cmocka_unit_test(album_as_it_is_keeps_its_own_loudness),
        cmocka_unit_test(album_at_half_intensity_goes_half_of_the_way),
        cmocka_unit_test(album_of_jingles_lands_on_its_target_as_it_is_heard),
        cmocka_unit_test(peak_is_predicted_where_nothing_is_limited),
        cmocka_unit_test(album_stays_below_where_one_tracks_limiter_would_take_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
