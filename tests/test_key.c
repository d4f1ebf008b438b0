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

/// A sine by its recurrence, sin(n + 1)w = 2 cos w sin nw - sin(n - 1)w: libm would take most of the suite's time.
static void add_sine(float *samples, double hz, double level)
{
    const double step = 2.0 * M_PI * hz / RATE_HZ, twice_cos = 2.0 * cos(step);
    double before = -level * sin(step), here = 0.0;
    for (int i = 0; i < CHORD_SAMPLES; i++) {
        const double after = twice_cos * here - before;
        samples[i] += (float)here;
        before = here;
        here = after;
    }
}

static void add_note(float *samples, int midi, double tuning_cents)
{
    const double hz = 440.0 * exp2((midi - 69) / 12.0 + tuning_cents / 1200.0);
    for (int harmonic = 1; harmonic <= 4; harmonic++)
        add_sine(samples, hz * harmonic, 0.1 / harmonic);
}

/// Four triads, each above its root in the bass: `roots` in semitones from C, `minor` bit by bit.
static float *make_loop(const int roots[CHORDS], unsigned minor)
{
    float *samples = calloc(SAMPLES, sizeof(*samples));
    assert_non_null(samples);
    for (int chord = 0; chord < CHORDS; chord++) {
        float *at = samples + (size_t)chord * CHORD_SAMPLES;
        add_note(at, 60 + roots[chord], 0.0);
        add_note(at, 60 + roots[chord] + (minor >> chord & 1u ? 3 : 4), 0.0);
        add_note(at, 67 + roots[chord], 0.0);
        add_note(at, 36 + roots[chord], 0.0);
    }
    return samples;
}

/// I-IV-V-I, or i-iv-V-i in minor: the cadence that names a key.
static float *make_cadence(int tonic, enum key_mode mode, double tuning_cents)
{
    static const int roots[CHORDS] = {0, 5, 7, 0};
    float *samples = calloc(SAMPLES, sizeof(*samples));
    assert_non_null(samples);
    for (int chord = 0; chord < CHORDS; chord++) {
        const int third = mode == KEY_MINOR && roots[chord] != 7 ? 3 : 4;
        const int root = 60 + tonic + roots[chord] - (roots[chord] ? 12 : 0);
        float *at = samples + (size_t)chord * CHORD_SAMPLES;
        add_note(at, root, tuning_cents);
        add_note(at, root + third, tuning_cents);
        add_note(at, root + 7, tuning_cents);
        add_note(at, root - 12, tuning_cents);
    }
    return samples;
}

static struct key measure(const float *samples, size_t count)
{
    struct key_tracker *tracker;
    struct key key = {.chroma = {0.5}};
    float power[STFT_BINS];
    assert_int_equal(key_tracker_create(&tracker, RATE_HZ), 0);
    for (size_t t = 0; t < stft_frames(count); t++) {
        stft_power(samples, count, t, power);
        key_tracker_push(tracker, power);
    }
    key_tracker_finish(tracker, &key);
    key_tracker_destroy(&tracker);
    assert_null(tracker);
    return key;
}

static void a_cadence_names_its_key_in_all_24(void **state)
{
    (void)state;
    for (int mode = KEY_MAJOR; mode <= KEY_MINOR; mode++) {
        for (int tonic = 0; tonic < PITCH_CLASS_COUNT; tonic++) {
            float *samples = make_cadence(tonic, (enum key_mode)mode, 0.0);

            const struct key key = measure(samples, SAMPLES);

            assert_int_equal(key.tonic, tonic);
            assert_int_equal(key.mode, mode);
            assert_true(key.strength > 0.6 && key.strength <= 1.0);
            free(samples);
        }
    }
}

static void a_track_tuned_off_440_keeps_its_key(void **state)
{
    (void)state;
    const double tunings_cents[] = {-35.0, -20.0, 20.0, 35.0};
    for (size_t i = 0; i < sizeof(tunings_cents) / sizeof(*tunings_cents); i++) {
        float *samples = make_cadence(9, KEY_MINOR, tunings_cents[i]);

        const struct key key = measure(samples, SAMPLES);

        assert_int_equal(key.tonic, 9);
        assert_int_equal(key.mode, KEY_MINOR);
        free(samples);
    }
}

static void chords_tell_a_minor_key_from_its_relative_major(void **state)
{
    (void)state;
    const int minor_roots[CHORDS] = {9, 2, 4, 9}; // Am Dm Em Am: the notes of C major
    const int major_roots[CHORDS] = {0, 5, 7, 0}; // C F G C: the notes of A minor
    float *minor = make_loop(minor_roots, 0xf);
    float *major = make_loop(major_roots, 0);

    const struct key in_minor = measure(minor, SAMPLES), in_major = measure(major, SAMPLES);

    assert_int_equal(in_minor.tonic, 9);
    assert_int_equal(in_minor.mode, KEY_MINOR);
    assert_int_equal(in_major.tonic, 0);
    assert_int_equal(in_major.mode, KEY_MAJOR);
    free(minor);
    free(major);
}

static void a_loop_names_its_key_wherever_it_begins(void **state)
{
    (void)state;
    const int loop[CHORDS] = {0, 9, 5, 7}; // C Am F G
    for (int turn = 0; turn < CHORDS; turn++) {
        int roots[CHORDS];
        unsigned minor = 0;
        for (int i = 0; i < CHORDS; i++) {
            roots[i] = loop[(turn + i) % CHORDS];
            minor |= (roots[i] == 9 ? 1u : 0u) << i;
        }
        float *samples = make_loop(roots, minor);

        const struct key key = measure(samples, SAMPLES);

        assert_int_equal(key.tonic, 0);
        assert_int_equal(key.mode, KEY_MAJOR);
        free(samples);
    }
}

static void one_chord_shorter_than_a_stretch_is_heard(void **state)
{
    (void)state;
    const int roots[CHORDS] = {5, 5, 5, 5};
    float *samples = make_loop(roots, 0);

    const struct key key = measure(samples, 8000);

    assert_int_equal(key.tonic, 5);
    assert_int_equal(key.mode, KEY_MAJOR);
    free(samples);
}

static void a_reverbs_end_is_no_part_of_the_key(void **state)
{
    (void)state;
    float *samples = calloc(5 * SAMPLES, sizeof(*samples));
    float *loud = make_cadence(0, KEY_MAJOR, 0.0), *faint = make_cadence(6, KEY_MAJOR, 0.0);
    assert_non_null(samples);
    for (size_t i = 0; i < SAMPLES; i++) {
        samples[i] = loud[i];
        for (size_t again = 1; again < 5; again++) // four times as long, 70 dB down
            samples[again * SAMPLES + i] = 3.16e-4f * faint[i];
    }

    const struct key key = measure(samples, 5 * (size_t)SAMPLES);

    assert_int_equal(key.tonic, 0);
    assert_int_equal(key.mode, KEY_MAJOR);
    free(faint);
    free(loud);
    free(samples);
}

static void tuning_does_not_move_the_strength(void **state)
{
    (void)state;
    float *plain = make_cadence(9, KEY_MINOR, 0.0);
    const double strength = measure(plain, SAMPLES).strength;
    const double tunings_cents[] = {-46.0, 46.0};
    for (size_t i = 0; i < sizeof(tunings_cents) / sizeof(*tunings_cents); i++) {
        float *samples = make_cadence(9, KEY_MINOR, tunings_cents[i]);

        const struct key key = measure(samples, SAMPLES);

        assert_int_equal(key.tonic, 9);
        assert_true(fabs(key.strength - strength) < 0.02);
        free(samples);
    }
    free(plain);
}

static void gain_does_not_move_the_strength(void **state)
{
    (void)state;
    float *samples = make_cadence(2, KEY_MAJOR, 0.0);
    const struct key plain = measure(samples, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        samples[i] *= 0.2511886f;

    const struct key quiet = measure(samples, SAMPLES);

    assert_int_equal(quiet.tonic, plain.tonic);
    assert_true(fabs(quiet.strength - plain.strength) < 1e-4);
    free(samples);
}

static void silence_has_no_key(void **state)
{
    (void)state;
    float *samples = calloc(SAMPLES, sizeof(*samples));
    assert_non_null(samples);

    const struct key key = measure(samples, SAMPLES);

    assert_int_equal(key.tonic, -1);
    assert_int_equal(key.mode, KEY_MODE_UNKNOWN);
    assert_true(key.strength == 0.0);
    free(samples);
}

static void the_chroma_is_left_alone(void **state)
{
    (void)state;
    float *samples = make_cadence(0, KEY_MAJOR, 0.0);

    const struct key key = measure(samples, SAMPLES);

    assert_true(key.chroma[0] == 0.5 && key.chroma[1] == 0.0);
    free(samples);
}

static void rates_out_of_range_are_refused(void **state)
{
    (void)state;
    const double refused[] = {100.0, 999.0, 50001.0, (double)NAN}, taken[] = {1000.0, 50000.0};
    struct key_tracker *tracker;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        assert_int_equal(key_tracker_create(&tracker, refused[i]), -EINVAL);
        assert_null(tracker);
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        assert_int_equal(key_tracker_create(&tracker, taken[i]), 0);
        key_tracker_destroy(&tracker);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cadence_names_its_key_in_all_24),
        cmocka_unit_test(a_track_tuned_off_440_keeps_its_key),
        cmocka_unit_test(chords_tell_a_minor_key_from_its_relative_major),
        cmocka_unit_test(a_loop_names_its_key_wherever_it_begins),
        cmocka_unit_test(one_chord_shorter_than_a_stretch_is_heard),
        cmocka_unit_test(a_reverbs_end_is_no_part_of_the_key),
        cmocka_unit_test(tuning_does_not_move_the_strength),
        cmocka_unit_test(gain_does_not_move_the_strength),
        cmocka_unit_test(silence_has_no_key),
        cmocka_unit_test(the_chroma_is_left_alone),
        cmocka_unit_test(rates_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
