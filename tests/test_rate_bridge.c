// SPDX-License-Identifier: MIT
// Conversion of rates against sines in closed form, and seeks against reading on.
#include "io/sound/rate_bridge.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 6000, MOST_OUT = 40000, EDGE_FRAMES = 800 };

/// A sine on the left, and a constant on the right.
struct tone {
    double hz, rate_hz;
    uint64_t at, end;
};

static uint32_t play_tone(void *user, float *interleaved, uint32_t frames)
{
    struct tone *t = user;
    uint32_t n = 0;
    for (; n < frames && t->at < t->end; ++n, ++t->at) {
        interleaved[2 * n] = (float)sin(2 * M_PI * t->hz * (double)t->at / t->rate_hz);
        interleaved[2 * n + 1] = 0.25f;
    }
    return n;
}

static struct rate_bridge *create(struct tone *tone, uint32_t to_hz)
{
    struct rate_bridge *bridge;
    assert_int_equal(
        rate_bridge_create(&bridge, (uint32_t)tone->rate_hz, to_hz, 2, play_tone, tone), 0);
    return bridge;
}

static float out[MOST_OUT * 2];

/// @return the strongest difference from the sine at the new rate, away from the ends.
static double convert(double hz, uint32_t from_hz, uint32_t to_hz, double gain)
{
    struct tone tone = {.hz = hz, .rate_hz = from_hz, .end = FRAMES};
    struct rate_bridge *bridge = create(&tone, to_hz);
    const uint32_t frames = (uint32_t)llround((double)FRAMES * to_hz / from_hz);
    assert_int_equal(rate_bridge_read(bridge, out, MOST_OUT), frames);
    double worst = 0;
    for (uint32_t i = EDGE_FRAMES; i < frames - EDGE_FRAMES; ++i) {
        const double wanted = gain * sin(2 * M_PI * hz * i / to_hz);
        worst = fmax(worst, fabs(out[2 * i] - wanted));
        assert_true(fabsf(out[2 * i + 1] - 0.25f) < 1e-6f);
    }
    rate_bridge_destroy(&bridge);
    return worst;
}

static const uint32_t pairs[][2] = {{44100, 48000}, {48000, 44100}, {22050, 44100}, {44100, 22050},
                                    {11025, 48000}, {48000, 11025}, {8000, 44100},  {32000, 24000}};

static void sines_are_the_sines_of_the_new_rate(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i) {
        const double lower = fmin(pairs[i][0], pairs[i][1]);
        for (double part = 0.01; part < 0.45; part += 0.146)
            assert_true(convert(part * lower, pairs[i][0], pairs[i][1], 1) < 3e-5);
    }
}

static void what_the_new_rate_cannot_hold_is_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i) {
        if (pairs[i][0] < pairs[i][1])
            continue;
        assert_true(convert(0.505 * pairs[i][1], pairs[i][0], pairs[i][1], 0) < 2e-5);
        assert_true(convert(0.49 * pairs[i][0], pairs[i][0], pairs[i][1], 0) < 2e-5);
    }
}

static void reading_in_any_pieces_and_after_seeks_gives_the_same(void **state)
{
    (void)state;
    static float piece[777 * 2];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i) {
        struct tone tone = {.hz = 1000, .rate_hz = pairs[i][0], .end = FRAMES};
        struct rate_bridge *bridge = create(&tone, pairs[i][1]);
        const uint32_t frames = rate_bridge_read(bridge, out, MOST_OUT);
        for (uint64_t at = 0; at < frames; at += at < 500 ? 61 : 977) {
            tone.at = rate_bridge_seek(bridge, at);
            const uint32_t left = frames - (uint32_t)at, wanted = left < 777 ? left : 777;
            assert_int_equal(rate_bridge_read(bridge, piece, 10), wanted < 10 ? wanted : 10);
            if (wanted > 10)
                assert_int_equal(rate_bridge_read(bridge, piece + 20, 767), wanted - 10);
            assert_memory_equal(piece, out + 2 * at, wanted * 2 * sizeof *piece);
        }
        rate_bridge_destroy(&bridge);
    }
}

// Filters of at most 4 MB.
static void conversions_of_any_size_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i)
        assert_true(rate_bridge_can(pairs[i][0], pairs[i][1]));
    assert_true(rate_bridge_can(192000, 44100) && rate_bridge_can(8000, 192000));
    assert_false(rate_bridge_can(44101, 48000));
    assert_false(rate_bridge_can(767999, 8000));
    assert_false(rate_bridge_can(1000, 767999));
}

static void nothing_gives_nothing(void **state)
{
    (void)state;
    for (uint64_t end = 0; end < 3; ++end) {
        struct tone tone = {.hz = 1000, .rate_hz = 22050, .end = end};
        struct rate_bridge *bridge = create(&tone, 44100);
        assert_int_equal(rate_bridge_read(bridge, out, 100), 2 * end);
        assert_int_equal(rate_bridge_read(bridge, out, 100), 0);
        rate_bridge_destroy(&bridge);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sines_are_the_sines_of_the_new_rate),
        cmocka_unit_test(what_the_new_rate_cannot_hold_is_gone),
        cmocka_unit_test(reading_in_any_pieces_and_after_seeks_gives_the_same),
        cmocka_unit_test(conversions_of_any_size_are_refused),
        cmocka_unit_test(nothing_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
