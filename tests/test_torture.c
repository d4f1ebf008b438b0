// SPDX-License-Identifier: MIT
// The torture set through analysis, calibration and chain: what comes out stays under the ceiling, and on its
// target or below.
#include "support/mastered.h"
#include "support/measure.h"
#include "support/torture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka needs the headers above
#include <cmocka.h>

static const double CEILING = 0.8912509381337456; // -1 dB
static const double BURST_PERIOD_S = 0.4;

/// One way in which the whole set is put through the chain.
struct ordeal {
    uint32_t rate_hz, channels;
    double burst_period_s;
    enum mastering_preset preset;
    enum loudness_goal goal; // LOUDNESS_FIXED: -8
};

static float *make(struct mastered_tape *tape, const struct ordeal *o, int item)
{
    const uint32_t frames = o->rate_hz * (o->burst_period_s > 0 ? 9 : 5) / 10;
    const struct torture torture = {.item = (enum torture_item)item,
                                    .rate_hz = o->rate_hz,
                                    .gain = 1,
                                    .burst_period_s = o->burst_period_s,
                                    .sound_frames = frames - o->rate_hz / 50};
    float *x = malloc(2 * sizeof *x * frames);
    assert_non_null(x);
    torture_fill(&torture, x, frames);
    for (uint32_t n = 0; n < frames && o->channels == 1; ++n)
        x[n] = x[2 * n];
    *tape = (struct mastered_tape){.interleaved = x,
                                   .format = {.rate_hz = o->rate_hz, .channels = o->channels},
                                   .frames = frames};
    return x;
}

static void assert_under_ceiling(const float *stereo, uint32_t frames)
{
    for (int side = 0; side < 2; ++side) {
        assert_true(measure_itu_peak(stereo + side, 2, frames) <= CEILING);
        // At most 0.05 dB over.
        const double allowed = CEILING * 1.00577;
        assert_true(measure_sinc_peak_above(stereo + side, 2, frames, allowed) <= allowed);
    }
}

static void undergo(const struct ordeal *o)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.preset = o->preset;
    settings.goal = o->goal;
    settings.target_lufs = -8;
    double loudest = -70;
    for (int item = 0; item < TORTURE_ITEMS; ++item) {
        struct mastered_tape tape;
        float *in = make(&tape, o, item);
        struct analysis *analysis = mastered_analyse(&tape);
        assert_non_null(analysis);
        struct mastering_targets targets;
        assert_int_equal(mastered_calibrate(&targets, &tape, analysis, &settings), 0);
        float *out = mastered_render(&tape, &targets);
        assert_non_null(out);
        assert_under_ceiling(out, tape.frames);
        assert_true(targets.predicted_dbtp <= -1 + 0.05);
        if (targets.shortfall == SHORTFALL_NONE)
            assert_true(fabs(targets.predicted_lufs - targets.target_lufs) <= 0.1);
        else
            assert_true(targets.predicted_lufs < targets.target_lufs);
        loudest = fmax(loudest, targets.predicted_lufs);
        free(out);
        free(analysis);
        free(in);
    }
    assert_true(loudest > -20); // none of this is about silence
}

static void adaptive_as_given(void **state)
{
    (void)state;
    undergo(&(struct ordeal){44100, 2, 0, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET});
}

static void adaptive_in_bursts(void **state)
{
    (void)state;
    undergo(&(struct ordeal){44100, 2, BURST_PERIOD_S, PRESET_ADAPTIVE, LOUDNESS_OF_PRESET});
}

static void punchy_as_given(void **state)
{
    (void)state;
    undergo(&(struct ordeal){48000, 2, 0, PRESET_PUNCHY, LOUDNESS_OF_PRESET});
}

static void punchy_in_bursts(void **state)
{
    (void)state;
    undergo(&(struct ordeal){44100, 2, BURST_PERIOD_S, PRESET_PUNCHY, LOUDNESS_OF_PRESET});
}

static void adaptive_to_minus_8_as_given(void **state)
{
    (void)state;
    undergo(&(struct ordeal){44100, 1, 0, PRESET_ADAPTIVE, LOUDNESS_FIXED});
}

static void punchy_to_minus_8_in_bursts(void **state)
{
    (void)state;
    undergo(&(struct ordeal){48000, 2, BURST_PERIOD_S, PRESET_PUNCHY, LOUDNESS_FIXED});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adaptive_as_given),
        cmocka_unit_test(adaptive_in_bursts),
        cmocka_unit_test(punchy_as_given),
        cmocka_unit_test(punchy_in_bursts),
        cmocka_unit_test(adaptive_to_minus_8_as_given),
        cmocka_unit_test(punchy_to_minus_8_in_bursts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
