// SPDX-License-Identifier: MIT
#include "dsp/history.h"
#include "dsp/limiter.h"
#include "support/measure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

// The last frames are silence, in which the delayed audio comes out.
enum { SOUND_FRAMES = 17000, FRAMES = 17640 };

static const double RATE_HZ = 44100.0;
static const double CEILING = 0.8912509381337456; // -1 dB

enum item {
    CRUSHED_NOISE,
    QUARTER_TONE_0,
    QUARTER_TONE_1,
    QUARTER_TONE_2,
    QUARTER_TONE_3,
    SIXTH_TONE_0,
    SIXTH_TONE_1,
    SIXTH_TONE_2,
    SIXTH_TONE_3,
    IMPULSES,
    SQUARE_BURSTS,
    HOT_MUSIC,
    ITEM_COUNT
};

static double sample_of(enum item item, uint32_t n, uint64_t *seed)
{
    const double t = n / RATE_HZ;
    switch (item) {
    case CRUSHED_NOISE: {
        const double v = 4.0 * measure_noise(seed);
        return v > 1 ? 1 : v < -1 ? -1 : v;
    }
    case IMPULSES:
        return n % 441 == 7 ? 1.0 : n % 997 == 11 ? -1.0 : 0.0;
    case SQUARE_BURSTS:
        return n / 2000 % 2 ? (n / 23 % 2 ? 1.0 : -1.0) : 0.0;
    case HOT_MUSIC: {
        const double kick = sin(2 * M_PI * 55 * t) * exp(-8 * fmod(t, 0.25));
        const double pad =
            sin(2 * M_PI * 440 * t) + sin(2 * M_PI * 554.37 * t) + sin(2 * M_PI * 3322.4 * t);
        return 4.0 * (0.6 * kick + 0.2 * pad + 0.15 * measure_noise(seed));
    }
    default:
        break;
    }
    const int quarter = item < SIXTH_TONE_0;
    const int phase = (int)item - (quarter ? (int)QUARTER_TONE_0 : (int)SIXTH_TONE_0);
    return sin(2 * M_PI * n / (quarter ? 4.0 : 6.0) + phase * M_PI / 8);
}

enum form { AS_GIVEN, IN_BURSTS, FORM_COUNT };

static void make(float *stereo, enum item item, enum form form, double gain)
{
    uint64_t seed = 17;
    for (uint32_t n = 0; n < FRAMES; ++n) {
        double v = n < SOUND_FRAMES ? sample_of(item, n, &seed) : 0.0;
        // 4 ms bursts over a bed at -50 dB; every 0.2 s, so that a short signal holds some.
        if (form == IN_BURSTS && n % 8820 >= 176)
            v *= 0.00316;
        stereo[2 * n] = (float)(gain * v);
        stereo[2 * n + 1] = (float)(-0.7 * gain * v);
    }
}

static void process(struct limiter *limiter, float *stereo, uint32_t frames, uint32_t piece)
{
    double wide[2 * HISTORY_PIECE], gains[HISTORY_PIECE];
    for (uint32_t at = 0; at < frames; at += piece) {
        const uint32_t count = frames - at < piece ? frames - at : piece;
        for (uint32_t i = 0; i < 2 * count; ++i)
            wide[i] = (double)stereo[2 * at + i];
        limiter_process(limiter, wide, gains, count);
        for (uint32_t i = 0; i < 2 * count; ++i)
            stereo[2 * at + i] = (float)wide[i];
    }
}

static struct limiter *fresh(void)
{
    struct limiter *limiter;
    assert_int_equal(limiter_create(&limiter, RATE_HZ), 0);
    limiter_set(limiter, &(struct limiter_numbers){.ceiling = CEILING, .release_s = 0.1});
    return limiter;
}

static void limiter_keeps_every_torture_signal_under_the_ceiling(void **state)
{
    (void)state;
    float *x = malloc(2 * FRAMES * sizeof *x);
    assert_non_null(x);
    for (int item = 0; item < ITEM_COUNT; ++item)
        for (int form = 0; form < FORM_COUNT; ++form)
            for (int boost = 0; boost < 2; ++boost) {
                make(x, (enum item)item, (enum form)form, boost ? 4.0 : 1.0);
                struct limiter *limiter = fresh();
                process(limiter, x, FRAMES, 256);
                limiter_destroy(&limiter);

                const double itu_db = measure_db(measure_itu_peak(x, 2, FRAMES) / CEILING);
                const double sinc_db = measure_db(measure_sinc_peak(x, 2, FRAMES) / CEILING);
                if (getenv("SEGUE_TEST_FIGURES"))
                    print_message("item %d form %d boost %d: itu %+.4f sinc %+.4f dB\n", item, form,
                                  boost, itu_db, sinc_db);
                assert_true(itu_db <= 0);
                assert_true(sinc_db <= 0.05);
            }
    free(x);
}

static void limiter_leaves_quiet_audio_bit_for_bit_but_late(void **state)
{
    (void)state;
    float *x = malloc(2 * FRAMES * sizeof *x), *y = malloc(2 * FRAMES * sizeof *y);
    assert_non_null(x);
    assert_non_null(y);
    make(x, HOT_MUSIC, AS_GIVEN, 0.05);
    memcpy(y, x, 2 * FRAMES * sizeof *y);

    struct limiter *limiter = fresh();
    process(limiter, y, FRAMES, 100);

    const uint32_t delay = limiter_delay_frames(limiter);
    assert_true(delay > 0 && delay < 1000);
    assert_memory_equal(y + 2 * delay, x, 2 * (FRAMES - delay) * sizeof *x);
    limiter_destroy(&limiter);
    free(x);
    free(y);
}

static void limiter_output_does_not_depend_on_the_block_split(void **state)
{
    (void)state;
    static const uint32_t pieces[] = {1, 7, 64, 255};
    float *x = malloc(2 * FRAMES * sizeof *x), *y = malloc(2 * FRAMES * sizeof *y);
    assert_non_null(x);
    assert_non_null(y);
    make(x, HOT_MUSIC, IN_BURSTS, 2.0);
    struct limiter *limiter = fresh();
    process(limiter, x, FRAMES, 256);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; ++p) {
        make(y, HOT_MUSIC, IN_BURSTS, 2.0);
        limiter_reset(limiter);
        process(limiter, y, FRAMES, pieces[p]);
        assert_memory_equal(x, y, 2 * FRAMES * sizeof *x);
    }
    limiter_destroy(&limiter);
    free(x);
    free(y);
}

static void limiter_returns_to_exact_unity_after_a_peak(void **state)
{
    (void)state;
    struct limiter *limiter = fresh();
    double wide[2 * HISTORY_PIECE], gains[HISTORY_PIECE];
    double least = 1;
    for (int piece = 0; piece < 400; ++piece) {
        for (int i = 0; i < 2 * HISTORY_PIECE; ++i)
            wide[i] = piece == 0 ? 3.0 : 0.1;
        limiter_process(limiter, wide, gains, HISTORY_PIECE);
        for (int i = 0; i < HISTORY_PIECE; ++i)
            least = fmin(least, gains[i]);
    }
    assert_true(least < 0.35);
    assert_true(gains[HISTORY_PIECE - 1] == 1.0);
    limiter_destroy(&limiter);
}

static void limiter_is_fully_down_before_a_peak_arrives(void **state)
{
    (void)state;
    struct limiter *limiter = fresh();
    const uint32_t delay = limiter_delay_frames(limiter);
    double wide[2 * HISTORY_PIECE], gains[HISTORY_PIECE], before = 1, at = 1, after = 1;
    for (uint32_t piece = 0; piece < 8; ++piece) {
        for (uint32_t i = 0; i < HISTORY_PIECE; ++i)
            wide[2 * i] = wide[2 * i + 1] = piece == 1 && i == 0 ? 4.0 : 0.0;
        limiter_process(limiter, wide, gains, HISTORY_PIECE);
        for (uint32_t i = 0; i < HISTORY_PIECE; ++i) {
            const uint32_t frame = piece * HISTORY_PIECE + i - delay;
            before = frame == HISTORY_PIECE - 3 ? gains[i] : before;
            at = frame == HISTORY_PIECE ? gains[i] : at;
            after = frame == HISTORY_PIECE + 200 ? gains[i] : after;
        }
    }
    // One gain from before the peak until the hold is over: no step for the guard to make.
    assert_true(at < CEILING / 4.0);
    assert_true(fabs(before - at) < 1e-4 && fabs(after - at) < 1e-4);
    limiter_destroy(&limiter);
}

static void limiter_holds_its_gain_through_a_50_hz_tone(void **state)
{
    (void)state;
    float *x = malloc(2 * FRAMES * 4 * sizeof *x);
    assert_non_null(x);
    const uint32_t frames = 4 * FRAMES;
    for (uint32_t n = 0; n < frames; ++n)
        x[2 * n] = x[2 * n + 1] = (float)(2.0 * CEILING * sin(2 * M_PI * 50 * n / RATE_HZ));
    struct limiter *limiter = fresh();
    process(limiter, x, frames, 256);
    // 6 dB of reduction; a gain that followed each crest would distort at -30 dB.
    const double ratio = measure_thd_n(x + 2 * FRAMES, 2, frames - FRAMES, 50, RATE_HZ);
    assert_true(10 * log10(ratio) < -60);
    limiter_destroy(&limiter);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limiter_keeps_every_torture_signal_under_the_ceiling),
        cmocka_unit_test(limiter_leaves_quiet_audio_bit_for_bit_but_late),
        cmocka_unit_test(limiter_output_does_not_depend_on_the_block_split),
        cmocka_unit_test(limiter_returns_to_exact_unity_after_a_peak),
        cmocka_unit_test(limiter_is_fully_down_before_a_peak_arrives),
        cmocka_unit_test(limiter_holds_its_gain_through_a_50_hz_tone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
