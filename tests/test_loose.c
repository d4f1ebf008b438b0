// SPDX-License-Identifier: MIT
#include "dsp/rhythm/beats.h"
#include "dsp/rhythm/loose.h"
#include "dsp/rhythm/onset.h"
#include "support/failing_heap.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 3000, PLACES = 256 };

/// Strokes at known places, as the strength has them.
struct strokes {
    uint16_t strength[FRAMES];
    double places[PLACES];
    uint32_t count;
};

static void strike(struct strokes *strokes, double place, double height)
{
    const size_t t = (size_t)round(place);
    strokes->strength[t - 1] = strokes->strength[t + 1] = (uint16_t)(0.25 * height);
    strokes->strength[t] = (uint16_t)height;
}

/// Strokes whose interval swings around `period` by `depth`, once in `cycle` frames.
static void strike_swinging(struct strokes *strokes, double period, double depth, double cycle)
{
    memset(strokes, 0, sizeof(*strokes));
    for (double place = 4.0; place < FRAMES - 4 && strokes->count < PLACES;) {
        strokes->places[strokes->count++] = place;
        strike(strokes, place, 4000.0);
        place += period * (1.0 + depth * sin(2.0 * M_PI * place / cycle));
    }
}

/// Beats as a search for an even pulse finds them, then those of loose_follow(). The caller free()s them.
static int follow(const struct strokes *strokes, double period, double **beats, uint32_t *count)
{
    int is_loose;
    assert_int_equal(beats_find(strokes->strength, FRAMES, period, NULL, beats, count), 0);
    assert_int_equal(loose_follow(strokes->strength, FRAMES, period, beats, count, &is_loose), 0);
    return is_loose;
}

static void a_swinging_tempo_has_its_beats_on_the_strokes(void **state)
{
    (void)state;
    const struct {
        double period, depth, cycle;
    } cases[] = {{22.0, 0.3, 700.0},   {14.0, 0.3, 300.0},   {20.0, 0.3, 500.0},
                 {40.0, 0.35, 1200.0}, {60.0, 0.35, 1500.0}, {40.0, 0.4, 900.0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct strokes strokes;
        double *beats;
        uint32_t count;
        strike_swinging(&strokes, cases[i].period, cases[i].depth, cases[i].cycle);

        assert_true(follow(&strokes, cases[i].period, &beats, &count));

        assert_int_equal(count, strokes.count);
        for (uint32_t j = 0; j < count; j++)
            assert_true(fabs(beats[j] - strokes.places[j]) < 0.6); // a frame has one stroke's top
        free(beats);
    }
}

static void even_beats_stay_whatever_lies_between(void **state)
{
    (void)state;
    struct strokes strokes;
    double *beats;
    uint32_t count;
    strike_swinging(&strokes, 24.0, 0.0, 1.0);
    for (uint32_t i = 0; i + 4 < strokes.count; i += 4) // louder, and at 3, 3 and 2 of eight
        for (int step = 0; step <= 6; step += 3)
            strike(&strokes, strokes.places[i] + 12.0 * step, 9000.0);

    assert_false(follow(&strokes, 24.0, &beats, &count));

    for (uint32_t j = 0; j < count; j++)
        assert_true(fabs(beats[j] - strokes.places[0] - 24.0 * round((beats[j] - 4.0) / 24.0)) <
                    0.6);
    free(beats);
}

/// Are strokes followed whose tops are bells, of a deviation in frames?
static int takes_bells(double deviation)
{
    struct strokes strokes;
    double *beats;
    uint32_t count;
    strike_swinging(&strokes, 22.0, 0.3, 400.0);
    memset(strokes.strength, 0, sizeof(strokes.strength));
    for (uint32_t i = 0; i < strokes.count; i++)
        for (int d = -8; d <= 8; d++) {
            const double t = round(strokes.places[i]) + d;
            if (t >= 0.0 && t < FRAMES)
                strokes.strength[(size_t)t] =
                    (uint16_t)(4000.0 * exp(-0.5 * d * d / (deviation * deviation)));
        }
    const int is_loose = follow(&strokes, 22.0, &beats, &count);
    free(beats);
    return is_loose;
}

static void soft_tops_are_left_to_the_even_pulse(void **state)
{
    (void)state;
    const double from_half = sqrt(2.0 * log(2.0)); // of a bell to its top, in deviations
    assert_true(takes_bells(1.7 / from_half));
    assert_false(takes_bells(2.4 / from_half));
    assert_false(takes_bells(4.0));
}

/// Beats every `every` frames, a quarter of which hit a stroke at most.
static double *lay_beats(double every, uint32_t count)
{
    double *beats = malloc(count * sizeof(*beats));
    assert_non_null(beats);
    for (uint32_t i = 0; i < count; i++)
        beats[i] = 4.0 + every * (i + 0.3 * sin(i));
    return beats;
}

static void another_level_is_not_taken(void **state)
{
    (void)state;
    struct strokes strokes;
    uint32_t count = 80;
    int is_loose;
    strike_swinging(&strokes, 20.0, 0.02, 260.0);
    double *beats = lay_beats(30.0, count), *const before = beats;

    assert_int_equal(loose_follow(strokes.strength, FRAMES, 30.0, &beats, &count, &is_loose), 0);

    assert_false(is_loose);
    assert_ptr_equal(beats, before);
    assert_int_equal(count, 80);
    free(beats);
}

static void few_beats_and_long_tracks_stay(void **state)
{
    (void)state;
    struct strokes strokes;
    uint32_t count = 7;
    int is_loose = 1;
    strike_swinging(&strokes, 22.0, 0.3, 400.0);
    double *beats = lay_beats(22.0, 100);

    assert_int_equal(loose_follow(strokes.strength, FRAMES, 22.0, &beats, &count, &is_loose), 0);
    assert_false(is_loose);

    uint16_t *longer = calloc(ONSET_PART_FRAMES + 1, sizeof(*longer));
    assert_non_null(longer);
    memcpy(longer, strokes.strength, sizeof(strokes.strength));
    count = 100;
    assert_int_equal(loose_follow(longer, ONSET_PART_FRAMES + 1, 22.0, &beats, &count, &is_loose),
                     0);
    assert_false(is_loose);
    assert_int_equal(loose_follow(longer, ONSET_PART_FRAMES, 22.0, &beats, &count, &is_loose), 0);
    assert_true(is_loose);
    free(longer);
    free(beats);
}

/// Does a pulse stay as it is that strays from a line by so many periods, as a deviation?
static int keeps_pulse(double spread)
{
    enum { COUNT = 100 };
    struct strokes strokes;
    uint32_t count = COUNT;
    int is_loose;
    strike_swinging(&strokes, 22.0, 0.3, 400.0);
    double *beats = malloc(COUNT * sizeof(*beats));
    assert_non_null(beats);
    for (int i = 0; i < COUNT; i++) // in turn to either side
        beats[i] = 14.0 + 22.0 * (i + (i % 2 ? spread : -spread) / 1.4826);
    assert_int_equal(loose_follow(strokes.strength, FRAMES, 22.0, &beats, &count, &is_loose), 0);
    free(beats);
    return !is_loose;
}

static void beats_that_lie_on_a_line_stay_there(void **state)
{
    (void)state;
    assert_true(keeps_pulse(0.03) && keeps_pulse(0.045));
    assert_false(keeps_pulse(0.06));
}

static void silence_is_counted_at_the_pace_of_the_track(void **state)
{
    (void)state;
    enum { LAST = 20 };
    const uint32_t nexts[] = {27, 33}; // 8.1 and 14.0 periods later
    for (size_t i = 0; i < sizeof(nexts) / sizeof(*nexts); i++) {
        struct strokes strokes;
        double *beats;
        uint32_t count, within = 0;
        strike_swinging(&strokes, 22.0, 0.3, 440.0);
        const double begin = strokes.places[LAST], end = strokes.places[nexts[i]];
        for (double t = begin + 3.0; t < end - 2.0; t += 1.0)
            strokes.strength[(size_t)t] = 0;

        assert_true(follow(&strokes, 22.0, &beats, &count));

        for (uint32_t j = 0; j < count; j++)
            within += beats[j] > begin + 5.0 && beats[j] < end - 5.0;
        assert_int_equal(within, lround((end - begin) / 22.0) - 1);
        free(beats);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct strokes strokes;
    double *beats;
    uint32_t count;
    size_t failures = 0;
    int is_loose;
    strike_swinging(&strokes, 22.0, 0.3, 400.0);
    failing_heap_arm(SIZE_MAX);
    assert_int_equal(beats_find(strokes.strength, FRAMES, 22.0, NULL, &beats, &count), 0);
    double *const even = beats;
    const uint32_t even_count = count;

    for (failing_heap_arm(0);
         loose_follow(strokes.strength, FRAMES, 22.0, &beats, &count, &is_loose) == -ENOMEM;
         failing_heap_arm(++failures)) {
        assert_true(failing_heap_has_failed());
        assert_ptr_equal(beats, even);
        assert_int_equal(count, even_count);
        assert_false(is_loose);
    }

    assert_int_equal(failures, 5);
    assert_true(is_loose);
    failing_heap_arm(SIZE_MAX);
    free(beats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_swinging_tempo_has_its_beats_on_the_strokes),
        cmocka_unit_test(even_beats_stay_whatever_lies_between),
        cmocka_unit_test(soft_tops_are_left_to_the_even_pulse),
        cmocka_unit_test(another_level_is_not_taken),
        cmocka_unit_test(few_beats_and_long_tracks_stay),
        cmocka_unit_test(beats_that_lie_on_a_line_stay_there),
        cmocka_unit_test(silence_is_counted_at_the_pace_of_the_track),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
