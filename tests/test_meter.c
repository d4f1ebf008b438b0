// SPDX-License-Identifier: MIT
// The pulse of strokes that are all alike, of strokes in threes and twos, and of strokes among others at random.
#include "dsp/rhythm/lags.h"
#include "dsp/rhythm/level.h"
#include "dsp/rhythm/meter.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

#define RATE_HZ    22050.0
#define FRAME_RATE (RATE_HZ / 512.0)
// A stroke is e^3 times silence.
#define LOUD 19.0855369
// What recurs wholly does so in the whole (weight 1) and in three parts of four (1/2 each): the pitch does not change.
#define WHOLLY (2.5 / 3.0)
enum { FRAMES = 2400 };

/// Powers over silence, alike at all frequencies.
struct strokes {
    double power[FRAMES];
};

static struct onset *play(const struct strokes *strokes)
{
    struct onset *onset;
    assert_int_equal(onset_create(&onset, RATE_HZ), 0);
    for (int t = 0; t < FRAMES; t++) {
        float power[ONSET_BINS];
        for (int k = 0; k < ONSET_BINS; k++)
            power[k] = (float)(1.0 + strokes->power[t]);
        onset_push(onset, power);
    }
    return onset;
}

/// @param once what recurs after the period that is found.
static struct meter find(const struct strokes *strokes, double *once)
{
    struct meter meter;
    struct onset *onset = play(strokes);
    struct lags *lags = calloc(1, sizeof(*lags));
    assert_non_null(lags);
    assert_int_equal(meter_find(onset, FRAME_RATE, &meter), 0);
    assert_int_equal(lags_measure(lags, onset, FRAME_RATE), 0);
    *once = lags_recurrence(lags, meter.period_frames);
    free(lags);
    onset_destroy(&onset);
    return meter;
}

static double bpm_of(double frames)
{
    return 60.0 * FRAME_RATE / frames;
}

static void strokes_alike_are_beats_as_salient_as_they_recur_and_are_usual(void **state)
{
    (void)state;
    for (int period = 12; period <= 60; period += 16) {
        struct strokes strokes = {{0.0}};
        double once;
        for (int t = 10; t < FRAMES; t += period)
            strokes.power[t] = LOUD;

        const struct meter meter = find(&strokes, &once);

        const double prior = exp(-0.5 * pow(log2(bpm_of(period) / 120.0) / 0.7, 2.0));
        const double ratio = bpm_of(period) < 120.0 ? 0.5 : 2.0; // slow ones may as well be doubled
        assert_near(meter.period_frames, period, 0.02);
        assert_near(meter.alternative_frames, ratio * meter.period_frames, 1e-9);
        assert_near(once, WHOLLY, 1e-3);
        assert_near(meter.salience, WHOLLY * prior, 1e-3);
        assert_true(meter.alternative_salience <= meter.salience);
        assert_true(meter.certainty == 1.0);
    }
}

/// Strokes of a pulse, by their logarithm over silence, among others at random.
static struct meter find_among_others(double nepers, double *once)
{
    struct strokes strokes = {{0.0}};
    uint64_t seed = 1;
    for (int t = 4; t < FRAMES; t += 3 + (int)(10.0 * rng_unit(&seed)))
        strokes.power[t] = LOUD * rng_unit(&seed);
    for (int t = 10; t < FRAMES; t += 24)
        strokes.power[t] = exp(nepers) - 1.0;
    return find(&strokes, once);
}

static void a_pulse_is_found_of_which_little_recurs(void **state)
{
    (void)state;
    double once;
    const struct meter faint = find_among_others(2.0, &once);
    assert_near(faint.period_frames, 24.0, 0.1);
    assert_true(once > 0.05 && once < 0.07);

    const struct meter clear = find_among_others(2.5, &once);
    assert_near(clear.period_frames, 24.0, 0.1);
    assert_true(once > 0.12 && once < 0.15);
    assert_true(clear.salience > faint.salience && clear.significance > faint.significance);
}

/// The period within 2 % of one, in steps of a thousandth, after which and after twice which most recurs.
static double tuned(const struct lags *lags, double period)
{
    double best = period, most = -HUGE_VAL;
    for (int i = -20; i <= 20; i++) {
        const double here = period * (1.0 + 0.001 * i);
        const double recurs = lags_recurrence(lags, here) + 0.5 * lags_recurrence(lags, 2.0 * here);
        if (recurs > most) {
            most = recurs;
            best = here;
        }
    }
    return best;
}

/// The likeliest two periods among a pulse's simple ratios from 40 to 240 BPM, by what speaks for each of them.
static void rank_ratios(const struct onset *onset, double pulse, double periods[2])
{
    static const double ratios[] = {1.0 / 4, 1.0 / 3, 1.0 / 2, 2.0 / 3, 3.0 / 4, 1.0,
                                    4.0 / 3, 3.0 / 2, 2.0,     3.0,     4.0};
    struct lags *lags = calloc(1, sizeof(*lags));
    double best = -HUGE_VAL, second = -HUGE_VAL;
    assert_non_null(lags);
    assert_int_equal(lags_measure(lags, onset, FRAME_RATE), 0);
    for (size_t i = 0; i < sizeof(ratios) / sizeof(*ratios); i++) {
        double evidence[LEVEL_EVIDENCE];
        const double period = tuned(lags, ratios[i] * pulse);
        if (bpm_of(period) < 40.0 || bpm_of(period) > 240.0)
            continue;
        assert_int_equal(level_measure(onset, lags, period, FRAME_RATE, 0.0, evidence), 0);
        const double odds = level_weigh(evidence);
        if (odds > best) {
            second = best;
            periods[1] = periods[0];
            best = odds;
            periods[0] = period;
        } else if (odds > second) {
            second = odds;
            periods[1] = period;
        }
    }
    free(lags);
}

static void
the_two_likeliest_of_a_pulses_simple_ratios_are_the_beat_and_its_alternative(void **state)
{
    (void)state;
    const int patterns[][4] = {{3, 1, 2, 1}, {3, 1, 1, 3}, {3, 2, 3, 1}}; // by halves of a beat
    for (size_t p = 0; p < sizeof(patterns) / sizeof(*patterns); p++) {
        struct strokes strokes = {{0.0}};
        double once, periods[2] = {0.0, 0.0};
        for (int i = 0; 10 + 12 * i < FRAMES; i++)
            strokes.power[10 + 12 * i] = exp(patterns[p][i % 4]) - 1.0;

        const struct meter meter = find(&strokes, &once);

        struct onset *onset = play(&strokes);
        rank_ratios(onset, 24.0, periods);
        assert_near(meter.period_frames, periods[0], 0.05);
        assert_near(meter.alternative_frames, periods[1], 0.05);
        assert_true(meter.certainty > 0.0 && meter.certainty <= 1.0);
        onset_destroy(&onset);
    }
}

static void silence_and_a_single_frame_have_no_pulse(void **state)
{
    (void)state;
    static const struct strokes silence;
    struct onset *onset = play(&silence), *one;
    const float power[ONSET_BINS] = {1.0f};
    struct meter meter;
    assert_int_equal(onset_create(&one, RATE_HZ), 0);
    onset_push(one, power);

    assert_int_equal(meter_find(onset, FRAME_RATE, &meter), 0);
    assert_true(meter.period_frames == 0.0 && meter.alternative_frames == 0.0);
    assert_true(meter.salience == 0.0 && meter.certainty == 0.0);
    assert_int_equal(meter_find(one, FRAME_RATE, &meter), 0);
    assert_true(meter.period_frames == 0.0 && meter.certainty == 0.0);

    onset_destroy(&one);
    onset_destroy(&onset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strokes_alike_are_beats_as_salient_as_they_recur_and_are_usual),
        cmocka_unit_test(a_pulse_is_found_of_which_little_recurs),
        cmocka_unit_test(
            the_two_likeliest_of_a_pulses_simple_ratios_are_the_beat_and_its_alternative),
        cmocka_unit_test(silence_and_a_single_frame_have_no_pulse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
