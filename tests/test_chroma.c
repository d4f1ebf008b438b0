// SPDX-License-Identifier: MIT
// Pitch classes: the filter against librosa's figures and its formula, the gate and the means.
#include "dsp/spectrum/low_spectrum.h"
#include "dsp/tonality/chroma.h"
#include "support/near.h"
#include "support/rng.h"
#include <string.h>

enum { BINS = LOW_SPECTRUM_BINS, CLASSES = PITCH_CLASS_COUNT };

static struct chroma *make_chroma(double rate_hz)
{
    struct chroma *chroma = NULL;
    assert_int_equal(chroma_create(&chroma, rate_hz), 0);
    return chroma;
}

// librosa 0.11: filters.chroma(sr, n_fft=2048, tuning=0)[[0, 4, 9, 11], bin].
static void weights_are_librosas(void **state)
{
    (void)state;
    static const struct {
        double rate_hz;
        uint32_t bin;
        double weights[4];
    } cases[] = {
        {22050, 0, {0.00013768, 0.00011736, 0.00013634, 0.00013894}},
        {22050, 1, {0.00156970, 0.00213437, 0.00167745, 0.00135611}},
        {22050, 2, {0.00447342, 0.01098109, 0.00543133, 0.00291742}},
        {22050, 5, {0.00801086, 0.00106336, 0.07630166, 0.02537044}},
        {22050, 12, {0.32943172, 0.00000000, 0.00010713, 0.18189518}},
        {22050, 25, {0.49867616, 0.00000000, 0.00000000, 0.00943623}},
        {22050, 41, {0.00000003, 0.00000000, 0.86620563, 0.00045554}},
        {22050, 100, {0.71085121, 0.00000000, 0.00000000, 0.01345112}},
        {22050, 1024, {0.00000000, 0.06187210, 0.00000000, 0.00000000}},
        {24000, 0, {0.00017630, 0.00016157, 0.00016534, 0.00017471}},
        {24000, 1, {0.00164319, 0.00243363, 0.00234492, 0.00190209}},
        {24000, 5, {0.04276819, 0.00008093, 0.06959275, 0.07515637}},
        {24000, 12, {0.07348632, 0.00014459, 0.00000000, 0.00191008}},
        {24000, 82, {0.01482693, 0.00000000, 0.01121461, 0.73757601}},
        {24000, 333, {0.03060717, 0.00000000, 0.00099901, 0.53405195}},
    };
    static const uint32_t classes[] = {0, 4, 9, 11};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct chroma *chroma = make_chroma(cases[i].rate_hz);
        for (int c = 0; c < 4; ++c)
            assert_near((double)chroma_weights(chroma, classes[c])[cases[i].bin],
                        cases[i].weights[c], 2e-8);
        chroma_destroy(&chroma);
    }
}

// Octaves above 27.5 Hz, the lowest A; bin 0 lies one and a half under bin 1.
static double octaves(uint32_t bin, double rate_hz)
{
    return bin ? log2(bin * rate_hz / 2048 / 27.5) : log2(rate_hz / 2048 / 27.5) - 1.5;
}

static void weights_are_the_formulas_in_every_bin(void **state)
{
    (void)state;
    const double rates_hz[] = {1000, 22050, 24000, 44099};
    for (int r = 0; r < 4; ++r) {
        struct chroma *chroma = make_chroma(rates_hz[r]);
        for (uint32_t k = 0; k < BINS; ++k) {
            const double place = 12 * octaves(k, rates_hz[r]);
            const double width = fmax(1, 12 * octaves(k + 1, rates_hz[r]) - place);
            double bumps[CLASSES], squares = 0;
            for (int p = 0; p < CLASSES; ++p) { // semitones from pitch class p, where 9 is A
                const double apart = remainder(place + 9 - p, 12);
                bumps[p] = exp(-2 * apart * apart / (width * width));
                squares += bumps[p] * bumps[p];
            }
            const double high = (octaves(k, rates_hz[r]) - 5) / 2;
            for (uint32_t p = 0; p < CLASSES; ++p)
                assert_near((double)chroma_weights(chroma, p)[k],
                            bumps[p] / sqrt(squares) * exp(-0.5 * high * high), 1e-6);
        }
        chroma_destroy(&chroma);
    }
}

struct means {
    double silence_ratio, concentration, chroma[CLASSES];
};

// By the definition: every frame is kept until the loudest is known.
static struct means naive_means(const struct chroma *chroma, const float *powers,
                                const double *mean_squares, uint32_t frames)
{
    struct means means = {0};
    double loudest = 0;
    uint32_t kept = 0;
    for (uint32_t t = 0; t < frames; ++t)
        loudest = fmax(loudest, mean_squares[t]);
    for (uint32_t t = 0; t < frames; ++t) {
        if (sqrt(mean_squares[t]) < 0.01 * sqrt(loudest))
            continue;
        double classes[CLASSES] = {0}, sum = 0;
        for (uint32_t p = 0; p < CLASSES; ++p) {
            for (uint32_t k = 0; k < BINS; ++k)
                classes[p] += (double)chroma_weights(chroma, p)[k] * (double)powers[t * BINS + k];
            sum += classes[p];
        }
        for (uint32_t p = 0; p < CLASSES; ++p) {
            means.concentration += classes[p] / sum * classes[p] / sum;
            means.chroma[p] += classes[p] / sum;
        }
        ++kept;
    }
    means.silence_ratio = 1 - (double)kept / frames;
    means.concentration /= kept;
    for (uint32_t p = 0; p < CLASSES; ++p)
        means.chroma[p] /= kept;
    return means;
}

// Levels in dB of successive frames go round `levels_db`, shifted by `gain_db`.
static void assert_means(const double *levels_db, uint32_t level_count, double gain_db)
{
    enum { FRAMES = 60 };
    float *powers = malloc((size_t)FRAMES * BINS * sizeof *powers);
    assert_non_null(powers);
    double mean_squares[FRAMES];
    uint64_t seed = 21;
    struct chroma *chroma = make_chroma(22050);
    for (uint32_t t = 0; t < FRAMES; ++t) {
        for (uint32_t k = 0; k < BINS; ++k)
            powers[t * BINS + k] = (float)pow(rng_unit(&seed), 20);
        mean_squares[t] = pow(10, (levels_db[t % level_count] + gain_db) / 10);
        chroma_push(chroma, powers + t * BINS, mean_squares[t]);
    }
    const struct means expected = naive_means(chroma, powers, mean_squares, FRAMES);
    struct chroma_result result;
    chroma_finish(chroma, &result);
    assert_near(result.silence_ratio, expected.silence_ratio, 1e-12);
    assert_near(result.concentration, expected.concentration, 1e-6);
    for (uint32_t p = 0; p < CLASSES; ++p)
        assert_near(result.mean_chroma[p], expected.chroma[p], 1e-6);
    chroma_destroy(&chroma);
    free(powers);
}

static void means_leave_out_frames_40_db_under_the_loudest(void **state)
{
    (void)state;
    // The window of levels is 48 dB wide: it is passed in leaps and in steps, upwards and downwards.
    static const double near_gate[] = {-10, -49.9, -50.1, -12};
    static const double rising[] = {-200, -151, -149.9, -111, -110.5, -90, -63, -51, -41, -3, -2};
    static const double falling[] = {0, -39.9, -40.1, -47, -49, -60, -100};
    static const double equal[] = {-30};
    for (double gain_db = -60; gain_db <= 60; gain_db += 17.3) {
        assert_means(near_gate, 4, gain_db);
        assert_means(rising, 11, gain_db);
        assert_means(falling, 7, gain_db);
        assert_means(equal, 1, gain_db);
    }
}

// Sums are kept in a ring of 4,096 levels, 256 an octave of power: those that the loudest frame leaves
// behind must not come back as those above it.
static void levels_that_fell_out_of_the_window_do_not_come_back(void **state)
{
    (void)state;
    const double step_db = 10 * log10(2) / 256, middle_db = 0.5 * step_db;
    const int leaps[] = {1, 2, 3, 100, 3401, 4094, 4095};
    for (int first = 0; first < 7; ++first)
        for (int second = 0; second < 7; ++second) {
            const double levels_db[] = {middle_db, middle_db + leaps[first] * step_db,
                                        middle_db + (leaps[first] + leaps[second]) * step_db};
            assert_means(levels_db, 3, -20);
        }
}

// A level that the gate cuts through has the frames of this turn of the ring alone, not those of the one before.
static void a_level_at_the_gate_counts_no_frames_of_the_turn_before(void **state)
{
    (void)state;
    const double step_db = 10 * log10(2) / 256, middle_db = 0.5 * step_db;
    for (double above = -0.3; above <= 0.3; above += 0.2) { // of a step: over the gate, or under it
        const double levels_db[] = {middle_db, middle_db + 4096 * step_db,
                                    middle_db + (4096 - above) * step_db + 40};
        assert_means(levels_db, 3, 0);
    }
}

// A track may rest at just the gate's level: there a hundredth of a decibel is many frames.
static void frames_a_two_thousandth_of_a_decibel_off_the_gate_are_told_apart(void **state)
{
    (void)state;
    float power[BINS];
    for (uint32_t k = 0; k < BINS; ++k)
        power[k] = 1.0F;
    for (double gain_db = -60; gain_db <= 60; gain_db += 1.7) {
        struct chroma *chroma = make_chroma(22050);
        struct chroma_result result;
        chroma_push(chroma, power, pow(10, gain_db / 10));
        for (int i = 0; i < 9; ++i)
            chroma_push(chroma, power, pow(10, (gain_db - 40 + (i < 5 ? -0.0005 : 0.0005)) / 10));
        chroma_finish(chroma, &result);
        assert_near(result.silence_ratio, 0.5, 1e-12);
        struct chroma *lone = make_chroma(22050);
        struct chroma_result of_one;
        chroma_push(lone, power, 1.0);
        chroma_finish(lone, &of_one);
        assert_near(result.concentration, of_one.concentration, 1e-9); // all frames are alike
        chroma_destroy(&lone);
        chroma_destroy(&chroma);
    }
}

static void a_tone_belongs_to_its_class(void **state)
{
    (void)state;
    float power[BINS] = {0};
    struct chroma_result result;
    for (int octave = 3; octave <= 6; ++octave) {
        const double hz = 440 * exp2(octave - 4 + 3.0 / 12); // C, three semitones over A
        memset(power, 0, sizeof power);
        power[lround(hz * 2048 / 24000)] = 1;
        struct chroma *chroma = make_chroma(24000);
        chroma_push(chroma, power, 1.0);
        chroma_finish(chroma, &result);
        for (int p = 1; p < CLASSES; ++p)
            assert_true(result.mean_chroma[0] > result.mean_chroma[p]);
        assert_true(result.concentration > 0.3);
        chroma_destroy(&chroma);
    }
}

static void silence_has_even_chroma(void **state)
{
    (void)state;
    static const float power[BINS];
    struct chroma *chroma = make_chroma(22050);
    struct chroma_result result;
    for (int frames = 0; frames < 2; ++frames) {
        chroma_finish(chroma, &result);
        assert_near(result.silence_ratio, 1.0, 0.0);
        assert_near(result.concentration, 1.0 / 12, 0.0);
        for (int p = 0; p < CLASSES; ++p)
            assert_near(result.mean_chroma[p], 1.0 / 12, 0.0);
        chroma_push(chroma, power, 0.0);
    }
    chroma_destroy(&chroma);
    assert_null(chroma);
}

// One click where the window is 0.
static void a_frame_that_sounds_without_a_spectrum_is_even(void **state)
{
    (void)state;
    static const float power[BINS];
    struct chroma *chroma = make_chroma(22050);
    struct chroma_result result;
    chroma_push(chroma, power, 1.0);
    chroma_finish(chroma, &result);
    assert_near(result.silence_ratio, 0.0, 0.0);
    assert_near(result.concentration, 1.0 / 12, 1e-12);
    chroma_destroy(&chroma);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_librosas),
        cmocka_unit_test(weights_are_the_formulas_in_every_bin),
        cmocka_unit_test(means_leave_out_frames_40_db_under_the_loudest),
        cmocka_unit_test(levels_that_fell_out_of_the_window_do_not_come_back),
        cmocka_unit_test(a_level_at_the_gate_counts_no_frames_of_the_turn_before),
        cmocka_unit_test(frames_a_two_thousandth_of_a_decibel_off_the_gate_are_told_apart),
        cmocka_unit_test(a_tone_belongs_to_its_class),
        cmocka_unit_test(silence_has_even_chroma),
        cmocka_unit_test(a_frame_that_sounds_without_a_spectrum_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
