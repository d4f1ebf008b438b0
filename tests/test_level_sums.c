// SPDX-License-Identifier: MIT
// Levels of a stereo signal: closed forms of crest, blocks, width, correlation.
#include "dsp/level/level_sums.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

enum { RATE_HZ = 8000, MAX_FRAMES = 8 * RATE_HZ };
static const double SINE_CREST_DB = 3.010299956639812;

struct sound {
    float left[MAX_FRAMES], right[MAX_FRAMES];
    uint32_t frames;
};

static struct level_result measure(const struct sound *sound)
{
    struct level_sums sums;
    struct level_result result;
    level_sums_init(&sums, RATE_HZ);
    level_sums_feed(&sums, sound->left, sound->right, sound->frames);
    level_sums_finish(&sums, &result);
    return result;
}

// A sine of 100 Hz, whole cycles a second, that passes its peaks.
static double sine(uint32_t i)
{
    return sin(2 * M_PI * i / 80.0);
}

static double cosine(uint32_t i)
{
    return cos(2 * M_PI * i / 80.0);
}

static double square(uint32_t i)
{
    return i / 40 % 2 ? -1.0 : 1.0;
}

static struct sound *make_sound(uint32_t frames)
{
    struct sound *sound = calloc(1, sizeof *sound);
    assert_non_null(sound);
    assert_true(frames <= MAX_FRAMES);
    sound->frames = frames;
    return sound;
}

static void crest_of_a_sine_is_3_01_db_and_of_a_square_0(void **state)
{
    (void)state;
    struct sound *sound = make_sound(3 * RATE_HZ);
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = sound->right[i] = (float)(0.3 * sine(i));
    assert_near(measure(sound).crest_db, SINE_CREST_DB, 1e-6);
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = sound->right[i] = (float)(0.7 * square(i));
    assert_near(measure(sound).crest_db, 0.0, 1e-6);
    // One side alone: the same peak, half of the power.
    memset(sound->right, 0, sizeof sound->right);
    assert_near(measure(sound).crest_db, SINE_CREST_DB, 1e-6);
    // A peak is found on either side, and under zero.
    sound->right[777] = -1.4F;
    assert_near(measure(sound).crest_db, SINE_CREST_DB + 20 * log10(2), 2e-3);
    free(sound);
}

static void crest_of_a_constant_is_never_under_0(void **state)
{
    (void)state;
    struct sound *sound = make_sound(3 * RATE_HZ + 77);
    for (int level = 1; level < 60; ++level) {
        for (uint32_t i = 0; i < sound->frames; ++i)
            sound->left[i] = sound->right[i] = (float)level / 37.0F;
        const double crest_db = measure(sound).crest_db;
        assert_true(crest_db >= 0);
        assert_near(crest_db, 0.0, 1e-6);
    }
    free(sound);
}

// Blocks of 1 s at full and at half level: peaks 1 and 1/2, mean 3/4, deviation 1/4.
static void peak_consistency_of_two_levels(void **state)
{
    (void)state;
    struct sound *sound = make_sound(4 * RATE_HZ);
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = (float)(sine(i) * (i / RATE_HZ % 2 ? 0.5 : 1.0));
    const struct level_result result = measure(sound);
    assert_near(result.peak_consistency, 1 / (1 + 1.0 / 3), 1e-6);
    assert_near(result.dynamic_range_variation, 0.0, 1e-6);
    free(sound);
}

// Sine and square seconds in turn: crest 3.01 + 3.01 and 3.01 dB on one side.
static void variation_is_the_populations_deviation_of_crests(void **state)
{
    (void)state;
    struct sound *sound = make_sound(4 * RATE_HZ);
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = sound->right[i] = (float)(i / RATE_HZ % 2 ? sine(i) : square(i));
    const double v = SINE_CREST_DB / 2;
    assert_near(measure(sound).dynamic_range_variation, v / (v + 6), 1e-6);
    free(sound);
}

static void a_last_part_block_is_dropped_unless_it_is_the_only_one(void **state)
{
    (void)state;
    struct sound *sound = make_sound(2 * RATE_HZ + RATE_HZ / 2);
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = (float)(i < 2 * RATE_HZ ? sine(i) : 0.1 * square(i));
    assert_near(measure(sound).peak_consistency, 1.0, 1e-9);
    assert_near(measure(sound).dynamic_range_variation, 0.0, 1e-6);
    // One frame more than a second less one: still no whole block. Its peak alone is steady.
    sound->frames = RATE_HZ - 1;
    assert_near(measure(sound).peak_consistency, 1.0, 1e-9);
    assert_near(measure(sound).crest_db, 2 * SINE_CREST_DB, 1e-3);
    sound->frames = 1;
    sound->left[0] = -0.5F;
    assert_near(measure(sound).crest_db, SINE_CREST_DB, 1e-6);
    free(sound);
}

// Peaks 1, 0, 1, 0: mean 1/2, deviation 1/2. The silent blocks have no crest.
static void silent_blocks_count_as_peaks_but_have_no_crest(void **state)
{
    (void)state;
    struct sound *sound = make_sound(4 * RATE_HZ);
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->right[i] = (float)(i / RATE_HZ % 2 ? 0.0 : sine(i));
    const struct level_result result = measure(sound);
    assert_near(result.peak_consistency, 0.5, 1e-6);
    assert_near(result.dynamic_range_variation, 0.0, 1e-6);
    free(sound);
}

static void width_is_sides_share_of_middle_and_side(void **state)
{
    (void)state;
    static const struct {
        double right_sine, right_cosine, width;
    } cases[] = {
        {1, 0, 0},      // the same
        {-1, 0, 1},     // against each other
        {0, 0, 0.5},    // one side alone
        {0, 1, 0.5},    // at right angles
        {0.5, 0, 0.25}, // M = 3/4, S = 1/4
        {-1.0 / 3, 0, 2.0 / 3},
    };
    struct sound *sound = make_sound(RATE_HZ);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; ++c) {
        for (uint32_t i = 0; i < sound->frames; ++i) {
            sound->left[i] = (float)(0.5 * sine(i));
            sound->right[i] =
                (float)(0.5 * (cases[c].right_sine * sine(i) + cases[c].right_cosine * cosine(i)));
        }
        assert_near(measure(sound).stereo_width, cases[c].width, 1e-6);
        for (uint32_t i = 0; i < sound->frames; ++i) { // at any level
            sound->left[i] *= 1e-8F;
            sound->right[i] *= 1e-8F;
        }
        assert_near(measure(sound).stereo_width, cases[c].width, 1e-6);
    }
    free(sound);
}

// Sine and cosine are at right angles, so r is the cosine of the phase, whatever gains and means are.
static void correlation_is_the_cosine_of_the_phase(void **state)
{
    (void)state;
    struct sound *sound = make_sound(RATE_HZ + RATE_HZ / 2);
    for (double phase = 0; phase <= M_PI; phase += M_PI / 12) {
        for (uint32_t i = 0; i < sound->frames; ++i) {
            sound->left[i] = (float)(0.2 * sine(i) + 0.4);
            sound->right[i] = (float)(0.5 * (cos(phase) * sine(i) + sin(phase) * cosine(i)) - 0.3);
        }
        assert_near(measure(sound).phase_correlation, cos(phase), 1e-6);
    }
    free(sound);
}

static void correlation_of_constant_sides(void **state)
{
    (void)state;
    struct sound *sound = make_sound(RATE_HZ);
    assert_near(measure(sound).phase_correlation, 1.0, 0.0); // silence
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = 0.25F;
    assert_near(measure(sound).phase_correlation, 1.0, 0.0); // both constant
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->right[i] = (float)(0.1 * sine(i));
    assert_near(measure(sound).phase_correlation, 0.0, 0.0); // the left one alone
    for (int level = 1; level < 60; ++level) {               // whatever its sums are rounded to
        for (uint32_t i = 0; i < sound->frames; ++i) {
            sound->left[i] = (float)level / 37.0F;
            sound->right[i] = (float)(0.3 + 0.1 * sine(i));
        }
        assert_near(measure(sound).phase_correlation, 0.0, 0.0);
    }
    memcpy(sound->left, sound->right, sizeof sound->left);
    assert_near(measure(sound).phase_correlation, 1.0, 1e-12);
    free(sound);
}

static void silence_and_nothing_have_their_figures(void **state)
{
    (void)state;
    struct sound *sound = make_sound(2 * RATE_HZ);
    for (int i = 0; i < 2; ++i) {
        const struct level_result result = measure(sound);
        assert_near(result.crest_db, 0.0, 0.0);
        assert_near(result.dynamic_range_variation, 0.0, 0.0);
        assert_near(result.peak_consistency, 1.0, 0.0);
        assert_near(result.stereo_width, 0.0, 0.0);
        sound->frames = 0;
    }
    free(sound);
}

// Lanes are counted from the start of each feed, so sums may differ in the last bits: not the figures.
// Squares of what is under 1e-19 are no floats with all their bits, those of denormals are 0.
static void what_is_fainter_than_any_square_is_silence(void **state)
{
    (void)state;
    static const float faint[] = {1e-45F, 1e-40F, 1e-38F, 1e-30F, 1e-23F};
    struct sound *sound = make_sound(3 * RATE_HZ);
    for (size_t f = 0; f < sizeof faint / sizeof *faint; ++f) {
        for (uint32_t i = 0; i < sound->frames; ++i) {
            sound->left[i] = faint[f];
            sound->right[i] = i % 3 ? faint[f] : 0.0F;
        }
        const struct level_result result = measure(sound);
        assert_near(result.crest_db, 0.0, 0.0);
        assert_near(result.dynamic_range_variation, 0.0, 0.0);
        assert_near(result.stereo_width, 0.0, 0.0);
        assert_near(result.phase_correlation, 1.0, 0.0);
    }
    for (uint32_t i = 0; i < sound->frames; ++i)
        sound->left[i] = sound->right[i] = (float)(1e-17 * sine(i));
    assert_near(measure(sound).crest_db, SINE_CREST_DB, 1e-5);
    free(sound);
}

static void figures_do_not_depend_on_how_the_sound_is_cut(void **state)
{
    (void)state;
    struct sound *sound = make_sound(3 * RATE_HZ + 17);
    uint64_t seed = 31;
    for (uint32_t i = 0; i < sound->frames; ++i) {
        sound->left[i] = (float)(rng_unit(&seed) - 0.4);
        sound->right[i] = (float)(rng_unit(&seed) * (i / 5000.0));
    }
    const struct level_result whole = measure(sound);
    const uint32_t parts[] = {1, 7, 999, RATE_HZ, RATE_HZ + 1};
    for (int p = 0; p < 5; ++p) {
        struct level_sums sums;
        struct level_result cut;
        level_sums_init(&sums, RATE_HZ);
        for (uint32_t at = 0; at < sound->frames; at += parts[p]) {
            const uint32_t left = sound->frames - at;
            level_sums_feed(&sums, sound->left + at, sound->right + at,
                            parts[p] < left ? parts[p] : left);
        }
        level_sums_finish(&sums, &cut);
        assert_near(cut.crest_db, whole.crest_db, 1e-6);
        assert_near(cut.dynamic_range_variation, whole.dynamic_range_variation, 1e-6);
        assert_near(cut.peak_consistency, whole.peak_consistency, 1e-6);
        assert_near(cut.stereo_width, whole.stereo_width, 1e-6);
        assert_near(cut.phase_correlation, whole.phase_correlation, 1e-6);
    }
    free(sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crest_of_a_sine_is_3_01_db_and_of_a_square_0),
        cmocka_unit_test(crest_of_a_constant_is_never_under_0),
        cmocka_unit_test(peak_consistency_of_two_levels),
        cmocka_unit_test(variation_is_the_populations_deviation_of_crests),
        cmocka_unit_test(a_last_part_block_is_dropped_unless_it_is_the_only_one),
        cmocka_unit_test(silent_blocks_count_as_peaks_but_have_no_crest),
        cmocka_unit_test(width_is_sides_share_of_middle_and_side),
        cmocka_unit_test(correlation_is_the_cosine_of_the_phase),
        cmocka_unit_test(correlation_of_constant_sides),
        cmocka_unit_test(silence_and_nothing_have_their_figures),
        cmocka_unit_test(what_is_fainter_than_any_square_is_silence),
        cmocka_unit_test(figures_do_not_depend_on_how_the_sound_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
