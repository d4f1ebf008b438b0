// SPDX-License-Identifier: MIT
#include "support/profile_fixture.h"

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
        cmocka_unit_test(a_trait_moves_the_genres_that_it_speaks_for),
        cmocka_unit_test(part_of_the_evidence_is_part_of_the_score),
        cmocka_unit_test(a_few_seconds_are_no_evidence_of_a_genre),
        cmocka_unit_test(neither_notes_nor_a_pulse_is_no_music),
        cmocka_unit_test(the_middle_of_all_music_has_no_genre),
        cmocka_unit_test(a_quiet_changeful_tonal_track_without_pulse_is_called_classical),
        cmocka_unit_test(a_label_is_the_best_score_where_that_is_high_and_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
