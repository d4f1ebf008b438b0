// SPDX-License-Identifier: MIT
#include "engine/desktop/track_picture.h"
#include "support/near.h"

enum { RATE = 8000, BLOCK = 700 };
static const struct chain_dynamics untouched;

// Stereo frames of zeros, but for one sample.
static float *impulse(uint32_t frames, uint32_t at, float value)
{
    float *stereo = calloc(2 * (size_t)frames, sizeof *stereo);
    assert_non_null(stereo);
    stereo[2 * at + 1] = value;
    return stereo;
}

static void no_feed_spans_two_columns_and_all_frames_are_wanted(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, 999, 1000, 1001, 1999, 123457};
    const float silence[2 * BLOCK] = {0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
        const uint32_t frames = lengths[i];
        struct track_picture *p;
        assert_int_equal(track_picture_create(&p, frames, RATE), 0);
        const uint32_t columns = track_picture_columns(p);
        assert_int_equal(columns, frames < 1000 ? frames : 1000);
        uint32_t taken = 0, want;
        while ((want = track_picture_wants(p, BLOCK)) > 0) {
            const uint64_t first = (uint64_t)taken * columns / frames;
            const uint64_t last = (uint64_t)(taken + want - 1) * columns / frames;
            assert_int_equal(first, last);
            track_picture_feed(p, silence, silence, want, &untouched);
            taken += want;
        }
        assert_int_equal(taken, frames);
        track_picture_destroy(&p);
        assert_null(p);
    }
}

static void the_waveform_has_each_sides_extremes_in_their_column(void **state)
{
    (void)state;
    enum { FRAMES = 50000 }; // 50 a column
    float *before = impulse(FRAMES, 20049, 0.75F), *after = impulse(FRAMES, 20050, -0.5F);
    struct track_picture *p;
    assert_int_equal(track_picture_create(&p, FRAMES, RATE), 0);
    uint32_t taken = 0, want;
    while ((want = track_picture_wants(p, BLOCK)) > 0) {
        track_picture_feed(p, before + 2 * taken, after + 2 * taken, want, &untouched);
        taken += want;
    }
    track_picture_finish(p);
    const struct track_extent *first = track_picture_waveform(p, TRACK_BEFORE);
    const struct track_extent *second = track_picture_waveform(p, TRACK_AFTER);
    for (uint32_t c = 0; c < 1000; ++c) {
        assert_near(first[c].high, c == 400 ? 0.75 : 0.0, 0);
        assert_near(first[c].low, 0.0, 0);
        assert_near(second[c].low, c == 401 ? -0.5 : 0.0, 0);
        assert_near(second[c].high, 0.0, 0);
    }
    track_picture_destroy(&p);
    free(before);
    free(after);
}

static void a_column_keeps_the_strongest_reduction_of_its_feeds(void **state)
{
    (void)state;
    enum { FRAMES = 4000 }; // 4 a column
    const float silence[2] = {0};
    struct track_picture *p;
    assert_int_equal(track_picture_create(&p, FRAMES, RATE), 0);
    for (uint32_t i = 0; i < FRAMES; ++i) {
        const struct chain_dynamics d = {.compressor_db = -(double)(i % 7),
                                         .limiter_db = i == 2002 ? -3.0 : 0.0};
        assert_int_equal(track_picture_wants(p, 1), 1);
        track_picture_feed(p, silence, silence, 1, &d);
    }
    const struct chain_dynamics *dynamics = track_picture_dynamics(p);
    for (uint32_t c = 0; c < 1000; ++c) {
        double strongest = 0;
        for (uint32_t i = 4 * c; i < 4 * c + 4; ++i)
            strongest = i % 7 > strongest ? i % 7 : strongest;
        assert_near(dynamics[c].compressor_db, -strongest, 0);
        assert_near(dynamics[c].limiter_db, c == 500 ? -3.0 : 0.0, 0);
    }
    track_picture_destroy(&p);
}

static void a_track_that_ends_early_is_silent_from_there_on(void **state)
{
    (void)state;
    const float loud[2] = {1, 1};
    struct track_picture *p;
    assert_int_equal(track_picture_create(&p, 2000, RATE), 0);
    for (int i = 0; i < 1000; ++i) {
        assert_int_equal(track_picture_wants(p, 1), 1);
        track_picture_feed(p, loud, loud, 1, &untouched);
    }
    track_picture_finish(p);
    assert_int_equal(track_picture_wants(p, 1), 0);
    const struct track_extent *waveform = track_picture_waveform(p, TRACK_AFTER);
    assert_near(waveform[499].high, 1.0, 0);
    assert_near(waveform[500].high, 0.0, 0);
    assert_near(waveform[999].high, 0.0, 0);
    track_picture_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_feed_spans_two_columns_and_all_frames_are_wanted),
        cmocka_unit_test(the_waveform_has_each_sides_extremes_in_their_column),
        cmocka_unit_test(a_column_keeps_the_strongest_reduction_of_its_feeds),
        cmocka_unit_test(a_track_that_ends_early_is_silent_from_there_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
