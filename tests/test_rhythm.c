// SPDX-License-Identifier: MIT
#include "dsp/rhythm/rhythm.h"
#include "support/stft.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ 22050.0

// --- a failing allocator: the n-th allocation from now fails, 0 lets all pass
static size_t fail_at, allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static int fails(void)
{
    return ++allocations == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

// --- signals
struct track {
    float *samples;
    size_t count;
    uint32_t noise;
};

static struct track make_track(double seconds)
{
    struct track track = {NULL, (size_t)(seconds * RATE_HZ), 1};
    track.samples = calloc(track.count + 1, sizeof(float));
    assert_non_null(track.samples);
    return track;
}

static double next_noise(struct track *track)
{
    track->noise = track->noise * 1664525u + 1013904223u;
    return (double)track->noise / 2147483648.0 - 1.0;
}

/// A click: 15 ms of decaying noise.
static void add_click(struct track *track, double time_s, double level)
{
    const size_t begin = (size_t)lround(time_s * RATE_HZ);
    for (size_t i = 0; i < 330 && begin + i < track->count; i++)
        track->samples[begin + i] += (float)(level * exp(-(double)i / 60.0) * next_noise(track));
}

static void scale(struct track *track, float gain)
{
    for (size_t i = 0; i < track->count; i++)
        track->samples[i] *= gain;
}

static void feed(struct rhythm *rhythm, const struct track *track)
{
    float power[STFT_BINS];
    for (size_t t = 0; t < stft_frames(track->count); t++) {
        stft_power(track->samples, track->count, t, power);
        rhythm_push(rhythm, power);
    }
}

static struct rhythm_result measure(const struct track *track)
{
    struct rhythm *rhythm;
    struct rhythm_result result;
    assert_int_equal(rhythm_create(&rhythm, RATE_HZ), 0);
    feed(rhythm, track);
    assert_int_equal(rhythm_finish(rhythm, track->count, &result), 0);
    rhythm_destroy(&rhythm);
    assert_null(rhythm);
    return result;
}

static struct track make_clicks(double bpm, double seconds)
{
    struct track track = make_track(seconds);
    for (double time_s = 0.5; time_s < seconds - 0.1; time_s += 60.0 / bpm)
        add_click(&track, time_s, 0.5);
    return track;
}

/// A 60 Hz thump, as of a kick drum.
static void add_thump(struct track *track, double time_s, double level)
{
    const size_t begin = (size_t)lround(time_s * RATE_HZ);
    for (size_t i = 0; i < 2205 && begin + i < track->count; i++)
        track->samples[begin + i] +=
            (float)(level * exp(-(double)i / 600.0) * sin(2.0 * M_PI * 60.0 * (double)i / RATE_HZ));
}

/// Thumps on the beats, clicks between.
static struct tempo measure_thumps(double bpm)
{
    struct track track = make_track(14.0);
    for (double time_s = 0.5; time_s < 13.5; time_s += 60.0 / bpm) {
        add_thump(&track, time_s, 0.8);
        add_click(&track, time_s + 30.0 / bpm, 0.3);
    }
    struct rhythm_result result = measure(&track);
    rhythm_result_deinit(&result);
    free(track.samples);
    return result.tempo;
}

static double nearest_ratio_error(double bpm, double truth)
{
    const double ratios[] = {1.0, 2.0, 0.5, 3.0, 1.0 / 3.0, 4.0, 0.25};
    double best = HUGE_VAL;
    for (size_t i = 0; i < sizeof(ratios) / sizeof(*ratios); i++)
        best = fmin(best, fabs(bpm / (truth * ratios[i]) - 1.0));
    return best;
}

// --- tests
static void a_click_is_a_beat_at_any_tempo(void **state)
{
    (void)state;
    for (double bpm = 40.0; bpm <= 240.0; bpm += 28.5) {
        struct track track = make_clicks(bpm, 18.0);

        struct rhythm_result result = measure(&track);

        assert_true(fabs(result.tempo.bpm / bpm - 1.0) < 0.001);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void a_click_is_a_beat_where_a_hand_strikes_unevenly(void **state)
{
    (void)state;
    const double tempos[] = {43.0, 212.0};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        const double beat_s = 60.0 / tempos[i];
        struct track track = make_track(30.0);
        for (double time_s = 0.5; time_s < 29.5; time_s += beat_s)
            add_click(&track, time_s + 0.05 * beat_s * next_noise(&track), 0.5); // 3 % in the mean

        struct rhythm_result result = measure(&track);

        assert_true(fabs(result.tempo.bpm / tempos[i] - 1.0) < 0.02);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void clicks_at_moderate_tempos_are_not_halved_or_doubled(void **state)
{
    (void)state;
    const double tempos[] = {80.0, 97.3, 120.0, 133.33, 151.0};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        struct track track = make_clicks(tempos[i], 20.0);

        struct rhythm_result result = measure(&track);

        assert_true(fabs(result.tempo.bpm / tempos[i] - 1.0) < 0.001);
        assert_true(result.tempo.confidence > 0.9);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void tempos_a_little_out_of_range_are_the_ends_of_it(void **state)
{
    (void)state;
    const double tempos[] = {39.8, 241.0}, ends[] = {40.0, 240.0};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        struct track track = make_clicks(tempos[i], 24.0);

        struct rhythm_result result = measure(&track);

        assert_true(result.tempo.bpm == ends[i]);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void the_second_tempo_is_a_simple_ratio_of_the_first(void **state)
{
    (void)state;
    const double tempos[] = {95.0, 130.0}, ratios[] = {2.0, 0.5};
    for (size_t i = 0; i < sizeof(tempos) / sizeof(*tempos); i++) {
        const struct tempo tempo = measure_thumps(tempos[i]);

        assert_true(fabs(tempo.bpm / tempos[i] - 1.0) < 0.002);
        assert_true(fabs(tempo.alternative_bpm - ratios[i] * tempo.bpm) < 1e-9); // as precise
        assert_true(tempo.alternative_salience > 0.0 &&
                    tempo.alternative_salience < tempo.salience);
    }
}

static void beats_lie_on_the_clicks(void **state)
{
    (void)state;
    struct track track = make_clicks(100.0, 20.0);

    struct rhythm_result result = measure(&track);

    assert_int_equal(result.beat_count, 33);
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(fabs(result.beats_s[i] - (0.5 + 0.6 * i)) < 0.035);
    assert_true(result.tempo.first_beat_s == result.beats_s[0]);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *list, size_t count)
{
    qsort(list, count, sizeof(*list), compare);
    return count % 2 ? list[count / 2] : 0.5 * (list[count / 2 - 1] + list[count / 2]);
}

static void stability_of_jittered_clicks_follows_the_closed_form(void **state)
{
    (void)state;
    enum { CLICKS = 100 };
    struct track track = make_track(CLICKS * 0.5 + 1.0);
    double times[CLICKS], intervals[CLICKS - 1];
    for (int i = 0; i < CLICKS; i++) {
        times[i] = 0.5 + 0.5 * i + 0.025 * next_noise(&track);
        add_click(&track, times[i], 0.5);
    }
    for (int i = 0; i + 1 < CLICKS; i++)
        intervals[i] = times[i + 1] - times[i];
    const double middle = median_of(intervals, CLICKS - 1);
    for (int i = 0; i + 1 < CLICKS; i++)
        intervals[i] = fabs(intervals[i] - middle);
    const double truth = 1.0 / (1.0 + 1.4826 * median_of(intervals, CLICKS - 1) / middle);

    struct rhythm_result result = measure(&track);

    assert_true(fabs(result.stability - truth) < 0.01);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void even_clicks_are_steady(void **state)
{
    (void)state;
    struct track track = make_clicks(113.0, 20.0);

    struct rhythm_result result = measure(&track);

    assert_true(result.stability > 0.98 && result.stability <= 1.0);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void density_counts_the_onsets(void **state)
{
    (void)state;
    for (int per_second = 1; per_second <= 8; per_second++) {
        struct track track = make_clicks(60.0 * per_second, 10.5);
        const double onsets = ceil((10.4 - 0.5) * per_second - 1e-9);

        struct rhythm_result result = measure(&track);

        assert_true(fabs(result.tempo.onsets_per_s * 10.5 - onsets) < 0.5);
        assert_true(fabs(result.density - result.tempo.onsets_per_s / 10.0) < 1e-12);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void gain_changes_nothing_but_rounding(void **state)
{
    (void)state;
    struct track track = make_clicks(127.0, 15.0);
    for (size_t i = 0; i < track.count; i++)
        track.samples[i] += (float)(0.01 * next_noise(&track));
    struct rhythm_result plain = measure(&track);
    scale(&track, 0.2511886f); // -12 dB

    struct rhythm_result quiet = measure(&track);

    assert_true(fabs(plain.tempo.bpm - quiet.tempo.bpm) < 0.02);
    assert_true(fabs(plain.stability - quiet.stability) < 1e-4);
    assert_true(fabs(plain.density - quiet.density) < 1e-9);
    assert_int_equal(plain.beat_count, quiet.beat_count);
    rhythm_result_deinit(&plain);
    rhythm_result_deinit(&quiet);
    free(track.samples);
}

static void assert_no_pulse(const struct rhythm_result *result)
{
    assert_true(result->tempo.bpm == 0.0 && result->tempo.alternative_bpm == 0.0);
    assert_true(result->tempo.confidence == 0.0 && result->tempo.salience == 0.0);
    assert_true(isnan(result->tempo.first_beat_s));
    assert_true(result->stability == 0.0);
    assert_int_equal(result->beat_count, 0);
    assert_null(result->beats_s);
}

static void silence_has_no_pulse_and_no_onsets(void **state)
{
    (void)state;
    struct track track = make_track(5.0);

    struct rhythm_result result = measure(&track);

    assert_no_pulse(&result);
    assert_true(result.density == 0.0);
    free(track.samples);
}

/// Noise through a pole at `pole`: 0 white, towards 1 brown, towards -1 high.
static void add_noise(struct track *track, double pole)
{
    double state = 0.0;
    for (size_t i = 0; i < track->count; i++) {
        state = pole * state + next_noise(track);
        track->samples[i] += (float)(0.1 * sqrt(1.0 - pole * pole) * state);
    }
}

/// A gain that wanders by some 6 dB over seconds, never twice the same way.
static void let_wander(struct track *track)
{
    double level = 0.0, goal = 0.0;
    for (size_t i = 0; i < track->count; i++) {
        if (i % 22050 == 0)
            goal = next_noise(track);
        level += (goal - level) / 15000.0;
        track->samples[i] *= (float)exp(level);
    }
}

/// Clicks at random, `per_second` on the average, of random levels: drops of rain.
static void add_rain(struct track *track, double per_second)
{
    for (double time_s = 0.0; time_s < (double)track->count / RATE_HZ;) {
        time_s -= log(0.5 + 0.4999 * next_noise(track)) / per_second;
        add_click(track, time_s, exp(next_noise(track)) / 4.0);
    }
}

enum noise { WHITE, HIGH, BROWN, WANDERING, RAIN, DROPS, NOISES };

static void fill_with(struct track *track, enum noise noise)
{
    const double poles[] = {[WHITE] = 0.0, [HIGH] = -0.9, [BROWN] = 0.99, [WANDERING] = 0.9};
    if (noise <= WANDERING)
        add_noise(track, poles[noise]);
    if (noise == WANDERING)
        let_wander(track);
    if (noise > WANDERING)
        add_rain(track, noise == RAIN ? 60.0 : 4.0);
}

static void noise_and_sounds_at_random_are_no_pulse(void **state)
{
    (void)state;
    for (int noise = 0; noise < NOISES; noise++) {
        for (uint32_t seed = 1; seed <= 2; seed++) {
            struct track track = make_track(8.0 + 3.0 * seed);
            track.noise = seed;
            fill_with(&track, (enum noise)noise);

            struct rhythm_result result = measure(&track);

            assert_no_pulse(&result);
            rhythm_result_deinit(&result);
            free(track.samples);
        }
    }
}

static void a_pulse_in_noise_is_heard(void **state)
{
    (void)state;
    struct track track = make_clicks(120.0, 30.0);
    add_noise(&track, 0.0);

    struct rhythm_result result = measure(&track);

    assert_true(nearest_ratio_error(result.tempo.bpm, 120.0) < 0.005);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void tracks_of_less_than_two_seconds_are_survived(void **state)
{
    (void)state;
    for (size_t count = 0; count < 44100; count += 3001) {
        struct track track = make_track(2.0);
        add_click(&track, 0.3, 0.5);
        track.count = count;

        struct rhythm_result result = measure(&track);

        assert_true(isfinite(result.tempo.bpm) && result.density <= 1.0);
        assert_true(result.beat_count < 16);
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

static void begin_and_end_of_a_tone_are_no_pulse(void **state)
{
    (void)state;
    struct track track = make_track(3.0);
    for (size_t i = 0; i < track.count; i++)
        track.samples[i] = (float)(0.3 * sin(2.0 * M_PI * 440.0 * (double)i / RATE_HZ));

    struct rhythm_result result = measure(&track);

    assert_no_pulse(&result);
    free(track.samples);
}

static void steady_tones_of_any_length_are_no_pulse(void **state)
{
    (void)state;
    const double tones_hz[] = {0.0, 261.6, 1000.0};
    for (size_t i = 0; i < sizeof(tones_hz) / sizeof(*tones_hz); i++)
        for (double seconds = 4.0; seconds <= 12.0; seconds += 8.0) {
            struct track track = make_track(seconds);
            for (size_t t = 0; t < track.count; t++)
                track.samples[t] =
                    (float)(0.5 * cos(2.0 * M_PI * tones_hz[i] * (double)t / RATE_HZ));

            struct rhythm_result result = measure(&track);

            assert_no_pulse(&result);
            free(track.samples);
        }
}

static void no_frames_at_all_are_no_pulse(void **state)
{
    (void)state;
    struct rhythm *rhythm;
    struct rhythm_result result;
    assert_int_equal(rhythm_create(&rhythm, RATE_HZ), 0);

    assert_int_equal(rhythm_finish(rhythm, 0, &result), 0);

    assert_no_pulse(&result);
    rhythm_destroy(&rhythm);
}

static void every_rate_in_range_is_survived(void **state)
{
    (void)state;
    struct track track = make_clicks(150.0, 12.0);
    const double rates_hz[] = {1000.0, 2000.0, 4000.0, 8000.0, 44100.0, 50000.0};
    for (size_t i = 0; i < sizeof(rates_hz) / sizeof(*rates_hz); i++) {
        struct rhythm *rhythm;
        struct rhythm_result result;
        assert_int_equal(rhythm_create(&rhythm, rates_hz[i]), 0);
        feed(rhythm, &track);

        assert_int_equal(rhythm_finish(rhythm, track.count, &result), 0);

        assert_true(result.tempo.bpm == 0.0 ||
                    (result.tempo.bpm >= 40.0 && result.tempo.bpm <= 240.0));
        rhythm_result_deinit(&result);
        rhythm_destroy(&rhythm);
    }
    free(track.samples);
}

/// An hour and a third at 4 kHz: a burst in every tenth frame, after the hour in two whole stretches and a part.
static void onsets_are_counted_to_the_end_and_beats_for_an_hour(void **state)
{
    (void)state;
    enum { RATE = 4000, EVERY = 10, FRAMES = 4800 * RATE / RHYTHM_HOP };
    struct rhythm *rhythm;
    struct rhythm_result result;
    float quiet[RHYTHM_BINS], loud[RHYTHM_BINS];
    for (int k = 0; k < RHYTHM_BINS; k++) {
        quiet[k] = 1e-3f;
        loud[k] = 1.0f;
    }
    assert_int_equal(rhythm_create(&rhythm, RATE), 0);
    for (int t = 0; t < FRAMES; t++)
        rhythm_push(rhythm, t % EVERY == 5 ? loud : quiet);

    assert_int_equal(rhythm_finish(rhythm, (uint64_t)FRAMES * RHYTHM_HOP, &result), 0);

    const double seconds = (double)FRAMES * RHYTHM_HOP / RATE;
    const double onsets = result.tempo.onsets_per_s * seconds;
    assert_true(fabs(onsets - (double)FRAMES / EVERY) < 3.0); // one a stretch may lie at its end
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(result.beats_s[i] <= 3600.0);
    rhythm_result_deinit(&result);
    rhythm_destroy(&rhythm);
}

static void rates_out_of_range_are_refused(void **state)
{
    (void)state;
    struct rhythm *rhythm;

    assert_int_equal(rhythm_create(&rhythm, 0.0), -EINVAL);
    assert_null(rhythm);
    assert_int_equal(rhythm_create(&rhythm, (double)NAN), -EINVAL);
    assert_null(rhythm);
}

static void a_waltz_is_counted_in_its_own_beats(void **state)
{
    (void)state;
    struct track track = make_track(20.0);
    const double beat_s = 60.0 / 138.0;
    for (int i = 0; 0.5 + i * beat_s < 19.9; i++)
        add_click(&track, 0.5 + i * beat_s, i % 3 == 0 ? 0.8 : 0.2);

    struct rhythm_result result = measure(&track);

    assert_true(fabs(result.tempo.bpm / 138.0 - 1.0) < 0.001);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void beats_lie_on_the_thumps_not_on_the_hats_between(void **state)
{
    (void)state;
    struct track track = make_track(20.0);
    for (double time_s = 0.5; time_s < 19.5; time_s += 0.48) { // 125 BPM
        add_thump(&track, time_s, 0.8);
        add_click(&track, time_s + 0.24, 0.1);
    }

    struct rhythm_result result = measure(&track);

    assert_true(fabs(result.tempo.bpm / 125.0 - 1.0) < 0.001);
    assert_true(result.beat_count >= 35);
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(fabs(remainder(result.beats_s[i] - 0.5, 0.48)) < 0.035);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void fast_strokes_as_strong_between_beats_as_on_them_are_a_pulse(void **state)
{
    (void)state;
    struct track track = make_track(20.0);
    for (int i = 0; 0.5 + i * 0.15 < 19.5; i++) { // 400 strokes a minute, every other a thump
        if (i % 2 == 0)
            add_thump(&track, 0.5 + i * 0.15, 0.8);
        else
            add_click(&track, 0.5 + i * 0.15, 0.3);
    }

    struct rhythm_result result = measure(&track);

    assert_true(nearest_ratio_error(result.tempo.bpm, 200.0) < 0.001);
    assert_true(result.stability > 0.95);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void confidence_is_low_where_the_octave_changes(void **state)
{
    (void)state;
    const struct tempo moderate = measure_thumps(120.0);
    assert_true(fabs(moderate.bpm / 120.0 - 1.0) < 0.002);
    assert_true(moderate.confidence > 0.85);

    struct tempo before = measure_thumps(140.0);
    double bpm = 160.0;
    while (bpm <= 240.0 &&
           before.bpm > 0.75 * (bpm - 20.0)) { // faster and faster, till it is halved
        const struct tempo here = measure_thumps(bpm);
        if (here.bpm < 0.75 * bpm)
            assert_true(before.confidence < 0.7 && here.confidence < 0.7);
        before = here;
        bpm += 20.0;
    }
    assert_true(bpm <= 260.0 && before.bpm < 0.75 * (bpm - 20.0));
}

static void even_strokes_that_are_not_alike_have_a_metre(void **state)
{
    (void)state;
    struct track track = make_track(20.0);
    for (int i = 0; 0.5 + i * 0.3 < 19.5; i++) { // 200 strokes a minute
        if (i % 2 == 0)
            add_thump(&track, 0.5 + i * 0.3, 0.8);
        add_click(&track, 0.5 + i * 0.3, 0.3);
    }

    struct rhythm_result result = measure(&track);

    assert_true(fabs(result.tempo.bpm / 100.0 - 1.0) < 0.001);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void compound_time_is_counted_in_dotted_beats(void **state)
{
    (void)state;
    struct track track = make_track(20.0);
    const double eighth_s = 60.0 / 97.0 / 3.0;
    for (int i = 0; 0.5 + i * eighth_s < 19.5; i++) {
        if (i % 6 == 0)
            add_thump(&track, 0.5 + i * eighth_s, 0.6);
        add_click(&track, 0.5 + i * eighth_s, i % 3 == 0 ? 0.3 : 0.1);
    }

    struct rhythm_result result = measure(&track);

    assert_true(fabs(result.tempo.bpm / 97.0 - 1.0) < 0.001);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void beats_are_the_thumps_where_strokes_as_loud_lie_at_quarters(void **state)
{
    (void)state;
    struct track track = make_track(20.0);
    const double beat_s = 60.0 / 75.0;
    for (double time_s = 0.5; time_s < 19.0; time_s += beat_s) {
        add_thump(&track, time_s, 0.8);
        add_click(&track, time_s + 0.25 * beat_s, 0.8);
        add_click(&track, time_s + 0.75 * beat_s, 0.8);
    }

    struct rhythm_result result = measure(&track);

    assert_true(fabs(result.tempo.bpm / 75.0 - 1.0) < 0.001);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static int follows(double bpm, double truth)
{
    return fabs(bpm / truth - 1.0) < 0.001;
}

static void a_clave_of_unequal_steps_is_not_taken_for_a_pulse(void **state)
{
    (void)state;
    static const int clave[] = {0, 3, 6, 10, 13}; // of 16 eighths: every 3.2 on the average
    const double eighth_s = 0.5 * 60.0 / 132.0;
    struct track track = make_track(24.0);
    for (int i = 0; 0.5 + i * eighth_s < 23.5; i++) {
        double level = 0.05;
        for (int stroke = 0; stroke < 5; stroke++)
            level = i % 16 == clave[stroke] ? 0.6 : level;
        add_click(&track, 0.5 + i * eighth_s, level);
        if (i % 4 == 0 || i % 4 == 3)
            add_thump(&track, 0.5 + i * eighth_s, 0.5);
    }

    struct rhythm_result result = measure(&track);

    assert_true(follows(result.tempo.bpm, 132.0) || follows(result.tempo.bpm, 66.0) ||
                follows(result.tempo.bpm, 264.0));
    assert_true(result.stability > 0.95);
    rhythm_result_deinit(&result);
    free(track.samples);
}

static void beats_lie_on_the_thumps_not_on_the_loud_pickup_a_third_before(void **state)
{
    (void)state;
    const double beat_s = 60.0 / 104.0;
    struct track track = make_track(24.0);
    for (double time_s = 0.5; time_s < 23.3; time_s += beat_s) {
        add_thump(&track, time_s, 0.8);
        add_click(&track, time_s, 0.02);
        add_click(&track, time_s + 2.0 / 3.0 * beat_s, 0.4);
    }

    struct rhythm_result result = measure(&track);

    assert_true(follows(result.tempo.bpm, 104.0));
    for (uint32_t i = 0; i < result.beat_count; i++)
        assert_true(fabs(remainder(result.beats_s[i] - 0.5, beat_s)) < 0.04);
    rhythm_result_deinit(&result);
    free(track.samples);
}

/// Clicks whose tempo runs from one figure to another, or leaps between them halfway.
static uint32_t add_moving_clicks(struct track *track, double seconds, double from_bpm,
                                  double to_bpm, int leaps, double times[128])
{
    uint32_t count = 0;
    for (double time_s = 0.5; time_s < seconds - 0.5 && count < 128; count++) {
        const double share = leaps ? (time_s > 0.5 * seconds) : time_s / seconds;
        times[count] = time_s;
        add_click(track, time_s, 0.5);
        time_s += 60.0 / (from_bpm + share * (to_bpm - from_bpm));
    }
    return count;
}

/// Share of the clicks that have a beat within 70 ms.
static double recall(const struct rhythm_result *result, const double *times, uint32_t count)
{
    uint32_t hits = 0;
    for (uint32_t j = 0; j < count; j++) {
        int is_hit = 0;
        for (uint32_t i = 0; i < result->beat_count; i++)
            is_hit |= fabs(result->beats_s[i] - times[j]) < 0.07;
        hits += (uint32_t)is_hit;
    }
    return (double)hits / count;
}

static void a_tempo_that_runs_or_leaps_is_followed_beat_by_beat(void **state)
{
    (void)state;
    for (int leaps = 0; leaps <= 1; leaps++) {
        struct track track = make_track(40.0);
        double times[128];
        const uint32_t clicks = add_moving_clicks(&track, 40.0, 100.0, 124.0, leaps, times);

        struct rhythm_result result = measure(&track);

        assert_true(recall(&result, times, clicks) > 0.97); // at the beat or its double
        assert_true(result.beat_count <= 2 * clicks);
        assert_true(result.tempo.confidence < 0.35); // a steady pulse of clicks has 0.9
        rhythm_result_deinit(&result);
        free(track.samples);
    }
}

/// One whole life. @return the first error.
static int live(const struct track *track)
{
    struct rhythm *rhythm;
    struct rhythm_result result = {0};
    int error = rhythm_create(&rhythm, RATE_HZ);
    if (!error) {
        feed(rhythm, track);
        error = rhythm_finish(rhythm, track->count, &result);
    }
    rhythm_result_deinit(&result);
    rhythm_destroy(&rhythm);
    return error;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct track track = make_clicks(120.0, 5.0);
    allocations = 0;
    assert_int_equal(live(&track), 0);
    const size_t needed = allocations;
    assert_true(needed > 5);

    for (size_t n = 1; n <= needed; n++) {
        allocations = 0;
        fail_at = n;
        const int error = live(&track);
        fail_at = 0;
        assert_int_equal(error, -ENOMEM);
    }
    free(track.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_is_a_beat_at_any_tempo),
        cmocka_unit_test(a_click_is_a_beat_where_a_hand_strikes_unevenly),
        cmocka_unit_test(clicks_at_moderate_tempos_are_not_halved_or_doubled),
        cmocka_unit_test(tempos_a_little_out_of_range_are_the_ends_of_it),
        cmocka_unit_test(the_second_tempo_is_a_simple_ratio_of_the_first),
        cmocka_unit_test(beats_lie_on_the_clicks),
        cmocka_unit_test(stability_of_jittered_clicks_follows_the_closed_form),
        cmocka_unit_test(even_clicks_are_steady),
        cmocka_unit_test(density_counts_the_onsets),
        cmocka_unit_test(gain_changes_nothing_but_rounding),
        cmocka_unit_test(silence_has_no_pulse_and_no_onsets),
        cmocka_unit_test(noise_and_sounds_at_random_are_no_pulse),
        cmocka_unit_test(a_pulse_in_noise_is_heard),
        cmocka_unit_test(tracks_of_less_than_two_seconds_are_survived),
        cmocka_unit_test(begin_and_end_of_a_tone_are_no_pulse),
        cmocka_unit_test(steady_tones_of_any_length_are_no_pulse),
        cmocka_unit_test(no_frames_at_all_are_no_pulse),
        cmocka_unit_test(every_rate_in_range_is_survived),
        cmocka_unit_test(onsets_are_counted_to_the_end_and_beats_for_an_hour),
        cmocka_unit_test(rates_out_of_range_are_refused),
        cmocka_unit_test(a_waltz_is_counted_in_its_own_beats),
        cmocka_unit_test(fast_strokes_as_strong_between_beats_as_on_them_are_a_pulse),
        cmocka_unit_test(confidence_is_low_where_the_octave_changes),
        cmocka_unit_test(even_strokes_that_are_not_alike_have_a_metre),
        cmocka_unit_test(compound_time_is_counted_in_dotted_beats),
        cmocka_unit_test(beats_are_the_thumps_where_strokes_as_loud_lie_at_quarters),
        cmocka_unit_test(beats_lie_on_the_thumps_not_on_the_hats_between),
        cmocka_unit_test(a_clave_of_unequal_steps_is_not_taken_for_a_pulse),
        cmocka_unit_test(beats_lie_on_the_thumps_not_on_the_loud_pickup_a_third_before),
        cmocka_unit_test(a_tempo_that_runs_or_leaps_is_followed_beat_by_beat),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
