// SPDX-License-Identifier: MIT
// Medians in bounded memory against sorted lists of everything.
#include "dsp/spectrum/shape_medians.h"
#include "support/near.h"
#include "support/rng.h"

enum { MAX = SHAPE_MEDIANS_MAX_FRAMES };

struct frame {
    double power;
    struct spectral_shape shape;
};

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Median centroid of the frames within 1e-4 of the loudest.
static double sorted_median(const struct frame *frames, uint32_t count)
{
    double *list = malloc(count * sizeof *list), loudest = 0;
    assert_non_null(list);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; ++i)
        loudest = fmax(loudest, frames[i].power);
    for (uint32_t i = 0; i < count; ++i)
        if (frames[i].power >= 1e-4 * loudest)
            list[kept++] = frames[i].shape.centroid_hz;
    qsort(list, kept, sizeof *list, compare);
    const double median = 0.5 * (list[(kept - 1) / 2] + list[kept / 2]);
    free(list);
    return median;
}

static struct spectral_shape median_of(const struct frame *frames, uint32_t count)
{
    struct shape_medians medians;
    struct spectral_shape out;
    assert_int_equal(shape_medians_init(&medians), 0);
    for (uint32_t i = 0; i < count; ++i) {
        shape_medians_push(&medians, frames[i].power, &frames[i].shape);
        assert_true(medians.count <= MAX);
    }
    shape_medians_finish(&medians, &out);
    shape_medians_deinit(&medians);
    return out;
}

// Centroids spread over 0..8 kHz, drifting slowly; levels over `span_db`, none near the gate at 40.
static struct frame *make_frames(uint32_t count, double span_db, uint64_t seed)
{
    struct frame *frames = malloc(count * sizeof *frames);
    assert_non_null(frames);
    for (uint32_t i = 0; i < count; ++i) {
        const double place = 0.3 * rng_unit(&seed) + 0.7 * (0.5 + 0.5 * sin(i * 1e-4));
        const double under_db = i ? 0.5 + floor(span_db * rng_unit(&seed)) : 0;
        frames[i].power = pow(10, -under_db / 10);
        frames[i].shape = (struct spectral_shape){8000 * place, 9000 * place, place};
    }
    return frames;
}

static void medians_are_those_of_a_sort_while_all_frames_are_kept(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 3, 1000, 1023, 1025, 5000, MAX};
    for (int c = 0; c < 8; ++c) {
        struct frame *frames = make_frames(counts[c], 60, 71 + (uint64_t)c);
        const struct spectral_shape median = median_of(frames, counts[c]);
        // A step of 0.31 Hz, and frames within 0.012 dB of the gate, which may count or not.
        assert_near(median.centroid_hz, sorted_median(frames, counts[c]),
                    counts[c] < 2000 ? 0.2 : 8);
        assert_near(median.rolloff_hz, median.centroid_hz * 9 / 8, 0.6);
        assert_near(median.flatness, median.centroid_hz / 8000, 6e-5);
        free(frames);
    }
}

static void a_track_of_many_hours_has_its_exact_medians(void **state)
{
    (void)state;
    const uint32_t counts[] = {MAX + 1, 775000, 3 * MAX + 17};
    for (int c = 0; c < 3; ++c) {
        struct frame *frames = make_frames(counts[c], 60, 81 + (uint64_t)c);
        assert_near(median_of(frames, counts[c]).centroid_hz, sorted_median(frames, counts[c]),
                    0.2);
        free(frames);
    }
}

// The loudest frame comes last, and a third of the others falls silent. Centroids lie so thinly around
// their median that 0.3 % of the frames are 4.5e-3 of the range.
static void a_gate_that_rises_after_hours_leaves_an_even_draw(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed < 104; ++seed) {
        enum { COUNT = 775000 };
        struct frame *frames = make_frames(COUNT, 30, seed);
        frames[COUNT - 1].power = 100;
        assert_near(median_of(frames, COUNT).centroid_hz, sorted_median(frames, COUNT),
                    8000 * 9e-3);
        free(frames);
    }
}

// Its loudest frame comes last, so that the draw is looked at: every n-th frame would be one value alone.
static void a_pattern_of_two_to_the_n_frames_is_seen_whole(void **state)
{
    (void)state;
    enum { COUNT = 3 * MAX };
    struct frame *frames = malloc(COUNT * sizeof *frames);
    assert_non_null(frames);
    for (uint32_t i = 0; i < COUNT; ++i)
        frames[i] = (struct frame){i % 64 == 7 ? 1e-3 : 1.0, {100.0 * (i % 64), 0, 0}};
    frames[COUNT - 1].power = 20;
    assert_near(median_of(frames, COUNT).centroid_hz, 3150, 100);
    for (uint32_t first = 0; first < 8;
         ++first) { // three of eight are low: all of one place in four
        for (uint32_t i = 0; i < COUNT; ++i)
            frames[i].shape.centroid_hz =
                (i + first) % 4 == 3 || (i + first) % 8 == 0 ? 1000 : 5000;
        assert_near(median_of(frames, COUNT).centroid_hz, 5000, 0.2);
    }
    free(frames);
}

static void frames_1e_4_under_the_loudest_do_not_count_wherever_it_is(void **state)
{
    (void)state;
    struct frame frames[201];
    for (double power = 1e-30; power < 1e31; power *= 1e15)
        for (int loudest = 0; loudest <= 200; loudest += 100) {
            for (int i = 0; i < 201; ++i)
                frames[i] =
                    (struct frame){power * (i % 3 ? 0.99e-4 : 1.01e-4), {i % 3 ? 4000 : 500, 0, 0}};
            frames[loudest] = (struct frame){power, {500, 0, 0}};
            assert_near(median_of(frames, 201).centroid_hz, 500, 0.2);
        }
}

// One in twenty falls silent at the end, all with low figures: they move the rank by a fortieth if they stay.
static void a_few_frames_that_fall_silent_after_hours_are_forgotten(void **state)
{
    (void)state;
    enum { COUNT = 400000 };
    struct frame *frames = make_frames(COUNT, 1, 111);
    uint64_t seed = 112;
    for (uint32_t i = 0; i < COUNT; ++i) {
        const int is_silent = i % 20 == 3;
        frames[i].power = is_silent ? 1e-3 : 1.0;
        frames[i].shape.centroid_hz = is_silent ? 1 : 8000 * rng_unit(&seed);
    }
    frames[COUNT - 1].power = 20;
    assert_near(median_of(frames, COUNT).centroid_hz, sorted_median(frames, COUNT), 100);
    free(frames);
}

static void figures_reach_up_to_20_khz(void **state)
{
    (void)state;
    const struct frame frame = {1.0, {15000, 19000, 0.99}};
    const struct spectral_shape median = median_of(&frame, 1);
    assert_near(median.centroid_hz, 15000, 0.2);
    assert_near(median.rolloff_hz, 19000, 0.2);
    assert_near(median.flatness, 0.99, 1e-5);
}

static void silent_hours_make_no_difference(void **state)
{
    (void)state;
    enum { QUIET = 2 * MAX, LOUD = 100 };
    struct frame *frames = make_frames(QUIET + LOUD, 10, 91);
    for (uint32_t i = 0; i < QUIET; ++i)
        frames[i].power *= 1e-6;
    assert_near(median_of(frames, QUIET + LOUD).centroid_hz, sorted_median(frames, QUIET + LOUD),
                0.2);
    for (uint32_t i = 0; i < QUIET; ++i)
        frames[i].power *= 1e-3;
    assert_near(median_of(frames, QUIET + LOUD).centroid_hz, sorted_median(frames, QUIET + LOUD),
                0.2);
    for (uint32_t i = 0; i < LOUD; ++i) { // the same at the start
        const struct frame swap = frames[i];
        frames[i] = frames[QUIET + i];
        frames[QUIET + i] = swap;
    }
    assert_near(median_of(frames, QUIET + LOUD).centroid_hz, sorted_median(frames, QUIET + LOUD),
                0.2);
    free(frames);
}

static void no_frames_give_zeros(void **state)
{
    (void)state;
    const struct spectral_shape median = median_of(NULL, 0);
    assert_near(median.centroid_hz, 0.0, 0.0);
    assert_near(median.rolloff_hz, 0.0, 0.0);
    assert_near(median.flatness, 0.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_are_those_of_a_sort_while_all_frames_are_kept),
        cmocka_unit_test(a_track_of_many_hours_has_its_exact_medians),
        cmocka_unit_test(a_gate_that_rises_after_hours_leaves_an_even_draw),
        cmocka_unit_test(a_pattern_of_two_to_the_n_frames_is_seen_whole),
        cmocka_unit_test(frames_1e_4_under_the_loudest_do_not_count_wherever_it_is),
        cmocka_unit_test(silent_hours_make_no_difference),
        cmocka_unit_test(no_frames_give_zeros),
        cmocka_unit_test(a_few_frames_that_fall_silent_after_hours_are_forgotten),
        cmocka_unit_test(figures_reach_up_to_20_khz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
