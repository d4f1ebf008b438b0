// SPDX-License-Identifier: MIT
#include "engine/audio/blend.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { RATE_HZ = 44100, WAY = RATE_HZ / 20, FRAMES = 3 * WAY };

static const struct blend_gains MASTERED = {.mastered = 1.0f}, PLAIN = {.plain = 1.0f};

/// The same value in all of `frames` frames, for a way to be seen; the caller's to free().
static float *level(float value, size_t frames)
{
    float *stereo = malloc(2 * frames * sizeof *stereo);
    assert_non_null(stereo);
    for (size_t i = 0; i < 2 * frames; i++)
        stereo[i] = value;
    return stereo;
}

static void a_side_at_rest_keeps_its_bits_and_the_other_is_not_read(void **state)
{
    (void)state;
    const float odd[8] = {1e-42f, -0.0f, NAN, INFINITY, 3.5f, -1e-45f, 1e30f, -1.0f};
    const float poison[8] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    float out[8];
    struct blend blend;
    blend_jump(&blend, MASTERED);
    blend_process(&blend, out, odd, NULL, 4);
    assert_memory_equal(out, odd, sizeof odd);
    blend_jump(&blend, PLAIN);
    blend_process(&blend, out, poison, odd, 4);
    assert_memory_equal(out, odd, sizeof odd);
}

static void a_side_at_rest_is_multiplied_by_its_gain_alone(void **state)
{
    (void)state;
    const float poison[4] = {NAN, NAN, NAN, NAN}, in[4] = {0.3f, -0.7f, 1.1f, 1e-3f};
    float out[4];
    struct blend blend;
    blend_jump(&blend, (struct blend_gains){.plain = 0.7f});
    blend_process(&blend, out, poison, in, 2);
    for (size_t i = 0; i < 4; i++)
        assert_true(out[i] == 0.7f * in[i]);
    blend_jump(&blend, (struct blend_gains){.mastered = 0.7f});
    blend_process(&blend, out, in, NULL, 2);
    for (size_t i = 0; i < 4; i++)
        assert_true(out[i] == 0.7f * in[i]);
}

/// The way's share done after `i` of WAY frames: the area under 30 t^2 (1-t)^2, which has neither height nor slope
/// at its ends, added up in small steps.
static double share(uint32_t i)
{
    enum { STEPS = 2000 };
    double area = 0;
    for (int k = 0; k < STEPS; k++) {
        const double t = (k + 0.5) / STEPS * i / WAY;
        area += 30 * t * t * (1 - t) * (1 - t) * i / WAY / STEPS;
    }
    return area;
}

static void the_way_is_the_curve_without_corners(void **state)
{
    (void)state;
    float *mastered = level(0.9f, FRAMES), *plain = level(-0.4f, FRAMES);
    float *out = level(0, FRAMES);
    struct blend blend;
    blend_jump(&blend, MASTERED);
    blend_process(&blend, out, mastered, plain, 100);
    blend_go(&blend, (struct blend_gains){.plain = 0.5f}, WAY);
    blend_process(&blend, out + 200, mastered, plain, FRAMES - 100);

    assert_true(out[2 * 99] == 0.9f);
    for (uint32_t i = 1; i <= WAY; i += 7) {
        const double expected = 0.9 * (1 - share(i)) - 0.4 * 0.5 * share(i);
        assert_float_equal(out[2 * (99 + i)], expected, 1e-6);
        assert_true(out[2 * (99 + i)] == out[2 * (99 + i) + 1]);
    }
    for (size_t i = 100 + WAY - 1; i < FRAMES; i++)
        assert_true(out[2 * i] == 0.5f * -0.4f);
    free(mastered);
    free(plain);
    free(out);
}

static void going_on_to_where_it_goes_already_changes_nothing(void **state)
{
    (void)state;
    const float mastered[2] = {1, 1}, plain[2] = {0, 0};
    float out[2];
    struct blend blend;
    blend_jump(&blend, MASTERED);
    for (uint32_t i = 0; i < WAY; i++) {
        blend_go(&blend, PLAIN, WAY);
        blend_process(&blend, out, mastered, plain, 1);
    }
    assert_true(out[0] == 0.0f);
}

static void a_change_of_mind_on_the_way_makes_no_step(void **state)
{
    (void)state;
    const float mastered[2] = {1, 1}, plain[2] = {-1, -1};
    float out[2];
    struct blend blend;
    blend_jump(&blend, MASTERED);
    double last = 1, largest = 0, least = 1;
    for (int i = 0; i < RATE_HZ; i++) {
        if (i % 700 == 0)
            blend_go(&blend, i / 700 % 2 ? MASTERED : PLAIN, WAY);
        blend_process(&blend, out, mastered, plain, 1);
        largest = fmax(largest, fabs((double)out[0] - last));
        last = (double)out[0];
        least = fmin(least, last);
    }
    // Twice full scale times the curve's steepest slope, 15/8 a way.
    assert_true(least < 0.9 && least >= -1.0);
    assert_true(largest > 0 && largest <= 2.0 * 1.875 / WAY + 1e-6);
}

static void blocks_of_any_size_give_the_same_bits(void **state)
{
    (void)state;
    static const uint32_t blocks[] = {1, 7, 64, 511};
    float *mastered = level(0, FRAMES), *plain = level(0, FRAMES);
    float *whole = level(0, FRAMES), *parts = level(0, FRAMES);
    for (size_t i = 0; i < (size_t)2 * FRAMES; i++) {
        mastered[i] = (float)sin(0.01 * (double)i);
        plain[i] = (float)cos(0.013 * (double)i);
    }
    struct blend blend;
    blend_jump(&blend, PLAIN);
    blend_go(&blend, MASTERED, WAY);
    blend_process(&blend, whole, mastered, plain, FRAMES);
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        blend_jump(&blend, PLAIN);
        blend_go(&blend, MASTERED, WAY);
        for (uint32_t at = 0, n; at < FRAMES; at += n) {
            n = FRAMES - at < blocks[b] ? FRAMES - at : blocks[b];
            const size_t i = 2 * (size_t)at;
            blend_process(&blend, parts + i, mastered + i, plain + i, n);
        }
        assert_memory_equal(parts, whole, (size_t)FRAMES * 2 * sizeof *parts);
    }
    free(mastered);
    free(plain);
    free(whole);
    free(parts);
}

// --- beside a tone

enum { POINTS = 16384, TONE_HZ = 1000 };

/// The strongest of many frequencies at least 200 Hz beside the tone's, in dBFS, by a window whose own leakage is
/// under -163 dB.
static double leak_db(const float *stereo)
{
    static const double terms[] = {0.27105140069342, 0.43329793923448, 0.21812299954311,
                                   0.06592544638803, 0.01081174209837, 0.00077658482522,
                                   0.00001388721735};
    double *x = malloc(POINTS * sizeof *x), gain = 0, most = 0;
    assert_non_null(x);
    for (int i = 0; i < POINTS; i++) {
        double w = 0;
        for (int k = 0; k < 7; k++)
            w += (k % 2 ? -1 : 1) * terms[k] * cos(2 * M_PI * k * i / POINTS);
        x[i] = (double)stereo[2 * i] * w;
        gain += w / 2;
    }
    for (double f = 20; f < 12000; f *= 1.03) {
        if (fabs(f - TONE_HZ) < 200)
            continue;
        const double turn = 2 * cos(2 * M_PI * f / RATE_HZ); // Goertzel's recurrence
        double now = 0, last = 0;
        for (int i = 0; i < POINTS; i++) {
            const double next = x[i] + turn * now - last;
            last = now;
            now = next;
        }
        most = fmax(most, sqrt(now * now + last * last - turn * now * last) / gain);
    }
    free(x);
    return 20 * log10(most);
}

static void the_way_is_not_heard_beside_a_tone_and_a_straight_one_would_be(void **state)
{
    (void)state;
    float *mastered = level(0, POINTS), *plain = level(0, POINTS);
    float *out = level(0, POINTS), *straight = level(0, POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        const double tone = 0.1 * sin(2 * M_PI * TONE_HZ * (double)i / RATE_HZ);
        plain[2 * i] = plain[2 * i + 1] = (float)tone;
        mastered[2 * i] = mastered[2 * i + 1] = (float)(2 * tone);
        const double line = fmin(fmax(((double)i - 7000) / WAY, 0), 1);
        straight[2 * i] = (float)((2 - line) * tone);
    }
    struct blend blend;
    blend_jump(&blend, MASTERED);
    blend_process(&blend, out, mastered, plain, 7000);
    blend_go(&blend, PLAIN, WAY);
    blend_process(&blend, out + 14000, mastered + 14000, plain + 14000, POINTS - 7000);

    print_message("outside 200 Hz around the tone: %.1f dBFS, by a line %.1f dBFS\n", leak_db(out),
                  leak_db(straight));
    assert_true(leak_db(out) < -100);
    assert_true(leak_db(straight) > -100);
    free(mastered);
    free(plain);
    free(out);
    free(straight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_side_at_rest_keeps_its_bits_and_the_other_is_not_read),
        cmocka_unit_test(a_side_at_rest_is_multiplied_by_its_gain_alone),
        cmocka_unit_test(the_way_is_the_curve_without_corners),
        cmocka_unit_test(going_on_to_where_it_goes_already_changes_nothing),
        cmocka_unit_test(a_change_of_mind_on_the_way_makes_no_step),
        cmocka_unit_test(blocks_of_any_size_give_the_same_bits),
        cmocka_unit_test(the_way_is_not_heard_beside_a_tone_and_a_straight_one_would_be),
    };
    return cmocka_run_group_tests_name("blend", tests, NULL, NULL);
}
