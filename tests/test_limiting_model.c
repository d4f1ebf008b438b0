// SPDX-License-Identifier: MIT
// The model against the limiter itself, over makeups from no limiting to far too much.
#include "dsp/history.h"
#include "dsp/mastering/limiting_model.h"
#include "support/torture.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { RATE_HZ = 44100, FRAMES = 4 * RATE_HZ };

static const struct limiter_numbers numbers = {.ceiling = 0.8912509381337456, .release_s = 0.15};

static float *make(enum torture_item item, double gain)
{
    float *x = malloc(2 * FRAMES * sizeof *x);
    assert_non_null(x);
    const struct torture torture = {
        .item = item, .rate_hz = RATE_HZ, .gain = gain, .sound_frames = FRAMES};
    torture_fill(&torture, x, FRAMES);
    return x;
}

static void widen(double *out, const float *x, uint32_t frames, double gain)
{
    for (uint32_t i = 0; i < 2 * frames; ++i)
        out[i] = gain * (double)x[i];
}

static double limited_lufs(const float *x, double makeup_db)
{
    const struct pcm_format format = {RATE_HZ, 2};
    struct loudness_meter *meter;
    struct limiter *limiter;
    assert_int_equal(loudness_meter_create(&meter, &format), 0);
    assert_int_equal(limiter_create(&limiter, RATE_HZ), 0);
    limiter_set(limiter, &numbers);
    for (uint32_t at = 0; at < FRAMES; at += HISTORY_PIECE) {
        double wide[2 * HISTORY_PIECE], gains[HISTORY_PIECE];
        float out[2 * HISTORY_PIECE];
        const uint32_t frames = FRAMES - at < HISTORY_PIECE ? FRAMES - at : HISTORY_PIECE;
        widen(wide, x + (size_t)2 * at, frames, pow(10, makeup_db / 20));
        limiter_process(limiter, wide, gains, frames);
        for (uint32_t i = 0; i < 2 * frames; ++i)
            out[i] = (float)wide[i];
        assert_int_equal(loudness_meter_feed(meter, out, frames), 0);
    }
    const double lufs = loudness_meter_integrated_lufs(meter);
    limiter_destroy(&limiter);
    loudness_meter_destroy(&meter);
    return lufs;
}

static struct limiting_model *model_of(const float *x)
{
    const struct pcm_format format = {RATE_HZ, 2};
    struct loudness_meter *meter;
    struct limiting_model *model;
    assert_int_equal(loudness_meter_create(&meter, &format), 0);
    assert_int_equal(limiting_model_create(&model, RATE_HZ), 0);
    assert_int_equal(loudness_meter_feed(meter, x, FRAMES), 0);
    for (uint32_t at = 0; at < FRAMES; at += HISTORY_PIECE) {
        double wide[2 * HISTORY_PIECE];
        const uint32_t frames = FRAMES - at < HISTORY_PIECE ? FRAMES - at : HISTORY_PIECE;
        widen(wide, x + (size_t)2 * at, frames, 1);
        assert_int_equal(limiting_model_feed(model, wide, frames), 0);
    }
    assert_int_equal(limiting_model_finish(model, meter), 0);
    loudness_meter_destroy(&meter);
    return model;
}

static void model_foretells_loudness_within_a_few_tenths_however_much_is_limited(void **state)
{
    (void)state;
    static const enum torture_item items[] = {TORTURE_HOT_MUSIC, TORTURE_SQUARE_BURSTS,
                                              TORTURE_CRUSHED_NOISE};
    static const double tolerances_lu[] = {0.1, 0.2, 0.6}; // noise is pushed 20 dB over the ceiling
    for (int i = 0; i < 3; ++i) {
        float *x = make(items[i], 0.05);
        struct limiting_model *model = model_of(x);
        double last = -100;
        for (double makeup_db = 0; makeup_db <= 36; makeup_db += 6) {
            struct limiting_guess guess;
            struct loudness_steps steps;
            limiting_model_guess(model, &numbers, makeup_db, &guess, &steps);
            const double lufs = loudness_steps_integrated_lufs(&steps, 1);
            const double real = limited_lufs(x, makeup_db);
            print_message("%s %+.0f dB: limited %.2f, foretold %.2f LUFS\n",
                          torture_name((int)items[i]), makeup_db, real, lufs);
            assert_true(fabs(lufs - real) <= tolerances_lu[i]);
            assert_true(lufs >= last && guess.reduction_db >= 0);
            last = lufs;
        }
        limiting_model_destroy(&model);
        free(x);
    }
}

static void model_says_exactly_what_an_idle_limiter_does(void **state)
{
    (void)state;
    float *x = make(TORTURE_HOT_MUSIC, 0.01);
    struct limiting_model *model = model_of(x);
    struct limiting_guess guess;
    struct loudness_steps steps;
    limiting_model_guess(model, &numbers, 12, &guess, &steps);
    assert_true(guess.reduction_db == 0);
    assert_true(fabs(loudness_steps_integrated_lufs(&steps, 1) - limited_lufs(x, 12)) < 0.01);
    limiting_model_destroy(&model);
    free(x);
}

static void model_gives_up_on_tracks_of_a_quarter_of_an_hour(void **state)
{
    (void)state;
    struct limiting_model *model;
    assert_int_equal(limiting_model_create(&model, 1000), 0);
    static const double silence[2 * HISTORY_PIECE] = {0};
    int error = 0;
    uint32_t seconds = 0;
    for (; !error && seconds < 3600; ++seconds)
        for (uint32_t at = 0; at < 1000 && !error; at += 250)
            error = limiting_model_feed(model, silence, 250);
    assert_int_equal(error, -EFBIG);
    assert_in_range(seconds, 15 * 60, 30 * 60);
    limiting_model_destroy(&model);
    assert_null(model);
}

static void model_of_less_sound_than_a_step_says_nothing(void **state)
{
    (void)state;
    const struct pcm_format format = {RATE_HZ, 2};
    struct loudness_meter *meter;
    struct limiting_model *model;
    assert_int_equal(loudness_meter_create(&meter, &format), 0);
    assert_int_equal(limiting_model_create(&model, RATE_HZ), 0);
    assert_int_equal(limiting_model_finish(model, meter), 0);
    limiting_model_destroy(&model);
    loudness_meter_destroy(&meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_foretells_loudness_within_a_few_tenths_however_much_is_limited),
        cmocka_unit_test(model_says_exactly_what_an_idle_limiter_does),
        cmocka_unit_test(model_of_less_sound_than_a_step_says_nothing),
        cmocka_unit_test(model_gives_up_on_tracks_of_a_quarter_of_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
