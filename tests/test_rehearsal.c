// SPDX-License-Identifier: MIT
#include "dsp/mastering/rehearsal.h"
#include "support/measure.h"
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
    uint32_t at;
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
    const uint32_t left = FRAMES - tape->at, count = left < frames ? left : frames;
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

/// What a rehearsal of the whole chain says of `stereo` at unity makeup.
static struct rehearsal_outcome outcome_of(float *stereo)
{
    struct tape tape = {.stereo = stereo};
    const struct pcm_reader reader = {&tape, tape_open, tape_read, tape_close};
    struct rehearsal_track track = {.targets = &limited, .reader = &reader};
    struct rehearsal *rehearsal;
    struct rehearsal_outcome whole;
    assert_int_equal(rehearsal_create(&rehearsal), 0);
    assert_int_equal(rehearsal_run(rehearsal, &track, 1, 0.0, REHEARSE_WHOLE, &whole), 0);
    rehearsal_destroy(&rehearsal);
    return whole;
}

/// Two clicks of twice full scale over a bed at `level`, then as much of what is loud and not limited: alternating samples,
/// so that each has the same level.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_pressed_down_beside_a_click_counts_by_how_loud_it_was),
    };
    return cmocka_run_group_tests_name("rehearsal", tests, NULL, NULL);
}
