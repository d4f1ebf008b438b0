// SPDX-License-Identifier: MIT
#include "mastering_torture.h"
#include "support/mastered.h"
#include "support/measure.h"
#include "support/torture.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const double SECONDS = 1.3;
enum { BURSTS = 512, BURSTS_PER_SECOND = 40, BURSTS_AT_ONCE = 64 };

/// One way through the chain, and the worst that came of it.
struct ordeal {
    // --- given
    struct pcm_format format;
    double burst_period_s;
    enum mastering_preset preset;
    enum loudness_goal goal;
    // --- found
    double itu_db, sinc_db; // over the ceiling
    double lufs_error;      // of those that reach their target
    int shortfalls;
};

static int make(struct mastered_tape *tape, const struct ordeal *o, int item)
{
    const uint32_t frames = (uint32_t)(SECONDS * o->format.rate_hz);
    const struct torture torture = {.item = (enum torture_item)item,
                                    .rate_hz = o->format.rate_hz,
                                    .gain = 1,
                                    .burst_period_s = o->burst_period_s,
                                    .sound_frames = frames - o->format.rate_hz / 50};
    float *x = malloc(2 * sizeof *x * frames);
    if (!x)
        return -ENOMEM;
    torture_fill(&torture, x, frames);
    for (uint32_t n = 0; n < frames && o->format.channels == 1; ++n)
        x[n] = x[2 * n];
    *tape = (struct mastered_tape){.interleaved = x, .format = o->format, .frames = frames};
    return 0;
}

static void judge(struct ordeal *o, const float *out, uint32_t frames,
                  const struct mastering_targets *targets)
{
    for (int side = 0; side < 2; ++side) {
        const double itu = measure_itu_peak(out + side, 2, frames);
        const double sinc = measure_sinc_peak_above(out + side, 2, frames, 0.5 * itu);
        o->itu_db = fmax(o->itu_db, measure_db(itu) - targets->ceiling_dbtp);
        o->sinc_db = fmax(o->sinc_db, measure_db(sinc) - targets->ceiling_dbtp);
    }
    if (targets->shortfall == SHORTFALL_NONE)
        o->lufs_error = fmax(o->lufs_error, fabs(targets->predicted_lufs - targets->target_lufs));
    else
        ++o->shortfalls;
}

/// Takes the tape's memory.
static int undergo(struct ordeal *o, struct mastered_tape *tape)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.preset = o->preset;
    settings.goal = o->goal;
    settings.target_lufs = -8;
    struct analysis *analysis = mastered_analyse(tape);
    struct mastering_targets targets;
    int error = analysis ? mastered_calibrate(&targets, tape, analysis, &settings) : -ENOMEM;
    float *out = error ? NULL : mastered_render(tape, &targets);
    if (out)
        judge(o, out, tape->frames, &targets);
    else
        error = -ENOMEM;
    free(out);
    free(analysis);
    free((void *)tape->interleaved);
    return error;
}

/// @return 0; -ERANGE: a promise is broken.
static int print_set(const struct ordeal *o, const char *form, int count)
{
    printf("torture preset=%s rate_hz=%u channels=%u form=%s target=%s itu_over_db=%+.4f "
           "sinc_over_db=%+.4f lufs_error=%.3f shortfalls=%d/%d\n",
           mastering_preset_name((int)o->preset), o->format.rate_hz, o->format.channels, form,
           o->goal == LOUDNESS_FIXED ? "-8" : "preset", o->itu_db, o->sinc_db, o->lufs_error,
           o->shortfalls, count);
    return o->itu_db <= 0 && o->sinc_db <= 0.05 && o->lufs_error <= 0.1 ? 0 : -ERANGE;
}

static int run_set(struct ordeal *o)
{
    o->itu_db = o->sinc_db = -HUGE_VAL;
    for (int item = 0; item < TORTURE_ITEMS; ++item) {
        struct mastered_tape tape;
        int error = make(&tape, o, item);
        if (!error)
            error = undergo(o, &tape);
        if (error)
            return error;
    }
    return print_set(o, o->burst_period_s > 0 ? "bursts" : "given", TORTURE_ITEMS);
}

/// Bursts made to be read too low, some at a time, so that not one loud one holds down all.
static int run_hostile_bursts(struct ordeal *o)
{
    const uint32_t rate_hz = o->format.rate_hz;
    const uint32_t frames = (BURSTS_AT_ONCE / 2 + 1) * (rate_hz * 2 / BURSTS_PER_SECOND);
    o->itu_db = o->sinc_db = -HUGE_VAL;
    for (uint32_t first = 0; first < BURSTS; first += BURSTS_AT_ONCE) {
        float *x = malloc(2 * sizeof *x * frames);
        if (!x)
            return -ENOMEM;
        torture_fill_bursts(x, frames, rate_hz, first);
        struct mastered_tape tape = {.interleaved = x, .format = o->format, .frames = frames};
        const int error = undergo(o, &tape);
        if (error)
            return error;
    }
    return print_set(o, "512-hostile-bursts", BURSTS / BURSTS_AT_ONCE);
}

int mastering_torture_run(void)
{
    static const struct pcm_format formats[] = {
        {44100, 2}, {44100, 1}, {48000, 2}, {96000, 2}, {192000, 2}};
    static const enum mastering_preset presets[] = {PRESET_ADAPTIVE, PRESET_PUNCHY};
    int result = 0;
    for (size_t f = 0; f < sizeof formats / sizeof *formats; ++f)
        for (int k = 0; k < 8; ++k) {
            struct ordeal o = {.format = formats[f],
                               .burst_period_s = k & 1 ? 0.4 : 0,
                               .preset = presets[k >> 1 & 1],
                               .goal = k & 4 ? LOUDNESS_FIXED : LOUDNESS_OF_PRESET};
            const int error = run_set(&o);
            if (error == -ENOMEM)
                return error;
            result = error ? error : result;
        }
    for (size_t f = 0; f < sizeof formats / sizeof *formats; ++f)
        for (int k = 0; k < 2 && formats[f].channels == 2; ++k) {
            struct ordeal o = {.format = formats[f], .preset = presets[k], .goal = LOUDNESS_FIXED};
            const int error = run_hostile_bursts(&o);
            if (error == -ENOMEM)
                return error;
            result = error ? error : result;
        }
    return result;
}
