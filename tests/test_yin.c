// SPDX-License-Identifier: MIT
// YIN against the definition in double precision, frame by frame, and on known tones.
#include "dsp/spectrum/yin.h"
#include "support/near.h"
#include "support/rng.h"

enum { HOP = 512, WINDOW = 1024, MAX_LAG = 800 };

static double sample_at(const float *x, int64_t count, int64_t i)
{
    return i >= 0 && i < count ? (double)x[i] : 0.0;
}

// d' of the frame that starts at sample 512 t - 1024, lags 0..last.
static void normalized_difference(const float *x, int64_t count, int64_t t, int last, double *d)
{
    double sum = 0;
    d[0] = 1;
    for (int lag = 1; lag <= last; ++lag) {
        double difference = 0;
        for (int64_t j = HOP * t - WINDOW; j < HOP * t; ++j) {
            const double step = sample_at(x, count, j) - sample_at(x, count, j + lag);
            difference += step * step;
        }
        sum += difference;
        d[lag] = sum > 0 ? lag * difference / sum : 1.0;
    }
}

// The first local minimum under 0.1; an end counts when the curve falls towards it.
static double naive_period(const float *x, int64_t count, int64_t t, double rate_hz)
{
    const int first = (int)fmax(1, floor(rate_hz / 2093)), last = (int)ceil(rate_hz / 65.4);
    double d[MAX_LAG];
    assert_true(last < MAX_LAG);
    normalized_difference(x, count, t, last, d);
    for (int lag = first; lag <= last; ++lag) {
        const int falls = lag == first || d[lag] < d[lag - 1];
        const int rises =
            lag == last || (lag == first ? d[lag] < d[lag + 1] : d[lag] <= d[lag + 1]);
        if (!(d[lag] < 0.1 && falls && rises))
            continue;
        if (lag == first || lag == last)
            return lag;
        const double a = d[lag - 1], b = d[lag], c = d[lag + 1];
        return lag + 0.5 * (a - c) / (a - 2 * b + c);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double naive_stability(const float *x, int64_t count, double rate_hz)
{
    const int64_t frames = 1 + count / HOP;
    double *cents = calloc((size_t)frames, sizeof *cents), before = 0;
    assert_non_null(cents);
    size_t voiced = 0, steps = 0;
    for (int64_t t = 0; t < frames; ++t) {
        const double period = naive_period(x, count, t, rate_hz);
        voiced += period > 0;
        if (period > 0 && before > 0)
            cents[steps++] = 1200 * fabs(log2(period / before));
        before = period;
    }
    qsort(cents, steps, sizeof *cents, compare);
    const double median = steps ? 0.5 * (cents[(steps - 1) / 2] + cents[steps / 2]) : 0;
    free(cents);
    return steps ? (double)voiced / (double)frames * exp(-median / 100) : 0;
}

static double stability_of(const float *x, uint32_t count, double rate_hz, double *last_period)
{
    struct yin *yin = NULL;
    assert_int_equal(yin_create(&yin, rate_hz), 0);
    yin_feed(yin, x, count);
    const double stability = yin_finish(yin);
    if (last_period)
        *last_period = yin_latest_period(yin);
    yin_destroy(&yin);
    assert_null(yin);
    return stability;
}

enum shape { GLIDE, VIBRATO, NOISY_TONE, SAW, CLICKS, SHAPES };

static double glide_phase(double t)
{
    return 2 * M_PI * 60 * (exp2(6 * t) - 1) / (6 * log(2)); // 60 Hz, an octave every 1/6 s
}

static void make(enum shape shape, float *x, uint32_t count, double rate_hz, uint64_t seed)
{
    for (uint32_t i = 0; i < count; ++i) {
        const double t = i / rate_hz;
        const double sounds[SHAPES] = {
            [GLIDE] = 0.5 * sin(glide_phase(t)),
            [VIBRATO] = 0.4 * sin(2 * M_PI * 330 * t + 3 * sin(2 * M_PI * 6 * t)),
            [NOISY_TONE] = 0.4 * sin(2 * M_PI * 110 * t) + 0.15 * (2 * rng_unit(&seed) - 1),
            [SAW] = 0.5 * (2 * fmod(196 * t, 1.0) - 1),
            [CLICKS] = i % 500 == 3 ? 0.9 : 0.0,
        };
        x[i] = (float)sounds[shape];
    }
}

static void every_frames_period_is_the_definitions(void **state)
{
    (void)state;
    enum { COUNT = 40 * HOP };
    static float x[COUNT];
    const double rates_hz[] = {22050, 24000, 44099, 8000};
    uint32_t voiced = 0;
    for (int r = 0; r < 4; ++r)
        for (enum shape shape = GLIDE; shape < SHAPES; ++shape) {
            make(shape, x, COUNT, rates_hz[r], 5);
            // The last frame of the first n samples is frame n / 512, with zeros after them.
            for (uint32_t n = 700; n <= COUNT; n += 7 * HOP + 77) {
                double period = -1;
                stability_of(x, n, rates_hz[r], &period);
                const double expected = naive_period(x, n, n / HOP, rates_hz[r]);
                assert_near(period, expected, 1e-4);
                voiced += expected > 0;
            }
        }
    assert_true(voiced > 30);
}

static void stability_is_the_definitions(void **state)
{
    (void)state;
    enum { COUNT = 24 * HOP + 100 };
    static float x[COUNT];
    const double rates_hz[] = {22050, 24000, 16000};
    for (int r = 0; r < 3; ++r)
        for (enum shape shape = GLIDE; shape < SHAPES; ++shape) {
            make(shape, x, COUNT, rates_hz[r], 7);
            assert_near(stability_of(x, COUNT, rates_hz[r], NULL),
                        naive_stability(x, COUNT, rates_hz[r]), 1e-4);
        }
}

static double period_of_tone(double rate_hz, double hz, int harmonics, int first)
{
    enum { COUNT = 8 * HOP };
    float x[COUNT];
    for (int i = 0; i < COUNT; ++i) {
        double sum = 0;
        for (int h = first; h < first + harmonics; ++h)
            sum += 0.2 * sin(2 * M_PI * hz * h * i / rate_hz);
        x[i] = (float)sum;
    }
    struct yin *yin = NULL;
    assert_int_equal(yin_create(&yin, rate_hz), 0);
    yin_feed(yin, x, COUNT);
    const double period = yin_latest_period(yin); // of a frame inside the tone
    yin_destroy(&yin);
    return period;
}

static void tones_have_their_period_within_a_thousandth(void **state)
{
    (void)state;
    for (double hz = 70; hz < 1000; hz *= 1.17) {
        assert_near(period_of_tone(22050, hz, 1, 1) * hz / 22050, 1.0, 1e-3);
        assert_near(period_of_tone(24000, hz, 3, 1) * hz / 24000, 1.0, 1e-3);
    }
}

// At 22,050 Hz lags go from 10 to 338. Periods just outside fall towards an end, which is taken as it is.
static void tones_just_outside_the_range_take_its_end(void **state)
{
    (void)state;
    assert_near(period_of_tone(22050, 22050 / 339.5, 1, 1), 338, 0.0);
    assert_near(period_of_tone(22050, 22050 / 9.7, 1, 1), 10, 0.0);
    assert_near(period_of_tone(24000, 24000 / 10.67, 1, 1), 11, 0.0); // from 11 at this rate
}

static void a_missing_fundamental_is_heard(void **state)
{
    (void)state;
    assert_near(period_of_tone(22050, 150, 4, 2), 22050 / 150.0, 0.15);
}

// 20 whole windows of a tone and 20 of noise: half of the frames are voiced, and steady.
static void noise_is_unvoiced(void **state)
{
    (void)state;
    enum { COUNT = 40 * HOP };
    static float x[COUNT];
    uint64_t seed = 11;
    for (int i = 0; i < COUNT; ++i)
        x[i] = (float)(2 * rng_unit(&seed) - 1);
    assert_near(stability_of(x, COUNT, 22050, NULL), 0.0, 0.0);
    for (int i = 0; i < COUNT / 2; ++i)
        x[i] = (float)sin(2 * M_PI * 441 * i / 22050.0); // 50 samples
    assert_near(stability_of(x, COUNT, 22050, NULL), 0.5, 0.06);
}

static void silence_and_constants_are_unvoiced(void **state)
{
    (void)state;
    static float x[20 * HOP];
    double period = -1;
    assert_near(stability_of(x, 20 * HOP, 22050, &period), 0.0, 0.0);
    assert_near(period, 0.0, 0.0);
    assert_near(stability_of(x, 0, 22050, NULL), 0.0, 0.0);
    for (int i = 0; i < 20 * HOP; ++i)
        x[i] = 0.25F;
    struct yin *yin = NULL;
    assert_int_equal(yin_create(&yin, 22050), 0);
    yin_feed(yin, x, 20 * HOP);
    assert_near(yin_latest_period(yin), 0.0, 0.0);
    yin_destroy(&yin);
}

// Differences that are small against the signal, and frames beside ones of 90 dB more, lose no digits.
static void faint_tones_are_heard_beside_loud_ones_and_on_a_constant(void **state)
{
    (void)state;
    enum { COUNT = 30 * HOP };
    static float x[COUNT];
    for (int shape = 0; shape < 2; ++shape) {
        for (int i = 0; i < COUNT; ++i) {
            const double tone = sin(2 * M_PI * 150 * i / 22050.0);
            x[i] = (float)(shape ? 0.5 + 1e-3 * tone : tone * (i / HOP % 5 == 3 ? 1.0 : 3e-5));
        }
        for (uint32_t n = 2 * HOP; n <= COUNT; n += HOP) {
            double period = -1;
            stability_of(x, n, 22050, &period);
            assert_near(period, naive_period(x, n, n / HOP, 22050), 1e-3);
        }
    }
}

// Its differences are less than a thousandth of the energy, but at the shortest lags not less than a ten-thousandth.
static void a_tone_on_a_constant_keeps_its_period_where_short_lags_differ(void **state)
{
    (void)state;
    struct yin *yin = NULL;
    assert_int_equal(yin_create(&yin, 22050), 0);
    for (int hop = 0; hop < 30; ++hop) {
        float x[HOP];
        for (int i = 0; i < HOP; ++i)
            x[i] = (float)(0.5 + 0.0213 * sin(2 * M_PI * 347 * (hop * HOP + i) / 22050.0));
        yin_feed(yin, x, HOP);
        if (hop > 8) // the onset lies behind
            assert_near(yin_latest_period(yin), 22050 / 347.0, 0.008);
    }
    yin_destroy(&yin);
}

// An even count of steps, of which the middle two differ: a pitch that rises ever faster, cut after a few frames.
static void the_median_of_few_steps_is_the_mean_of_the_middle_two_in_cents(void **state)
{
    (void)state;
    enum { MOST = 12 * HOP };
    static float x[MOST];
    for (int i = 0; i < MOST; ++i) {
        const double t = i / 22050.0;
        x[i] = (float)(0.5 * sin(2 * M_PI * 200 * (t + 12 * t * t * t))); // 0 to 75 cents a frame
    }
    for (uint32_t count = 5 * HOP; count <= MOST; count += HOP)
        assert_near(stability_of(x, count, 22050, NULL), naive_stability(x, count, 22050), 1e-4);
}

// A transform's rounding scales with the loudest of what it carries: notes after near silence must not make a pitch
// of it. Rests begin anywhere between frames.
static void a_loud_note_does_not_reach_back_into_what_is_faint(void **state)
{
    (void)state;
    enum { COUNT = 60000, NOTE = 3900 };
    float *x = malloc(COUNT * sizeof *x);
    assert_non_null(x);
    uint64_t seed = 3;
    for (uint32_t i = 0; i < COUNT; ++i) {
        const double faint = 3e-5 * (2 * rng_unit(&seed) - 1);
        const double loud =
            0.9 * sin(2 * M_PI * 330 * i / 22050.0) + 0.3 * (2 * rng_unit(&seed) - 1);
        x[i] = (float)(i % NOTE < NOTE / 2 ? faint : loud);
    }
    assert_near(stability_of(x, COUNT, 22050, NULL), naive_stability(x, COUNT, 22050), 1e-5);
    free(x);
}

static void gives_the_same_bits_however_the_input_is_cut(void **state)
{
    (void)state;
    enum { COUNT = 25 * HOP + 3 };
    static float x[COUNT];
    make(NOISY_TONE, x, COUNT, 22050, 13);
    const double whole = stability_of(x, COUNT, 22050, NULL);
    for (uint32_t part = 1; part < 3000; part = part * 3 + 1) {
        struct yin *yin = NULL;
        assert_int_equal(yin_create(&yin, 22050), 0);
        for (uint32_t at = 0; at < COUNT; at += part)
            yin_feed(yin, x + at, part < COUNT - at ? part : COUNT - at);
        assert_near(yin_finish(yin), whole, 0.0);
        yin_destroy(&yin);
    }
    assert_true(whole > 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frames_period_is_the_definitions),
        cmocka_unit_test(stability_is_the_definitions),
        cmocka_unit_test(tones_have_their_period_within_a_thousandth),
        cmocka_unit_test(tones_just_outside_the_range_take_its_end),
        cmocka_unit_test(a_missing_fundamental_is_heard),
        cmocka_unit_test(noise_is_unvoiced),
        cmocka_unit_test(silence_and_constants_are_unvoiced),
        cmocka_unit_test(faint_tones_are_heard_beside_loud_ones_and_on_a_constant),
        cmocka_unit_test(a_tone_on_a_constant_keeps_its_period_where_short_lags_differ),
        cmocka_unit_test(the_median_of_few_steps_is_the_mean_of_the_middle_two_in_cents),
        cmocka_unit_test(a_loud_note_does_not_reach_back_into_what_is_faint),
        cmocka_unit_test(gives_the_same_bits_however_the_input_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
