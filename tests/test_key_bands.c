// SPDX-License-Identifier: MIT
#include "dsp/tonality/key.h"
#include "support/stft.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RATE_HZ 22050.0
enum { CHORD_SAMPLES = 16384, CHORDS = 4, SAMPLES = CHORDS * CHORD_SAMPLES };

/// A sinusoid's peak under a Hann window, at the bin nearest to a note.
static void add_peak(float power[STFT_BINS], int midi, float level)
{
    const size_t bin = (size_t)lround(440.0 * exp2((midi - 69) / 12.0) * STFT_WINDOW / RATE_HZ);
    power[bin] += level;
    power[bin - 1] += 0.25f * level;
    power[bin + 1] += 0.25f * level;
}

/// Strength of C major below peaks of other notes.
static double strength_beside(float level)
{
    struct key_tracker *tracker;
    struct key key;
    float power[STFT_BINS];
    for (size_t k = 0; k < STFT_BINS; k++)
        power[k] = 1e-12f;
    const int triad[] = {60, 64, 67, 72, 76, 79}, others[] = {85, 87, 90, 92, 94};
    for (size_t i = 0; i < sizeof(triad) / sizeof(*triad); i++)
        add_peak(power, triad[i], 1.0f);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        add_peak(power, others[i], level);
    assert_int_equal(key_tracker_create(&tracker, RATE_HZ), 0);
    for (int t = 0; t < 100; t++)
        key_tracker_push(tracker, power);
    key_tracker_finish(tracker, &key);
    key_tracker_destroy(&tracker);
    return key.strength;
}

static void peaks_40_db_under_the_strongest_are_no_notes(void **state)
{
    (void)state;
    const double alone = strength_beside(0.0f);

    assert_true(strength_beside(0.9e-4f) == alone);
    assert_true(strength_beside(1.1e-4f) < alone - 1e-4);
}

/// A sinusoid's peak at any frequency: the parabola through the logarithms of three bins has its top there.
static void add_peak_at(float power[STFT_BINS], int midi, double cents, double level)
{
    const double place = 440.0 * exp2((midi - 69 + cents / 100.0) / 12.0) * STFT_WINDOW / RATE_HZ;
    const long bin = lround(place);
    const double off = place - (double)bin, curve = log(4.0);
    power[bin - 1] += (float)(level * exp(-curve * (1.0 + 2.0 * off)));
    power[bin] += (float)level;
    power[bin + 1] += (float)(level * exp(-curve * (1.0 - 2.0 * off)));
}

static void silence_frame(float power[STFT_BINS])
{
    for (size_t k = 0; k < STFT_BINS; k++)
        power[k] = 1e-12f;
}

static struct key key_of_frame(const float power[STFT_BINS])
{
    struct key_tracker *tracker;
    struct key key;
    assert_int_equal(key_tracker_create(&tracker, RATE_HZ), 0);
    for (int t = 0; t < 64; t++)
        key_tracker_push(tracker, power);
    key_tracker_finish(tracker, &key);
    key_tracker_destroy(&tracker);
    return key;
}

static double strength_of_frame(const float power[STFT_BINS])
{
    return key_of_frame(power).strength;
}

static void a_note_out_of_tune_counts_by_a_bell_of_a_fifth_of_a_semitone(void **state)
{
    (void)state;
    const int triad[] = {72, 76, 79, 84, 88};
    float apart[STFT_BINS], in_tune[STFT_BINS];
    silence_frame(apart);
    silence_frame(in_tune);
    for (size_t i = 0; i < sizeof(triad) / sizeof(*triad); i++) {
        add_peak_at(apart, triad[i], 0.0, 1.0);
        add_peak_at(in_tune, triad[i], 0.0, 1.0);
    }
    // F sharp 30 cents above and 30 below: 1.5 times the bell's deviation; F and G are 3.5 times away.
    const double own = exp(-0.5 * 1.5 * 1.5), next = exp(-0.5 * 3.5 * 3.5);
    add_peak_at(apart, 78, 30.0, 1.0);
    add_peak_at(apart, 90, -30.0, 1.0);
    add_peak_at(in_tune, 90, 0.0, pow(2.0 * own, 2.0)); // magnitudes are roots

    assert_true(next < 0.003);
    assert_true(fabs(strength_of_frame(apart) - strength_of_frame(in_tune)) < 0.002);
}

static void a_note_out_of_tune_counts_by_how_the_others_are_tuned(void **state)
{
    (void)state;
    const int triad[] = {72, 76, 79, 84, 88};
    double in_tune = 0.0;
    for (double cents = 0.0; cents <= 45.0; cents += 7.5) {
        float power[STFT_BINS];
        silence_frame(power);
        for (size_t i = 0; i < sizeof(triad) / sizeof(*triad); i++)
            add_peak_at(power, triad[i], cents, 1.0);
        add_peak_at(power, 90, cents + 30.0, 1.0); // F sharp, nearer than G
        const double strength = strength_of_frame(power);
        in_tune = cents > 0.0 ? in_tune : strength;
        assert_true(fabs(strength - in_tune) < 0.01);
    }
}

static double strength_above(double lowest_hz)
{
    const int triad[] = {73, 77, 80, 85, 89};
    float power[STFT_BINS];
    silence_frame(power);
    for (size_t i = 0; i < sizeof(triad) / sizeof(*triad); i++)
        add_peak_at(power, triad[i], 0.0, 1.0);
    add_peak_at(power, 42, 1200.0 * log2(lowest_hz / 92.498606), 2.0); // about a G
    return strength_of_frame(power);
}

static void what_lies_below_95_hz_is_no_part_of_a_chord(void **state)
{
    (void)state;
    // As a bass it is the same note, wherever about there it lies.
    assert_true(strength_above(92.0) == strength_above(94.0));
    assert_true(fabs(strength_above(96.0) - strength_above(94.0)) > 0.05);
}

/// D6 or B minor 7, which are the same notes, over a D of `bass_hz` that is as loud as any.
static struct key key_over(double bass_hz)
{
    const int chord[] = {74, 78, 81, 83, 86, 90, 93, 95};
    const double cents = 1200.0 * log2(bass_hz / 146.832384); // all are tuned alike
    float power[STFT_BINS];
    silence_frame(power);
    for (size_t i = 0; i < sizeof(chord) / sizeof(*chord); i++)
        add_peak_at(power, chord[i], cents, 1.0);
    add_peak_at(power, 50, cents, 1.0);
    return key_of_frame(power);
}

static void a_bass_lies_below_150_hz(void **state)
{
    (void)state;
    const struct key above = key_over(149.0), without = key_over(151.0);

    assert_int_equal(above.tonic, 2);
    assert_int_equal(above.mode, KEY_MAJOR);
    assert_int_equal(without.tonic, 11);
    assert_int_equal(without.mode, KEY_MINOR);
}

static void what_lies_above_2100_hz_is_no_part_of_a_chord(void **state)
{
    (void)state;
    const int triad[] = {73, 77, 80, 85, 89};
    double strengths[3];
    for (int i = 0; i < 3; i++) { // nothing, a C at 2080 Hz, and one at 2120
        float power[STFT_BINS];
        silence_frame(power);
        for (size_t k = 0; k < sizeof(triad) / sizeof(*triad); k++)
            add_peak_at(power, triad[k], 0.0, 1.0);
        if (i > 0)
            add_peak_at(power, 96, 1200.0 * log2((2040.0 + 40.0 * i) / 2093.004522), 1.0);
        strengths[i] = strength_of_frame(power);
    }
    assert_true(fabs(strengths[1] - strengths[0]) > 0.01);
    assert_true(strengths[2] == strengths[0]);
}

/// Strength of two chords in turn, the second with magnitudes of `share`, each for so many frames.
static double strength_of_turns(int frames, double share)
{
    const int chords[2][5] = {{72, 76, 79, 84, 88}, {74, 78, 81, 83, 86}};
    struct key_tracker *tracker;
    struct key key;
    float powers[2][STFT_BINS];
    for (int i = 0; i < 2; i++) {
        silence_frame(powers[i]);
        for (int k = 0; k < 5; k++)
            add_peak_at(powers[i], chords[i][k], 0.0, i ? share * share : 1.0);
    }
    assert_int_equal(key_tracker_create(&tracker, RATE_HZ), 0);
    for (int t = 0; t < 10 * frames; t++)
        key_tracker_push(tracker, powers[t / frames % 2]);
    key_tracker_finish(tracker, &key);
    key_tracker_destroy(&tracker);
    return key.strength;
}

static void a_stretch_of_three_eighths_of_a_second_counts_the_same_however_loud(void **state)
{
    (void)state;
    const double loud = strength_of_turns(16, 1.0); // 0.3715 s, the next to 3/8

    assert_true(fabs(strength_of_turns(16, 0.05) - loud) < 1e-4);
    assert_true(fabs(strength_of_turns(1, 0.05) - loud) > 0.05); // each stretch has both
    assert_true(fabs(strength_of_turns(13, 0.05) - loud) > 0.01);
    assert_true(fabs(strength_of_turns(19, 0.05) - loud) > 0.01);
}

/// Strength of stretches of one chord, the first loud, the others with magnitudes of `share` and notes of their own.
static double strength_after_stretches_of(double share)
{
    enum { STRETCH_FRAMES = 16 }; // 3/8 s
    const int loud[] = {72, 76, 79, 84, 88}, faint[] = {73, 75, 78, 80, 82};
    float first[STFT_BINS], rest[STFT_BINS];
    struct key_tracker *tracker;
    struct key key;
    for (size_t k = 0; k < STFT_BINS; k++)
        first[k] = rest[k] = 1e-16f;
    for (size_t i = 0; i < sizeof(loud) / sizeof(*loud); i++) {
        add_peak(first, loud[i], 1.0f);
        add_peak(rest, faint[i], (float)(share * share));
    }
    assert_int_equal(key_tracker_create(&tracker, RATE_HZ), 0);
    for (int t = 0; t < 4 * STRETCH_FRAMES; t++)
        key_tracker_push(tracker, t < STRETCH_FRAMES ? first : rest);
    key_tracker_finish(tracker, &key);
    key_tracker_destroy(&tracker);
    return key.strength;
}

static void stretches_60_db_under_the_strongest_do_not_count(void **state)
{
    (void)state;
    const double alone = strength_after_stretches_of(0.0001);

    assert_true(strength_after_stretches_of(0.97e-3) == alone);
    assert_true(strength_after_stretches_of(1.03e-3) < alone - 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peaks_40_db_under_the_strongest_are_no_notes),
        cmocka_unit_test(a_note_out_of_tune_counts_by_a_bell_of_a_fifth_of_a_semitone),
        cmocka_unit_test(a_note_out_of_tune_counts_by_how_the_others_are_tuned),
        cmocka_unit_test(what_lies_below_95_hz_is_no_part_of_a_chord),
        cmocka_unit_test(what_lies_above_2100_hz_is_no_part_of_a_chord),
        cmocka_unit_test(a_stretch_of_three_eighths_of_a_second_counts_the_same_however_loud),
        cmocka_unit_test(a_bass_lies_below_150_hz),
        cmocka_unit_test(stretches_60_db_under_the_strongest_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
