// SPDX-License-Identifier: MIT
#include "support/profile_fixture.h"

enum { FEELINGS = 6 };

static void list_feelings(const struct analysis *analysis, double list[FEELINGS])
{
    const struct profile *p = &analysis->profile;
    const double members[FEELINGS] = {p->energy, p->dynamic_range, p->brightness,
                                      p->warmth, p->rhythm,        p->harmony};
    memcpy(list, members, sizeof(members));
}

/// Does `feeling` never fall while the dimension goes from `low` to `high`, and rise over all?
static void assert_rises(enum fingerprint_dimension dimension, double low, double high, int feeling)
{
    struct analysis *analysis = make_analysis();
    double first = 0.0, before = 0.0, list[FEELINGS] = {0.0};
    for (int step = 0; step <= 100; step++) {
        analysis->fingerprint[dimension] = low + (high - low) * step / 100.0;
        profile_compute(analysis);
        list_feelings(analysis, list);
        if (step == 0)
            first = list[feeling];
        else
            assert_true(list[feeling] >= before);
        before = list[feeling];
    }
    assert_true(before > first + 0.05);
    free(analysis);
}

static void energy_rises_with_loudness_and_onsets(void **state)
{
    (void)state;
    assert_rises(FINGERPRINT_LUFS, -60.0, 0.0, 0);
    assert_rises(FINGERPRINT_TRANSIENT_DENSITY, 0.0, 1.0, 0);
}

static void dynamic_range_rises_with_crest_and_variation(void **state)
{
    (void)state;
    assert_rises(FINGERPRINT_CREST_DB, 0.0, 40.0, 1);
    assert_rises(FINGERPRINT_LOUDNESS_VARIATION_STD, 0.0, 20.0, 1);
}

static void brightness_rises_and_warmth_falls_with_the_centroid(void **state)
{
    (void)state;
    assert_rises(FINGERPRINT_SPECTRAL_CENTROID, 0.0, 1.0, 2);
    assert_rises(FINGERPRINT_PRESENCE_PCT, 0.0, 0.5, 2);
    assert_rises(FINGERPRINT_AIR_PCT, 0.0, 0.5, 2);
    assert_rises(FINGERPRINT_SPECTRAL_CENTROID, 1.0, 0.0, 3);
}

static void rhythm_rises_with_stability_as_far_as_it_is_sure(void **state)
{
    (void)state;
    assert_rises(FINGERPRINT_RHYTHM_STABILITY, 0.0, 1.0, 4);
    struct analysis *analysis = make_analysis();
    analysis->tempo.confidence = 0.9;
    profile_compute(analysis);
    const double sure = analysis->profile.rhythm;
    analysis->tempo.confidence = 0.2;
    profile_compute(analysis);
    assert_true(analysis->profile.rhythm < sure - 0.05);
    free(analysis);
}

static void harmony_rises_with_chroma_and_harmonic_share(void **state)
{
    (void)state;
    assert_rises(FINGERPRINT_CHROMA_ENERGY, 1.0 / 12.0, 1.0, 5);
    assert_rises(FINGERPRINT_HARMONIC_RATIO, 0.0, 1.0, 5);
}

static void nothing_steps_when_one_dimension_moves_a_little(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();
    profile_compute(analysis);
    double list[FEELINGS], moved[FEELINGS], scores[GENRE_COUNT];
    list_feelings(analysis, list);
    memcpy(scores, analysis->genre.scores, sizeof(scores));
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; d++) {
        const double old = analysis->fingerprint[d];
        analysis->fingerprint[d] = old * (1.0 + 1e-6) + 1e-7;
        profile_compute(analysis);
        list_feelings(analysis, moved);
        for (int i = 0; i < FEELINGS; i++)
            assert_true(fabs(moved[i] - list[i]) < 1e-4);
        for (int g = 0; g < GENRE_COUNT; g++)
            assert_true(fabs(analysis->genre.scores[g] - scores[g]) < 1e-4);
        analysis->fingerprint[d] = old;
    }
    free(analysis);
}

// The steepest figure, chroma_energy between noise and notes, goes from 0 to 1 within 0.016.
static void anything_measured_moves_scores_no_more_than_it_moves(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();
    const double step = 1e-6, steepest = 100.0;
    uint32_t seed = 20;
    for (int round = 0; round < 2000; round++) {
        double list[FEELINGS], moved[FEELINGS], scores[GENRE_COUNT];
        draw_analysis(analysis, &seed);
        profile_compute(analysis);
        list_feelings(analysis, list);
        memcpy(scores, analysis->genre.scores, sizeof(scores));
        for (int d = 0; d < FINGERPRINT_DIMENSIONS; d++)
            analysis->fingerprint[d] += step * (2.0 * uniform(&seed) - 1.0);
        analysis->tempo.confidence += step * (2.0 * uniform(&seed) - 1.0);
        analysis->key.strength += step * (2.0 * uniform(&seed) - 1.0);
        analysis->duration_s += step * (2.0 * uniform(&seed) - 1.0);
        profile_compute(analysis);
        list_feelings(analysis, moved);
        for (int i = 0; i < FEELINGS; i++)
            assert_true(fabs(moved[i] - list[i]) < steepest * step);
        for (int g = 0; g < GENRE_COUNT; g++)
            assert_true(fabs(analysis->genre.scores[g] - scores[g]) < steepest * step);
    }
    free(analysis);
}

static void a_trait_moves_the_feelings_that_it_speaks_for(void **state)
{
    (void)state;
    static const struct {
        enum fingerprint_dimension dimension;
        double middle, spread;
        double weights[FEELINGS]; // energy, dynamic range, brightness, warmth, rhythm, harmony
    } traits[] = {
        {FINGERPRINT_LUFS, -14.0, 6.0, {1.2}},
        {FINGERPRINT_CREST_DB, 14.0, 4.0, {-0.8, 1.8}},
        {FINGERPRINT_SPECTRAL_CENTROID, 0.30, 0.12, {0.0, 0.0, 2.0, -1.2}},
        {FINGERPRINT_BASS_PCT, 0.42, 0.20, {0.0, 0.0, 0.0, 1.8}}, // half with what lies below
        {FINGERPRINT_PRESENCE_PCT, 0.03, 0.05, {0.0, 0.0, 1.0}},  // and a twentieth with the air
        {FINGERPRINT_SPECTRAL_FLATNESS, 0.08, 0.08, {[5] = -0.5}},
        {FINGERPRINT_TRANSIENT_DENSITY, 0.35, 0.20, {0.7, 0.0, 0.0, 0.0, 0.8}},
        {FINGERPRINT_RHYTHM_STABILITY, 0.75, 0.28, {[4] = 1.5}},
        {FINGERPRINT_HARMONIC_RATIO, 0.65, 0.20, {-0.5, 0.0, 0.0, 0.0, -0.6, 1.0}},
        {FINGERPRINT_CHROMA_ENERGY, 0.20, 0.08, {[5] = 0.9}},
        {FINGERPRINT_LOUDNESS_VARIATION_STD, 3.0, 2.0, {0.0, 1.0}},
    };
    for (size_t i = 0; i < sizeof(traits) / sizeof(*traits); i++) {
        struct analysis *analysis = make_analysis();
        double *figure = &analysis->fingerprint[traits[i].dimension];
        double usual[FEELINGS], moved[FEELINGS];
        analysis->tempo.confidence = 1.0;
        *figure = traits[i].middle;
        profile_compute(analysis);
        list_feelings(analysis, usual);
        *figure += traits[i].spread;
        profile_compute(analysis);
        list_feelings(analysis, moved);
        for (int f = 0; f < FEELINGS; f++)
            assert_true(fabs(logit(moved[f]) - logit(usual[f]) - traits[i].weights[f] * tanh(1.0)) <
                        1e-9);
        free(analysis);
    }
}

static void noise_takes_from_harmony_and_hardly_any_sound_from_all(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();
    profile_compute(analysis);
    const double harmony = analysis->profile.harmony, energy = analysis->profile.energy;
    analysis->fingerprint[FINGERPRINT_SPECTRAL_FLATNESS] += 0.08;
    profile_compute(analysis);
    assert_true(fabs(logit(analysis->profile.harmony) - logit(harmony) + 0.5 * tanh(1.0)) < 1e-9);
    analysis->fingerprint[FINGERPRINT_SILENCE_RATIO] = 0.96; // four fifths of what 5 % would have
    profile_compute(analysis);
    assert_true(fabs(analysis->profile.energy / energy - 0.8) < 1e-9);
    free(analysis);
}

static void wild_measurements_stay_within_0_and_1(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        for (int d = 0; d < FINGERPRINT_DIMENSIONS; d++) {
            seed = seed * 1664525u + 1013904223u;
            analysis->fingerprint[d] = ((double)seed / 2147483648.0 - 1.0) * 300.0;
        }
        profile_compute(analysis);
        double list[FEELINGS];
        list_feelings(analysis, list);
        for (int i = 0; i < FEELINGS; i++)
            assert_true(list[i] >= 0.0 && list[i] <= 1.0);
        for (int g = 0; g < GENRE_COUNT; g++)
            assert_true(analysis->genre.scores[g] >= 0.0 && analysis->genre.scores[g] <= 1.0);
        assert_in_range(analysis->genre.label, 0, GENRE_UNKNOWN);
    }
    free(analysis);
}

static void silence_is_nothing_and_unknown(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();
    memset(analysis->fingerprint, 0, sizeof(analysis->fingerprint));
    analysis->fingerprint[FINGERPRINT_LUFS] = -70.0;
    analysis->fingerprint[FINGERPRINT_SILENCE_RATIO] = 1.0;

    profile_compute(analysis);

    double list[FEELINGS];
    list_feelings(analysis, list);
    for (int i = 0; i < FEELINGS; i++)
        assert_true(list[i] == 0.0);
    for (int g = 0; g < GENRE_COUNT; g++)
        assert_true(analysis->genre.scores[g] == 0.0);
    assert_int_equal(analysis->genre.label, GENRE_UNKNOWN);
    free(analysis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy_rises_with_loudness_and_onsets),
        cmocka_unit_test(dynamic_range_rises_with_crest_and_variation),
        cmocka_unit_test(brightness_rises_and_warmth_falls_with_the_centroid),
        cmocka_unit_test(rhythm_rises_with_stability_as_far_as_it_is_sure),
        cmocka_unit_test(harmony_rises_with_chroma_and_harmonic_share),
        cmocka_unit_test(nothing_steps_when_one_dimension_moves_a_little),
        cmocka_unit_test(a_trait_moves_the_feelings_that_it_speaks_for),
        cmocka_unit_test(noise_takes_from_harmony_and_hardly_any_sound_from_all),
        cmocka_unit_test(wild_measurements_stay_within_0_and_1),
        cmocka_unit_test(silence_is_nothing_and_unknown),
        cmocka_unit_test(anything_measured_moves_scores_no_more_than_it_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
