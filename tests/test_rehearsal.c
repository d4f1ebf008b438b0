// SPDX-License-Identifier: MIT
#include "dsp/mastering/rehearsal.h"
#include "support/measure.h"
#include <ebur128.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the headers above
#include <cmocka.h>

enum { RATE_HZ = 48000, FRAMES = 4 * RATE_HZ };

struct tape {
    float *stereo;
    uint32_t frames, at;
};

static int tape_open(void *context, struct pcm_format *format)
{
    ((struct tape *)context)->at = 0;
    *format = (struct pcm_format){.rate_hz = RATE_HZ, .channels = 2};
    return 0;
}

static int64_t tape_read(void *context, float *interleaved, uint32_t frames)
{
    struct tape *tape = context;
    const uint32_t left = tape->frames - tape->at, count = left < frames ? left : frames;
    memcpy(interleaved, tape->stereo + 2 * (size_t)tape->at, (size_t)count * 2 * sizeof(float));
    tape->at += count;
    return count;
}

static void tape_close(void *context)
{
    (void)context;
}

static const struct mastering_targets limited = {
    .ceiling_dbtp = -1,
    .width = 1,
    .compressor = {.ratio = 1, .attack_s = 0.02, .release_s = 0.2},
    .limiter = {.release_s = 0.1}};

enum { TRACKS_MOST = 12 };

/// What a rehearsal of the whole chain says of `count` tapes at unity makeup, each of which begins fresh.
static struct rehearsal_outcome rehearse(struct tape *tapes, uint32_t count,
                                         struct rehearsal_outcome outcomes[TRACKS_MOST])
{
    struct rehearsal_track tracks[TRACKS_MOST] = {0};
    struct pcm_reader readers[TRACKS_MOST];
    for (uint32_t i = 0; i < count; ++i) {
        readers[i] = (struct pcm_reader){&tapes[i], tape_open, tape_read, tape_close};
        tracks[i] = (struct rehearsal_track){.targets = &limited, .reader = &readers[i]};
    }
    struct rehearsal *rehearsal;
    struct rehearsal_outcome whole;
    assert_int_equal(rehearsal_create(&rehearsal), 0);
    assert_int_equal(rehearsal_run(rehearsal, tracks, count, 0.0, REHEARSE_WHOLE, &whole), 0);
    rehearsal_destroy(&rehearsal);
    for (uint32_t i = 0; i < count; ++i)
        outcomes[i] = tracks[i].outcome;
    return whole;
}

static struct rehearsal_outcome outcome_of(float *stereo)
{
    struct tape tape = {.stereo = stereo, .frames = FRAMES};
    struct rehearsal_outcome outcomes[TRACKS_MOST];
    return rehearse(&tape, 1, outcomes);
}

/// Two clicks of twice full scale over a bed at `level`, then as much of what is loud and not limited: alternating
/// samples, so that each has the same level.
static float *clicks_over(double level)
{
    float *stereo = malloc((size_t)FRAMES * 2 * sizeof *stereo);
    assert_non_null(stereo);
    for (uint32_t n = 0; n < FRAMES; ++n) {
        const double of_part = n < FRAMES / 2 ? level : 0.3;
        const int clicks = n < FRAMES / 2 && n % RATE_HZ == RATE_HZ / 2;
        const double x = clicks ? 2.0 : n % 2 ? of_part : -of_part;
        stereo[2 * n] = stereo[2 * n + 1] = (float)x;
    }
    return stereo;
}

// Two clicks are far less than one sample in a thousand. What is pressed down beside them is more, and counts if it is
// heard: if it was louder than -60 dB before the limiter took it down.
static void what_is_pressed_down_beside_a_click_counts_by_how_loud_it_was(void **state)
{
    (void)state;
    static const struct {
        double level;
        int counts;
    } beds[] = {{0.9e-3, 0}, {1.1e-3, 1}, {1.9e-3, 1}, {0.01, 1}};
    for (size_t i = 0; i < sizeof beds / sizeof *beds; ++i) {
        float *stereo = clicks_over(beds[i].level);
        const struct rehearsal_outcome outcome = outcome_of(stereo);
        print_message("bed at %.1f dBFS: at most %.2f dB, counted %.2f\n",
                      measure_db(beds[i].level), -measure_db(outcome.least_gain),
                      outcome.reduction_db);
        assert_true(-measure_db(outcome.least_gain) > 7);
        if (beds[i].counts)
            assert_true(outcome.reduction_db > 6 && outcome.reduction_db < 8);
        else
            assert_true(outcome.reduction_db < 0.1);
        free(stereo);
    }
}

static float *tone(uint32_t frames, double level)
{
    float *stereo = malloc((size_t)frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    for (uint32_t n = 0; n < frames; ++n)
        stereo[2 * n] = stereo[2 * n + 1] = (float)(level * sin(2 * M_PI * 997 / RATE_HZ * n));
    return stereo;
}

// A tone of 997 Hz at full scale in both channels is at 0 LUFS by the standard. One block of 400 ms: a delay that
// is not taken off would leave a hole in it.
static void audio_counts_from_its_first_frame_to_its_last(void **state)
{
    (void)state;
    enum { BLOCK = RATE_HZ * 2 / 5, FIRST = RATE_HZ };
    struct tape tapes[] = {{.stereo = tone(FIRST, 0.1), .frames = FIRST},
                           {.stereo = tone(BLOCK, 0.25), .frames = BLOCK}};
    for (int side = 0; side < 2; ++side) // near the end, in what the limiter still holds
        tapes[0].stereo[2 * (FIRST - 20) + side] = 0.8F;
    struct rehearsal_outcome outcomes[TRACKS_MOST];
    const struct rehearsal_outcome whole = rehearse(tapes, 2, outcomes);
    print_message("%.3f and %.3f LUFS, peaks %.3f and %.3f\n", outcomes[0].lufs, outcomes[1].lufs,
                  outcomes[0].peak, outcomes[1].peak);
    assert_true(fabs(outcomes[1].lufs - measure_db(0.25)) < 0.05);
    assert_true(outcomes[0].peak > 0.75 && fabs(outcomes[1].peak - 0.25) < 0.05);
    assert_true(whole.peak == outcomes[0].peak);
    for (int i = 0; i < 2; ++i)
        free(tapes[i].stereo);
}

static void whole_is_as_loud_as_all_and_limited_as_the_most_limited(void **state)
{
    (void)state;
    enum { LENGTH = 2 * RATE_HZ };
    struct tape tapes[] = {{.stereo = tone(LENGTH, 1.4), .frames = LENGTH},
                           {.stereo = tone(LENGTH, 0.5), .frames = LENGTH}};
    struct rehearsal_outcome outcomes[TRACKS_MOST];
    const struct rehearsal_outcome whole = rehearse(tapes, 2, outcomes);
    print_message("%.2f and %.2f dB, whole %.2f dB and %.3f LUFS\n", outcomes[0].reduction_db,
                  outcomes[1].reduction_db, whole.reduction_db, whole.lufs);
    assert_true(fabs(outcomes[0].reduction_db - (1 + measure_db(1.4))) < 0.3);
    assert_true(outcomes[1].reduction_db < 0.01);
    assert_true(whole.reduction_db == outcomes[0].reduction_db);
    assert_true(whole.least_gain == outcomes[0].least_gain && whole.peak == outcomes[0].peak);
    const double mean = (pow(10, outcomes[0].lufs / 10) + pow(10, outcomes[1].lufs / 10)) / 2;
    assert_true(fabs(whole.lufs - 10 * log10(mean)) < 0.05);
    for (int i = 0; i < 2; ++i)
        free(tapes[i].stereo);
}

/// Loudness of tracks one after another, as another program's author reads the standard.
static double peer_lufs(const struct tape *tapes, uint32_t count)
{
    ebur128_state *peer = ebur128_init(2, RATE_HZ, EBUR128_MODE_I);
    assert_non_null(peer);
    double lufs;
    for (uint32_t i = 0; i < count; ++i)
        assert_int_equal(ebur128_add_frames_float(peer, tapes[i].stereo, tapes[i].frames), 0);
    assert_int_equal(ebur128_loudness_global(peer, &lufs), 0);
    ebur128_destroy(&peer);
    return lufs;
}

static float *noise(uint64_t seed, uint32_t frames, double level)
{
    float *stereo = malloc((size_t)frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    for (uint32_t n = 0; n < 2 * frames; ++n)
        stereo[n] = (float)(level * measure_noise(&seed));
    return stereo;
}

// Half of the blocks of tracks of a second lie across a join, and all that a track under 400 ms is in.
static void album_of_jingles_is_as_loud_as_they_are_one_after_another(void **state)
{
    (void)state;
    static const struct {
        double seconds[2], levels[2]; // of one track and of the next
    } albums[] = {{{0.95, 0.95}, {0.3, 0.03}}, {{0.35, 3.0}, {0.3, 0.015}}};
    for (size_t a = 0; a < sizeof albums / sizeof *albums; ++a) {
        struct tape tapes[TRACKS_MOST];
        for (uint32_t i = 0; i < TRACKS_MOST; ++i) {
            const uint32_t frames = (uint32_t)(albums[a].seconds[i % 2] * RATE_HZ);
            tapes[i] = (struct tape){.stereo = noise(i + 1, frames, albums[a].levels[i % 2]),
                                     .frames = frames};
        }
        struct rehearsal_outcome outcomes[TRACKS_MOST];
        const struct rehearsal_outcome whole = rehearse(tapes, TRACKS_MOST, outcomes);
        const double expected = peer_lufs(tapes, TRACKS_MOST);
        print_message("%.3f LUFS, by libebur128 %.3f\n", whole.lufs, expected);
        assert_true(whole.least_gain >= 1); // what comes out is what went in
        assert_true(fabs(whole.lufs - expected) < 0.01);
        for (uint32_t i = 0; i < TRACKS_MOST; ++i) {
            if (tapes[i].frames * 5 >= RATE_HZ * 2)
                assert_true(fabs(outcomes[i].lufs - peer_lufs(&tapes[i], 1)) < 0.01);
            else
                assert_true(outcomes[i].lufs <= -70);
            free(tapes[i].stereo);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_counts_from_its_first_frame_to_its_last),
        cmocka_unit_test(whole_is_as_loud_as_all_and_limited_as_the_most_limited),
        cmocka_unit_test(album_of_jingles_is_as_loud_as_they_are_one_after_another),
        cmocka_unit_test(what_is_pressed_down_beside_a_click_counts_by_how_loud_it_was),
    };
    return cmocka_run_group_tests_name("rehearsal", tests, NULL, NULL);
}
