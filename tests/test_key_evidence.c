// SPDX-License-Identifier: MIT
#include "dsp/tonality/key_evidence.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const double silence[PITCH_CLASS_COUNT];

/// One note in each of three classes, and the root in the bass.
static void add_triad(struct key_evidence *evidence, int root, int third, double gain)
{
    double notes[PITCH_CLASS_COUNT] = {0.0}, bass[PITCH_CLASS_COUNT] = {0.0};
    notes[root] = notes[(root + third) % 12] = notes[(root + 7) % 12] = gain;
    bass[root] = gain;
    key_evidence_add(evidence, notes, bass);
}

static void cadences_name_all_24_keys(void **state)
{
    (void)state;
    for (int tonic = 0; tonic < PITCH_CLASS_COUNT; tonic++) {
        for (int mode = KEY_MAJOR; mode <= KEY_MINOR; mode++) {
            struct key_evidence evidence = {0};
            struct key key;
            add_triad(&evidence, tonic, mode == KEY_MAJOR ? 4 : 3, 1.0);
            add_triad(&evidence, (tonic + 5) % 12, mode == KEY_MAJOR ? 4 : 3, 1.0);
            add_triad(&evidence, (tonic + 7) % 12, 4, 1.0);

            key_evidence_choose(&evidence, &key);

            assert_int_equal(key.tonic, tonic);
            assert_int_equal(key.mode, mode);
            assert_true(key.strength > 0.5 && key.strength <= 1.0);
        }
    }
}

static void a_stretch_is_one_triad_in_all(void **state)
{
    (void)state;
    struct key_evidence evidence = {0};
    add_triad(&evidence, 2, 3, 1.0);

    double sum = 0.0;
    for (int mode = 0; mode < KEY_MODES; mode++)
        for (int root = 0; root < PITCH_CLASS_COUNT; root++)
            sum += evidence.triads[mode][root];
    assert_true(fabs(sum - 1.0) < 1e-12);
    assert_true(evidence.triads[KEY_MINOR][2] > 0.5);
}

/// A triad for `count` stretches.
static void hold_triad(struct key_evidence *evidence, int root, int third, int count)
{
    for (int i = 0; i < count; i++)
        add_triad(evidence, root, third, 1.0);
}

static void a_bass_that_walks_over_a_third_makes_no_other_chord(void **state)
{
    (void)state;
    struct key_evidence evidence = {0};
    static const double minor[PITCH_CLASS_COUNT] = {[9] = 0.5, [0] = 1.0, [4] = 1.0};
    for (int i = 0; i < 12; i++) { // A minor, its root faint, over A, C, A, E
        double bass[PITCH_CLASS_COUNT] = {0.0};
        bass[i % 2 == 0 ? 9 : i % 4 == 1 ? 0 : 4] = 1.0;
        key_evidence_add(&evidence, minor, bass);
    }

    assert_int_equal(evidence.longest[KEY_MINOR][9], 12);
    assert_int_equal(evidence.longest[KEY_MAJOR][0], 0);
    assert_true(evidence.triads[KEY_MINOR][9] > evidence.triads[KEY_MAJOR][0]);
}

static void the_longest_stay_on_each_triad_is_kept(void **state)
{
    (void)state;
    struct key_evidence evidence = {0};
    hold_triad(&evidence, 0, 4, 8);
    hold_triad(&evidence, 5, 4, 4);
    hold_triad(&evidence, 0, 4, 2);

    assert_int_equal(evidence.longest[KEY_MAJOR][0], 8);
    assert_int_equal(evidence.longest[KEY_MAJOR][5], 4);
    assert_int_equal(evidence.longest[KEY_MAJOR][7], 0);
}

static void of_two_keys_with_the_same_chords_the_one_that_rests_on_its_tonic_is_chosen(void **state)
{
    (void)state;
    for (int tonic = 0; tonic <= 7; tonic += 7) { // C and G: I and V in C, IV and I in G
        struct key_evidence evidence = {0};
        struct key key;
        for (int i = 0; i < 12; i++)
            hold_triad(&evidence, i % 2 ? 0 : 7, 4, 2);
        evidence.longest[KEY_MAJOR][tonic] = 40;

        key_evidence_choose(&evidence, &key);

        assert_int_equal(key.tonic, tonic);
        assert_int_equal(key.mode, KEY_MAJOR);
    }
}

static void a_loud_stretch_counts_no_more_than_a_quiet_one(void **state)
{
    (void)state;
    struct key_evidence quiet = {0}, loud = {0};
    add_triad(&quiet, 0, 4, 0.001);
    add_triad(&loud, 0, 4, 1000.0);

    for (int i = 0; i < PITCH_CLASS_COUNT; i++) {
        assert_true(fabs(quiet.notes[i] - loud.notes[i]) < 1e-9);
        assert_true(fabs(quiet.bass[i] - loud.bass[i]) < 1e-9);
    }
}

static void the_overtones_of_a_note_are_counted_as_the_note(void **state)
{
    (void)state;
    // Partials 1 to 8 of C, each 0.7 times the one before: C C G C E G Bb C.
    static const int classes[] = {0, 0, 7, 0, 4, 7, 10, 0};
    struct key_evidence evidence = {0};
    double notes[PITCH_CLASS_COUNT] = {0.0};
    for (int i = 0; i < 8; i++)
        notes[classes[i]] += pow(0.7, i);
    const double heard = notes[0] / (notes[0] + notes[4] + notes[7] + notes[10]);

    key_evidence_add(&evidence, notes, silence);

    assert_true(heard < 0.7);
    assert_true(evidence.notes[0] > 0.85);
}

static void the_strength_is_the_correlation_of_the_notes_with_the_scales_profile(void **state)
{
    (void)state;
    // Temperley's profiles, minor's seventh as in key_evidence.c, and what numpy.corrcoef says of them and the
    // seven notes of a scale.
    static const double scale[KEY_MODES][PITCH_CLASS_COUNT] = {
        {1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1}, {1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0}};
    static const double correlation[KEY_MODES] = {0.9000513495, 0.8530210482};
    for (int mode = KEY_MAJOR; mode <= KEY_MINOR; mode++) {
        for (int tonic = 0; tonic < PITCH_CLASS_COUNT; tonic += 5) {
            struct key_evidence evidence = {0};
            struct key key;
            for (int i = 0; i < PITCH_CLASS_COUNT; i++)
                evidence.notes[(tonic + i) % PITCH_CLASS_COUNT] = 7.0 * scale[mode][i];
            evidence.triads[mode][tonic] = 10.0;

            key_evidence_choose(&evidence, &key);

            assert_int_equal(key.tonic, tonic);
            assert_int_equal(key.mode, mode);
            assert_true(fabs(key.strength - correlation[mode]) < 1e-9);
        }
    }
}

static void a_key_whose_scale_is_unlike_the_notes_is_not_chosen_whatever_its_chords(void **state)
{
    (void)state;
    static const int black[] = {1, 3, 6, 8, 10}; // what the scale of C lacks
    for (int tonic = 0; tonic < PITCH_CLASS_COUNT; tonic++) {
        struct key_evidence evidence = {0};
        struct key key;
        for (int i = 0; i < 5; i++)
            evidence.notes[(tonic + black[i]) % PITCH_CLASS_COUNT] = 1.0;
        evidence.triads[KEY_MAJOR][tonic] = evidence.longest[KEY_MAJOR][tonic] = 1000;

        key_evidence_choose(&evidence, &key);

        assert_true(key.tonic >= 0 && key.tonic != tonic);
        assert_true(key.strength > 0.0);
    }
}

static void overtones_are_taken_away_in_fifteen_steps(void **state)
{
    (void)state;
    // Richardson and Lucy's steps in numpy, from the same partials.
    static const double played[PITCH_CLASS_COUNT] = {
        0.853626055, 0.000000000, 0.000000000, 0.000000000, 0.070986591, 0.000000000,
        0.000000000, 0.075387334, 0.000000000, 0.000000020, 0.000000000, 0.000000000};
    static const double heard[PITCH_CLASS_COUNT] = {[0] = 3.0, [4] = 1.0, [7] = 2.0};
    struct key_evidence evidence = {0};

    key_evidence_add(&evidence, heard, silence);

    for (int i = 0; i < PITCH_CLASS_COUNT; i++)
        assert_true(fabs(evidence.notes[i] - played[i]) < 1e-6);
}

static void a_triad_is_as_likely_as_its_notes_and_its_bass_are_like_the_stretch(void **state)
{
    (void)state;
    struct key_evidence evidence = {0};
    double length = 0.0, odds[KEY_MODES][PITCH_CLASS_COUNT], all = 0.0;
    add_triad(&evidence, 2, 3, 1.0);
    for (int i = 0; i < PITCH_CLASS_COUNT; i++)
        length += evidence.notes[i] * evidence.notes[i];
    for (int mode = 0; mode < KEY_MODES; mode++) {
        for (int root = 0; root < PITCH_CLASS_COUNT; root++) {
            const double *notes = evidence.notes;
            const double sum = notes[root] + notes[(root + (mode == KEY_MAJOR ? 4 : 3)) % 12] +
                               notes[(root + 7) % 12];
            const double bass = root == 2 ? 0.3 : 0.0; // it plays nothing but the root
            odds[mode][root] = exp((sum / sqrt(3.0 * length) + bass) / 0.11);
            all += odds[mode][root];
        }
    }

    for (int mode = 0; mode < KEY_MODES; mode++)
        for (int root = 0; root < PITCH_CLASS_COUNT; root++)
            assert_true(fabs(evidence.triads[mode][root] - odds[mode][root] / all) < 1e-9);
}

static void the_bass_of_late_fades_by_three_twentieths_a_stretch(void **state)
{
    (void)state;
    struct key_evidence evidence = {0};
    add_triad(&evidence, 0, 4, 1.0);
    add_triad(&evidence, 7, 4, 5.0);

    assert_true(fabs(evidence.recent_bass[0] - 0.85 * 0.15) < 1e-12);
    assert_true(fabs(evidence.recent_bass[7] - 0.15) < 1e-12);
}

static void silence_is_no_evidence(void **state)
{
    (void)state;
    struct key_evidence evidence = {0};
    struct key key = {.strength = 0.5};
    key_evidence_add(&evidence, silence, silence);

    key_evidence_choose(&evidence, &key);

    assert_int_equal(key.tonic, -1);
    assert_int_equal(key.mode, KEY_MODE_UNKNOWN);
    assert_true(key.strength == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cadences_name_all_24_keys),
        cmocka_unit_test(a_stretch_is_one_triad_in_all),
        cmocka_unit_test(a_bass_that_walks_over_a_third_makes_no_other_chord),
        cmocka_unit_test(the_longest_stay_on_each_triad_is_kept),
        cmocka_unit_test(
            of_two_keys_with_the_same_chords_the_one_that_rests_on_its_tonic_is_chosen),
        cmocka_unit_test(a_loud_stretch_counts_no_more_than_a_quiet_one),
        cmocka_unit_test(the_overtones_of_a_note_are_counted_as_the_note),
        cmocka_unit_test(the_strength_is_the_correlation_of_the_notes_with_the_scales_profile),
        cmocka_unit_test(a_key_whose_scale_is_unlike_the_notes_is_not_chosen_whatever_its_chords),
        cmocka_unit_test(overtones_are_taken_away_in_fifteen_steps),
        cmocka_unit_test(a_triad_is_as_likely_as_its_notes_and_its_bass_are_like_the_stretch),
        cmocka_unit_test(the_bass_of_late_fades_by_three_twentieths_a_stretch),
        cmocka_unit_test(silence_is_no_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
