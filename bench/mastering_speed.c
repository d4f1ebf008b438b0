// SPDX-License-Identifier: MIT
#include "mastering_speed.h"
#include "bench.h"
#include "dsp/analyzer.h"
#include "dsp/downmix.h"
#include "dsp/mastering/chain.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 9, BLOCK_PASSES = 5, BLOCK_FRAMES = 512 };

struct speed {
    const struct mastered_tape *tape;
    struct chain *chain;
    float *stereo, *work;
    double *block_ns; // the least that each block ever took
    uint32_t blocks;
};

/// One pass in blocks. @return CPU time in ms.
static double run_chain(struct speed *s, const struct mastering_targets *targets, const float *in)
{
    memcpy(s->work, in, (size_t)s->tape->frames * 2 * sizeof *s->work);
    chain_reset(s->chain, targets);
    const int64_t began_ns = bench_cpu_ns();
    for (uint32_t at = 0; at + BLOCK_FRAMES <= s->tape->frames; at += BLOCK_FRAMES)
        chain_process(s->chain, s->work + (size_t)2 * at, BLOCK_FRAMES);
    return (double)(bench_cpu_ns() - began_ns) / 1e6;
}

/// The same with a clock at each block: disturbances add to single blocks, and the least of many passes
/// is free of them.
static void time_blocks(struct speed *s, const struct mastering_targets *targets)
{
    memcpy(s->work, s->stereo, (size_t)s->tape->frames * 2 * sizeof *s->work);
    chain_reset(s->chain, targets);
    for (uint32_t i = 0; i < s->blocks; ++i) {
        const int64_t began_ns = bench_cpu_ns();
        chain_process(s->chain, s->work + (size_t)2 * BLOCK_FRAMES * i, BLOCK_FRAMES);
        s->block_ns[i] = fmin(s->block_ns[i], (double)(bench_cpu_ns() - began_ns));
    }
}

static void print_blocks(struct speed *s)
{
    double sum = 0, most = 0;
    for (uint32_t i = 0; i < s->blocks; ++i) {
        sum += s->block_ns[i];
        most = fmax(most, s->block_ns[i]);
    }
    const double mean = sum / s->blocks;
    const double p999 =
        (bench_median(s->block_ns, s->blocks), s->block_ns[s->blocks * 999ULL / 1000]);
    printf("speed name=block frames=%d mean_us=%.2f p999_over_mean=%.2f worst_over_mean=%.2f\n",
           BLOCK_FRAMES, mean / 1e3, p999 / mean, most / mean);
}

/// How long sounds take that some filters choke on, against music. At unity makeup, where the limiter rests:
/// what it costs at work is a matter of level.
static void time_odd_sounds(struct speed *s, const struct mastering_targets *loud)
{
    struct mastering_targets at_rest = *loud;
    at_rest.makeup_db = 0;
    const struct mastering_targets *targets = &at_rest;
    static const struct {
        const char *name;
        float values[4];
    } sounds[] = {{"silence", {0}},
                  {"dc", {0.3F, 0.3F, 0.3F, 0.3F}},
                  {"denormals", {1e-40F, -1e-41F, 1e-39F, -1e-42F}},
                  {"nan-and-infinity", {NAN, INFINITY, -INFINITY, 0.1F}}};
    float *x = malloc((size_t)s->tape->frames * 2 * sizeof *x);
    for (size_t i = 0; x && i < sizeof sounds / sizeof *sounds; ++i) {
        for (size_t n = 0; n < (size_t)s->tape->frames * 2; ++n)
            x[n] = sounds[i].values[n % 4];
        double odd_ms = HUGE_VAL, music_ms = HUGE_VAL; // the least is free of disturbances
        for (int r = 0; r < ROUNDS; ++r) {
            odd_ms = fmin(odd_ms, run_chain(s, targets, x));
            music_ms = fmin(music_ms, run_chain(s, targets, s->stereo));
        }
        printf("speed name=%s over_music=%.2f\n", sounds[i].name, odd_ms / music_ms);
    }
    free(x);
}

static void print_speed(const char *name, double seconds, double *ms)
{
    const double median_ms = bench_median(ms, ROUNDS); // sorts: the least is first
    printf("speed name=%s cpu_ms=%.1f times_real_time=%.0f least_ms=%.1f best=%.0f\n", name,
           median_ms, 1e3 * seconds / median_ms, ms[0], 1e3 * seconds / ms[0]);
}

static int time_all(struct speed *s, struct mastered_tape *tape)
{
    const struct mastering_settings settings = mastering_settings_default();
    double chain_ms[ROUNDS], calibrate_ms[ROUNDS], analyse_ms[ROUNDS];
    struct mastering_targets targets;
    int error = 0;
    for (int r = 0; r < ROUNDS && !error; ++r) {
        int64_t began_ns = bench_cpu_ns();
        struct analysis *analysis = mastered_analyse(tape);
        analyse_ms[r] = (double)(bench_cpu_ns() - began_ns) / 1e6;
        began_ns = bench_cpu_ns();
        error = analysis ? mastered_calibrate(&targets, tape, analysis, &settings) : -ENOMEM;
        calibrate_ms[r] = (double)(bench_cpu_ns() - began_ns) / 1e6;
        free(analysis);
        if (error)
            break;
        chain_ms[r] = run_chain(s, &targets, s->stereo);
        for (int pass = 0; pass < BLOCK_PASSES; ++pass)
            time_blocks(s, &targets);
    }
    if (error)
        return error;
    const double seconds = (double)tape->frames / tape->format.rate_hz;
    printf("track seconds=%.1f rate_hz=%u channels=%u makeup_db=%.2f limiting_db=%.2f\n", seconds,
           tape->format.rate_hz, tape->format.channels, targets.makeup_db,
           targets.limiter_reduction_db);
    print_speed("chain", seconds, chain_ms);
    print_speed("calibration", seconds, calibrate_ms);
    print_speed("tonal-analysis", seconds, analyse_ms);
    print_blocks(s);
    time_odd_sounds(s, &targets);
    return 0;
}

int mastering_speed_run(struct mastered_tape *tape)
{
    struct speed s = {.tape = tape, .blocks = tape->frames / BLOCK_FRAMES};
    s.stereo = malloc((size_t)tape->frames * 2 * sizeof *s.stereo);
    s.work = malloc((size_t)tape->frames * 2 * sizeof *s.work);
    s.block_ns = malloc(((size_t)s.blocks + 1) * sizeof *s.block_ns);
    int error = s.stereo && s.work && s.block_ns && s.blocks > 0 ? 0 : -ENOMEM;
    if (!error)
        error = chain_create(&s.chain, tape->format.rate_hz);
    if (!error) {
        downmix_to_stereo(s.stereo, tape->interleaved, tape->frames, tape->format.channels);
        for (uint32_t i = 0; i < s.blocks; ++i)
            s.block_ns[i] = HUGE_VAL;
        error = time_all(&s, tape);
        chain_destroy(&s.chain);
    }
    free(s.block_ns);
    free(s.work);
    free(s.stereo);
    return error;
}
