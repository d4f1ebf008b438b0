// SPDX-License-Identifier: MIT
#include "dsp/profile.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FEELINGS = 6 };

static struct analysis *make_analysis(void)
{
    static const double usual[FINGERPRINT_DIMENSIONS] = {
        0.08, 0.35, 0.20, 0.25, 0.06, 0.04, 0.02, -14.0, 14.0, 2.0, 115.0, 0.9, 0.35,
        0.02, 0.30, 0.40, 0.08, 0.65, 0.3,  0.2,  0.3,   3.0,  0.8, 0.2,   0.6,
    };
    struct analysis *analysis = analysis_create(0, 0);
    assert_non_null(analysis);
    memcpy(analysis->fingerprint, usual, sizeof(usual));
    analysis->duration_s = 200.0;
    analysis->tempo.bpm = 115.0;
    analysis->tempo.confidence = 0.83;
    analysis->key.strength = 0.7;
    return analysis;
}

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

static double uniform(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (double)*seed / 4294967296.0;
}

// A track somewhere in the ranges that music has, corners included.
static void draw_analysis(struct analysis *analysis, uint32_t *seed)
{
    static const double lowest[FINGERPRINT_DIMENSIONS] = {[FINGERPRINT_LUFS] = -70,
                                                          [FINGERPRINT_BASS_MID_RATIO] = -60,
                                                          [FINGERPRINT_CHROMA_ENERGY] = 0.0833};
    static const double widths[FINGERPRINT_DIMENSIONS] = {[FINGERPRINT_LUFS] = 75,
                                                          [FINGERPRINT_CREST_DB] = 40,
                                                          [FINGERPRINT_BASS_MID_RATIO] = 120,
                                                          [FINGERPRINT_TEMPO_BPM] = 240,
                                                          [FINGERPRINT_LOUDNESS_VARIATION_STD] =
                                                              20};
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; d++) {
        const double width = widths[d] > 0 ? widths[d] : 1.0;
        analysis->fingerprint[d] = lowest[d] + width * uniform(seed);
    }
    analysis->tempo.confidence = uniform(seed);
    analysis->key.strength = uniform(seed);
    analysis->duration_s = 30.0 * uniform(seed);
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

static double logit(double share)
{
    return log(share / (1.0 - share));
}

/// The middle of all music with one dimension a spread higher: a trait of tanh(1).
static void assert_genres_move(enum fingerprint_dimension dimension, double by,
                               const double weights[GENRE_COUNT])
{
    struct analysis *analysis = make_analysis();
    double scores[GENRE_COUNT];
    profile_compute(analysis);
    memcpy(scores, analysis->genre.scores, sizeof(scores));
    analysis->fingerprint[dimension] += by;
    profile_compute(analysis);
    for (int g = 0; g < GENRE_COUNT; g++) {
        const double moved = logit(analysis->genre.scores[g]) - logit(scores[g]);
        assert_true(fabs(moved - weights[g] * tanh(1.0)) < 0.02);
    }
    free(analysis);
}

static void a_trait_moves_the_genres_that_it_speaks_for(void **state)
{
    (void)state;
    const double fast[GENRE_COUNT] = {[GENRE_HIP_HOP] = -0.9, [GENRE_METAL] = 0.4};
    const double wide[GENRE_COUNT] = {[GENRE_ELECTRONIC] = 0.4,
                                      [GENRE_POP] = 0.2,
                                      [GENRE_ACOUSTIC] = -0.4,
                                      [GENRE_AMBIENT] = 0.6,
                                      [GENRE_COUNTRY] = -0.2};
    assert_genres_move(FINGERPRINT_TEMPO_BPM, 115.0 * (exp2(0.4) - 1.0), fast);
    assert_genres_move(FINGERPRINT_STEREO_WIDTH, 0.12, wide);
    // Treble is a fifth of a spread over the middle to begin with.
    const double airy[GENRE_COUNT] = {[GENRE_ELECTRONIC] = 0.4 * (1.0 - tanh(0.2) / tanh(1.0))};
    assert_genres_move(FINGERPRINT_PRESENCE_PCT, 0.04, airy);
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

static struct analysis *make_classical(void)
{
    struct analysis *analysis = make_analysis();
    analysis->fingerprint[FINGERPRINT_LUFS] = -24.0;
    analysis->fingerprint[FINGERPRINT_CREST_DB] = 20.0;
    analysis->fingerprint[FINGERPRINT_RHYTHM_STABILITY] = 0.5;
    analysis->fingerprint[FINGERPRINT_HARMONIC_RATIO] = 0.95;
    analysis->fingerprint[FINGERPRINT_LOUDNESS_VARIATION_STD] = 8.0;
    analysis->tempo.confidence = 0.1;
    return analysis;
}

static void a_few_seconds_are_no_evidence_of_a_genre(void **state)
{
    (void)state;
    struct analysis *analysis = make_classical();
    double before[GENRE_COUNT] = {0};
    for (int tenths = 0; tenths <= 300; tenths++) {
        analysis->duration_s = tenths / 10.0;
        profile_compute(analysis);
        for (int g = 0; g < GENRE_COUNT; g++) {
            assert_true(analysis->genre.scores[g] >= before[g]);
            assert_true(analysis->genre.scores[g] < before[g] + 0.01);
            before[g] = analysis->genre.scores[g];
        }
        if (tenths <= 50)
            assert_int_equal(analysis->genre.label, GENRE_UNKNOWN);
    }
    assert_int_equal(analysis->genre.label, GENRE_CLASSICAL);
    analysis->duration_s = 15.0; // from here on all is said
    profile_compute(analysis);
    for (int g = 0; g < GENRE_COUNT; g++)
        assert_true(analysis->genre.scores[g] >= before[g]);
    free(analysis);
}

/// How much of its score a track keeps whose chroma is so much over even, by a pulse of such a certainty.
static double share_kept(double over_even, double confidence, double duration_s)
{
    struct analysis *analysis = make_classical();
    double scores[2];
    for (int is_sure = 0; is_sure <= 1; is_sure++) { // as it is, and with notes beyond doubt
        analysis->fingerprint[FINGERPRINT_CHROMA_ENERGY] =
            1.0 / 12.0 + (is_sure ? 0.02 : over_even);
        analysis->tempo.confidence = confidence;
        analysis->duration_s = is_sure ? 200.0 : duration_s;
        profile_compute(analysis);
        scores[is_sure] = analysis->genre.scores[GENRE_CLASSICAL];
    }
    free(analysis);
    return scores[0] / scores[1];
}

static void part_of_the_evidence_is_part_of_the_score(void **state)
{
    (void)state;
    assert_true(fabs(share_kept(0.02, 0.0, 7.5) - 0.5) < 1e-9);
    assert_true(fabs(share_kept(0.012, 0.0, 200.0) - 0.5) < 0.01); // chroma is a trait besides
    assert_true(fabs(share_kept(0.008, 0.0, 200.0) - 0.25) < 0.01);
    assert_true(fabs(share_kept(0.008, 0.175, 200.0) - 0.75) < 0.01); // a pulse will do instead
    assert_true(fabs(share_kept(0.008, 0.11, 200.0) - 0.25) < 0.01);
}

static void neither_notes_nor_a_pulse_is_no_music(void **state)
{
    (void)state;
    struct analysis *analysis = make_classical();
    analysis->fingerprint[FINGERPRINT_CHROMA_ENERGY] = 0.0850; // of white noise
    analysis->tempo.confidence = 0.05;
    profile_compute(analysis);
    assert_int_equal(analysis->genre.label, GENRE_UNKNOWN);
    for (int g = 0; g < GENRE_COUNT; g++)
        assert_true(analysis->genre.scores[g] == 0.0);
    assert_true(analysis->profile.dynamic_range > 0.5); // which is there all the same
    analysis->fingerprint[FINGERPRINT_CHROMA_ENERGY] = 1.0 / 12.0 + 0.006;
    profile_compute(analysis);
    assert_true(analysis->genre.scores[GENRE_CLASSICAL] > 0.0); // a trace of notes
    free(analysis);
}

static void the_middle_of_all_music_has_no_genre(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();

    profile_compute(analysis);

    assert_int_equal(analysis->genre.label, GENRE_UNKNOWN);
    for (int g = 0; g < GENRE_COUNT; g++)
        assert_true(analysis->genre.scores[g] < 0.5); // a genre has to be earned
    free(analysis);
}

static void a_quiet_changeful_tonal_track_without_pulse_is_called_classical(void **state)
{
    (void)state;
    struct analysis *analysis = make_classical();

    profile_compute(analysis);

    assert_int_equal(analysis->genre.label, GENRE_CLASSICAL);
    free(analysis);
}

// 0.6, and 0.05 ahead of the next.
static void a_label_is_the_best_score_where_that_is_high_and_clear(void **state)
{
    (void)state;
    struct analysis *analysis = make_analysis();
    uint32_t seed = 30;
    int thin = 0, close = 0, clear = 0;
    for (int round = 0; round < 5000; round++) {
        draw_analysis(analysis, &seed);
        profile_compute(analysis);
        const double *scores = analysis->genre.scores;
        int best = 0, ahead = 0;
        for (int g = 1; g < GENRE_COUNT; g++)
            best = scores[g] > scores[best] ? g : best;
        for (int g = 0; g < GENRE_COUNT; g++)
            ahead += g != best && scores[best] - scores[g] >= 0.05;
        const int is_clear = ahead == GENRE_COUNT - 1;
        assert_int_equal(analysis->genre.label,
                         scores[best] >= 0.6 && is_clear ? best : GENRE_UNKNOWN);
        thin += scores[best] < 0.6;
        close += scores[best] >= 0.6 && !is_clear;
        clear += scores[best] >= 0.6 && is_clear;
    }
    assert_true(thin > 100 && close > 100 && clear > 100);
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
        cmocka_unit_test(a_trait_moves_the_genres_that_it_speaks_for),
        cmocka_unit_test(a_trait_moves_the_feelings_that_it_speaks_for),
        cmocka_unit_test(part_of_the_evidence_is_part_of_the_score),
        cmocka_unit_test(noise_takes_from_harmony_and_hardly_any_sound_from_all),
        cmocka_unit_test(wild_measurements_stay_within_0_and_1),
        cmocka_unit_test(silence_is_nothing_and_unknown),
        cmocka_unit_test(anything_measured_moves_scores_no_more_than_it_moves),
        cmocka_unit_test(a_few_seconds_are_no_evidence_of_a_genre),
        cmocka_unit_test(neither_notes_nor_a_pulse_is_no_music),
        cmocka_unit_test(the_middle_of_all_music_has_no_genre),
        cmocka_unit_test(a_quiet_changeful_tonal_track_without_pulse_is_called_classical),
        cmocka_unit_test(a_label_is_the_best_score_where_that_is_high_and_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
