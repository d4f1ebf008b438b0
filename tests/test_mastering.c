// SPDX-License-Identifier: MIT
#include "dsp/mastering/mastering.h"
#include "support/measure.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

/// A pop track near the corpus' middle.
static struct analysis *typical_track(void)
{
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    double *fp = a->fingerprint;
    fp[FINGERPRINT_SUB_BASS_PCT] = 0.08;
    fp[FINGERPRINT_BASS_PCT] = 0.40;
    fp[FINGERPRINT_LOW_MID_PCT] = 0.14;
    fp[FINGERPRINT_MID_PCT] = 0.25;
    fp[FINGERPRINT_UPPER_MID_PCT] = 0.08;
    fp[FINGERPRINT_PRESENCE_PCT] = 0.04;
    fp[FINGERPRINT_AIR_PCT] = 0.01;
    fp[FINGERPRINT_LUFS] = -16;
    fp[FINGERPRINT_CREST_DB] = 13.5;
    fp[FINGERPRINT_LOUDNESS_VARIATION_STD] = 1.7;
    fp[FINGERPRINT_SPECTRAL_CENTROID] = 0.12;
    fp[FINGERPRINT_STEREO_WIDTH] = 0.2;
    fp[FINGERPRINT_PHASE_CORRELATION] = 0.7;
    return a;
}

static struct mastering_targets targets_of(const struct analysis *a, int preset, double intensity)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.preset = (enum mastering_preset)preset;
    settings.intensity = intensity;
    struct mastering_targets t;
    mastering_targets_compute(&t, a, &settings);
    return t;
}

/// The sounding members as plain numbers.
enum { NUMBERS = 12 };
static void numbers_of(double out[NUMBERS], const struct mastering_targets *t)
{
    memcpy(out, t->eq_db, sizeof t->eq_db);
    out[5] = t->compressor.threshold_db;
    out[6] = t->compressor.ratio;
    out[7] = t->compressor.mix;
    out[8] = t->width;
    out[9] = t->makeup_db;
    out[10] = t->limiter.release_s;
    out[11] = t->target_lufs;
}

static const struct {
    enum fingerprint_dimension dimension;
    double low, high;
} ranges[] = {
    {FINGERPRINT_BASS_PCT, 0, 1},
    {FINGERPRINT_LOW_MID_PCT, 0, 1},
    {FINGERPRINT_MID_PCT, 0, 1},
    {FINGERPRINT_PRESENCE_PCT, 0, 1},
    {FINGERPRINT_AIR_PCT, 0, 1},
    {FINGERPRINT_LUFS, -70, 0},
    {FINGERPRINT_CREST_DB, 0, 40},
    {FINGERPRINT_LOUDNESS_VARIATION_STD, 0, 20},
    {FINGERPRINT_SPECTRAL_CENTROID, 0, 1},
    {FINGERPRINT_STEREO_WIDTH, 0, 1},
    {FINGERPRINT_PHASE_CORRELATION, -1, 1},
};

static void targets_are_bounded_and_finite_over_every_dimension(void **state)
{
    (void)state;
    static const double limits_db[EQ_BAND_COUNT] = {4, 2, 2, 3, 3};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; ++r)
        for (int preset = 0; preset < PRESET_COUNT; ++preset)
            for (int i = 0; i <= 20; ++i) {
                struct analysis *a = typical_track();
                a->fingerprint[ranges[r].dimension] =
                    ranges[r].low + (ranges[r].high - ranges[r].low) * i / 20;
                const struct mastering_targets t = targets_of(a, preset, 1);
                for (int band = 0; band < EQ_BAND_COUNT; ++band)
                    assert_true(fabs(t.eq_db[band]) <= limits_db[band]);
                assert_true(t.compressor.ratio >= 1 && t.compressor.ratio <= 4);
                assert_true(t.compressor.mix >= 0 && t.compressor.mix <= 1);
                assert_true(t.compressor.attack_s <= 0.35 && t.compressor.release_s <= 0.35);
                assert_true(t.limiter.release_s > 0.01 && t.limiter.release_s <= 0.35);
                assert_true(t.width >= 0.8 && t.width <= 1.2);
                assert_true(isfinite(t.makeup_db) && isfinite(t.target_lufs));
                free(a);
            }
}

static void targets_move_by_little_when_the_track_does(void **state)
{
    (void)state;
    enum { STEPS = 20000 };
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; ++r) {
        struct analysis *a = typical_track();
        double last[NUMBERS] = {0};
        for (int i = 0; i <= STEPS; ++i) {
            const double span = ranges[r].high - ranges[r].low;
            a->fingerprint[ranges[r].dimension] = ranges[r].low + span * i / STEPS;
            const struct mastering_targets t = targets_of(a, PRESET_PUNCHY, 1);
            double now[NUMBERS];
            numbers_of(now, &t);
            for (int k = 0; i > 0 && k < NUMBERS; ++k)
                assert_true(fabs(now[k] - last[k]) <= 0.5); // of dB; a step would be far larger
            for (int k = 0; i > 200 && k < NUMBERS; ++k)
                assert_true(fabs(now[k] - last[k]) <= 0.08);
            memcpy(last, now, sizeof last);
        }
        free(a);
    }
}

static void eq_gain_falls_as_its_band_gets_stronger(void **state)
{
    (void)state;
    // Above the gate's range, where a band is music.
    static const struct {
        enum fingerprint_dimension dimension;
        int band;
        double from;
    } rows[] = {{FINGERPRINT_BASS_PCT, 0, 0.06},
                {FINGERPRINT_LOW_MID_PCT, 1, 0.016},
                {FINGERPRINT_MID_PCT, 2, 0.022},
                {FINGERPRINT_PRESENCE_PCT, 3, 0.007},
                {FINGERPRINT_AIR_PCT, 4, 0.00043}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; ++r) {
        struct analysis *a = typical_track();
        a->fingerprint[FINGERPRINT_SUB_BASS_PCT] = 0;
        a->fingerprint[FINGERPRINT_UPPER_MID_PCT] = 0;
        double last = INFINITY;
        for (int i = 0; i <= 200; ++i) {
            a->fingerprint[rows[r].dimension] = rows[r].from + (1 - rows[r].from) * i / 200;
            const double now = targets_of(a, PRESET_ADAPTIVE, 1).eq_db[rows[r].band];
            assert_true(now <= last + 1e-12);
            last = now;
        }
        assert_true(last < 0);
        free(a);
    }
}

static void an_empty_band_is_not_lifted(void **state)
{
    (void)state;
    struct analysis *a = typical_track();
    a->fingerprint[FINGERPRINT_AIR_PCT] = 0;
    a->fingerprint[FINGERPRINT_LOW_MID_PCT] = 0;
    for (int preset = 0; preset < PRESET_COUNT; ++preset) {
        const struct mastering_targets t = targets_of(a, preset, 1);
        assert_true(t.eq_db[4] == 0);
        assert_true(t.eq_db[1] == 0);
    }
    free(a);
}

static void compression_is_strongest_for_mid_dynamics_and_absent_at_both_ends(void **state)
{
    (void)state;
    struct analysis *a = typical_track();
    const double mid = targets_of(a, PRESET_ADAPTIVE, 1).compressor.mix;
    a->fingerprint[FINGERPRINT_CREST_DB] = 3.01; // a steady sine
    a->fingerprint[FINGERPRINT_LOUDNESS_VARIATION_STD] = 0;
    for (int preset = 0; preset < PRESET_COUNT; ++preset)
        assert_true(targets_of(a, preset, 1).compressor.mix == 0);
    a->fingerprint[FINGERPRINT_CREST_DB] = 26;
    a->fingerprint[FINGERPRINT_LOUDNESS_VARIATION_STD] = 9;
    const double precious = targets_of(a, PRESET_ADAPTIVE, 1).compressor.mix;
    assert_true(mid > 0.5);
    assert_true(precious == 0);
    free(a);
}

static void anti_phase_is_never_widened(void **state)
{
    (void)state;
    struct analysis *a = typical_track();
    a->fingerprint[FINGERPRINT_STEREO_WIDTH] = 0.1;
    for (int preset = 0; preset < PRESET_COUNT; ++preset) {
        a->fingerprint[FINGERPRINT_PHASE_CORRELATION] = 0.9;
        assert_true(targets_of(a, preset, 1).width > 1);
        a->fingerprint[FINGERPRINT_PHASE_CORRELATION] = -0.01;
        assert_true(targets_of(a, preset, 1).width <= 1);
    }
    free(a);
}

static void presets_lean_the_way_their_names_say(void **state)
{
    (void)state;
    struct analysis *a = typical_track();
    const struct mastering_targets adaptive = targets_of(a, PRESET_ADAPTIVE, 1);
    const struct mastering_targets gentle = targets_of(a, PRESET_GENTLE, 1);
    const struct mastering_targets warm = targets_of(a, PRESET_WARM, 1);
    const struct mastering_targets bright = targets_of(a, PRESET_BRIGHT, 1);
    const struct mastering_targets punchy = targets_of(a, PRESET_PUNCHY, 1);
    const struct mastering_targets live = targets_of(a, PRESET_LIVE, 1);
    assert_true(gentle.compressor.mix < adaptive.compressor.mix);
    assert_true(warm.eq_db[4] < adaptive.eq_db[4] && warm.eq_db[0] > adaptive.eq_db[0]);
    assert_true(bright.eq_db[4] > adaptive.eq_db[4]);
    assert_true(punchy.eq_db[0] > adaptive.eq_db[0]);
    assert_true(punchy.compressor.ratio > adaptive.compressor.ratio);
    assert_true(live.width > adaptive.width && live.compressor.mix < adaptive.compressor.mix);
    assert_true(adaptive.target_lufs == -14 && warm.target_lufs == -14);
    assert_true(bright.target_lufs == -14 && gentle.target_lufs == -16);
    assert_true(punchy.target_lufs == -12 && live.target_lufs == -15);
    free(a);
}

static void intensity_grows_every_effect_from_nothing(void **state)
{
    (void)state;
    struct analysis *a = typical_track();
    const struct mastering_targets none = targets_of(a, PRESET_PUNCHY, 0);
    assert_int_equal(none.bypass, 1);
    double last[4] = {0};
    for (int i = 1; i <= 10; ++i) {
        const struct mastering_targets t = targets_of(a, PRESET_PUNCHY, i / 10.0);
        assert_int_equal(t.bypass, 0);
        const double now[4] = {fabs(t.makeup_db), fabs(t.eq_db[0]), fabs(t.width - 1),
                               t.compressor.mix};
        for (int k = 0; k < 4; ++k) {
            assert_true(now[k] > last[k]);
            assert_true(now[k] - last[k] < 0.5); // a tenth of the whole
            last[k] = now[k];
        }
    }
    free(a);
}

static void loudness_goal_is_the_presets_the_users_or_the_tracks_own(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    assert_true(mastering_target_lufs(&settings, -20) == -14);
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -23;
    assert_true(mastering_target_lufs(&settings, -20) == -23);
    settings.goal = LOUDNESS_AS_IS;
    assert_true(mastering_target_lufs(&settings, -20) == -20);
}

static void settings_out_of_range_are_refused(void **state)
{
    (void)state;
    struct mastering_settings settings = mastering_settings_default();
    assert_int_equal(mastering_settings_check(&settings), 0);
    settings.intensity = 1.01;
    assert_int_equal(mastering_settings_check(&settings), -EINVAL);
    settings.intensity = NAN;
    assert_int_equal(mastering_settings_check(&settings), -EINVAL);
    settings = mastering_settings_default();
    settings.goal = LOUDNESS_FIXED;
    settings.target_lufs = -5.9;
    assert_int_equal(mastering_settings_check(&settings), -EINVAL);
    settings.target_lufs = -36;
    assert_int_equal(mastering_settings_check(&settings), 0);
    settings.preset = PRESET_COUNT;
    assert_int_equal(mastering_settings_check(&settings), -EINVAL);
}

static void preset_names_parse_back(void **state)
{
    (void)state;
    for (int preset = 0; preset < PRESET_COUNT; ++preset)
        assert_int_equal(mastering_preset_parse(mastering_preset_name(preset)), preset);
    assert_int_equal(mastering_preset_parse("loud"), -EINVAL);
    assert_null(mastering_preset_name(PRESET_COUNT));
    assert_null(mastering_preset_name(-1));
}

static void undefined_figures_still_give_finite_targets(void **state)
{
    (void)state;
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    for (int i = 0; i < FINGERPRINT_DIMENSIONS; ++i)
        a->fingerprint[i] = NAN;
    const struct mastering_targets t = targets_of(a, PRESET_LIVE, 1);
    double numbers[NUMBERS];
    numbers_of(numbers, &t);
    for (int k = 0; k < NUMBERS; ++k)
        assert_true(isfinite(numbers[k]));
    free(a);
}

static double random_in(uint64_t *seed, double low, double high)
{
    return low + (high - low) * 0.5 * (measure_noise(seed) + 1);
}

/// A fingerprint from anywhere in its range, its bands adding to 1.
static void fill_anyhow(double *fp, uint64_t *seed)
{
    double sum = 0;
    for (int band = 0; band < BAND_COUNT; ++band)
        sum += fp[FINGERPRINT_SUB_BASS_PCT + band] = pow(10, random_in(seed, -4, 0));
    for (int band = 0; band < BAND_COUNT; ++band)
        fp[FINGERPRINT_SUB_BASS_PCT + band] /= sum;
    for (size_t r = 5; r < sizeof ranges / sizeof *ranges; ++r)
        fp[ranges[r].dimension] = random_in(seed, ranges[r].low, ranges[r].high);
}

static void targets_of_any_track_are_bounded_and_move_little_with_it(void **state)
{
    (void)state;
    static const double most[NUMBERS] = {4, 2, 2, 3, 3, 100, 4, 1, 1.2, 64, 0.35, 0};
    uint64_t seed = 29;
    for (int trial = 0; trial < 20000; ++trial) {
        struct analysis *a = typical_track();
        fill_anyhow(a->fingerprint, &seed);
        const int preset = trial % PRESET_COUNT;
        const double intensity = random_in(&seed, 0.05, 1);
        const struct mastering_targets before = targets_of(a, preset, intensity);
        // Each dimension by a hundred thousandth of its range, bands by as much of themselves.
        for (int band = 0; band < BAND_COUNT; ++band)
            a->fingerprint[FINGERPRINT_SUB_BASS_PCT + band] *= 1 + 1e-5 * measure_noise(&seed);
        for (size_t r = 5; r < sizeof ranges / sizeof *ranges; ++r)
            a->fingerprint[ranges[r].dimension] +=
                1e-5 * (ranges[r].high - ranges[r].low) * measure_noise(&seed);
        const struct mastering_targets after = targets_of(a, preset, intensity);
        double x[NUMBERS], y[NUMBERS];
        numbers_of(x, &before);
        numbers_of(y, &after);
        for (int k = 0; k < NUMBERS; ++k) {
            assert_true(isfinite(x[k]) && fabs(x[k] - y[k]) <= 2e-3);
            assert_true(k == NUMBERS - 1 || fabs(x[k]) <= most[k] + 1e-9);
        }
        free(a);
    }
}

static void track_mastered_before_gets_only_makeup(void **state)
{
    (void)state;
    struct analysis *a = typical_track();
    for (int preset = 0; preset < PRESET_COUNT; ++preset) {
        struct mastering_settings settings = mastering_settings_default();
        settings.preset = (enum mastering_preset)preset;
        struct mastering_targets first, again;
        mastering_targets_compute(&first, a, &settings);
        mastering_targets_compute_again(&again, a, &settings);
        for (int band = 0; band < EQ_BAND_COUNT; ++band)
            assert_true(again.eq_db[band] == 0);
        assert_true(again.compressor.mix == 0 && again.compressor.ratio == 1);
        assert_true(again.width == 1);
        assert_true(again.target_lufs == first.target_lufs && again.makeup_db == first.makeup_db);
        assert_true(mastering_targets_are_neutral(&again));
        assert_false(mastering_targets_are_neutral(&first));
        assert_true(mastering_targets_are_again(&again, a));
        assert_false(mastering_targets_are_again(&first, a));
    }
    free(a);
}

// Nor is silence. There is nothing in them to shape, at any preset.
static void a_constant_is_not_taken_for_mastered_before(void **state)
{
    (void)state;
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    a->fingerprint[FINGERPRINT_LUFS] = -26.4; // of its ends alone
    for (int preset = 0; preset < PRESET_COUNT; ++preset) {
        struct mastering_settings settings = mastering_settings_default();
        settings.preset = (enum mastering_preset)preset;
        struct mastering_targets first;
        mastering_targets_compute(&first, a, &settings);
        assert_true(mastering_targets_are_neutral(&first));
        assert_false(mastering_targets_are_again(&first, a));
    }
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_bounded_and_finite_over_every_dimension),
        cmocka_unit_test(targets_move_by_little_when_the_track_does),
        cmocka_unit_test(eq_gain_falls_as_its_band_gets_stronger),
        cmocka_unit_test(an_empty_band_is_not_lifted),
        cmocka_unit_test(compression_is_strongest_for_mid_dynamics_and_absent_at_both_ends),
        cmocka_unit_test(anti_phase_is_never_widened),
        cmocka_unit_test(presets_lean_the_way_their_names_say),
        cmocka_unit_test(intensity_grows_every_effect_from_nothing),
        cmocka_unit_test(loudness_goal_is_the_presets_the_users_or_the_tracks_own),
        cmocka_unit_test(settings_out_of_range_are_refused),
        cmocka_unit_test(preset_names_parse_back),
        cmocka_unit_test(undefined_figures_still_give_finite_targets),
        cmocka_unit_test(targets_of_any_track_are_bounded_and_move_little_with_it),
        cmocka_unit_test(track_mastered_before_gets_only_makeup),
        cmocka_unit_test(a_constant_is_not_taken_for_mastered_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
