// SPDX-License-Identifier: MIT
// What an analysis costs where samples are none, or too small, or no numbers: over its cost of the music they stand in.
#include "bench.h"
#include "dsp/analyzer.h"
#include "mastering_audio.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS = 20, ROUNDS = 9, BLOCK_FRAMES = 4096, RATE_HZ = 44100 };

// -1 to 1.
static double noise_at(uint32_t index)
{
    uint64_t seed = index;
    return (double)(bench_random(&seed) >> 11) * 0x1p-52 - 1.0;
}

static float music(float sample, uint32_t index)
{
    (void)index;
    return sample;
}

static float silence(float sample, uint32_t index)
{
    (void)sample, (void)index;
    return 0.0F;
}

static float denormals(float sample, uint32_t index)
{
    (void)sample;
    return (float)(1e-39 * noise_at(index));
}

// Denormal in their squares.
static float faint(float sample, uint32_t index)
{
    (void)sample;
    return (float)(1e-16 * noise_at(index));
}

static float faint_music(float sample, uint32_t index)
{
    (void)index;
    return 1e-16F * sample;
}

// Half a second of music, half a second of denormals.
static float music_and_denormals(float sample, uint32_t index)
{
    return index / RATE_HZ % 2 ? denormals(sample, index) : sample;
}

// To denormals in 16 s.
static float decay(float sample, uint32_t index)
{
    return (float)((double)sample * exp(-6e-5 * index));
}

static float clicks(float sample, uint32_t index)
{
    (void)sample;
    return index % RATE_HZ ? 0.0F : 0.9F;
}

static float dc(float sample, uint32_t index)
{
    (void)sample, (void)index;
    return 0.3F;
}

static float square(float sample, uint32_t index)
{
    (void)sample;
    return index / 200 % 2 ? 1.0F : -1.0F;
}

static float not_a_number(float sample, uint32_t index)
{
    (void)sample, (void)index;
    return NAN;
}

// Music with a NaN, an infinite or a denormal sample in every two.
static float odd_music(float sample, uint32_t index)
{
    const float odd[] = {NAN, INFINITY, -INFINITY, 1e-40F};
    const uint32_t draw = (uint32_t)(4 + 4 * noise_at(index));
    return draw < 4 ? odd[draw] : sample;
}

static const struct input {
    const char *name;
    float (*sample)(float sample, uint32_t index); // of the music's sample, and of its place
} INPUTS[] = {
    {"music", music},
    {"silence", silence},
    {"denormals", denormals},
    {"noise-at-minus-320-db", faint},
    {"music-at-minus-320-db", faint_music},
    {"music-and-denormals", music_and_denormals},
    {"decay-to-denormals", decay},
    {"clicks", clicks},
    {"dc", dc},
    {"square", square},
    {"nan", not_a_number},
    {"music-and-odd-samples", odd_music},
};
enum { INPUT_COUNT = sizeof INPUTS / sizeof INPUTS[0] };

static int time_analysis(const struct mastered_tape *tape, const float *samples, double *ms)
{
    const int64_t began_ns = bench_cpu_ns();
    struct analyzer *analyzer;
    struct analysis *analysis = NULL;
    int error = analyzer_create(&analyzer, &(struct analyzer_config){.format = tape->format});
    for (uint32_t at = 0; at < tape->frames && !error; at += BLOCK_FRAMES) {
        const uint32_t left = tape->frames - at;
        error = analyzer_feed(analyzer, samples + (size_t)at * tape->format.channels,
                              left < BLOCK_FRAMES ? left : BLOCK_FRAMES);
    }
    if (!error)
        error = analyzer_finish(analyzer, &analysis);
    analyzer_destroy(&analyzer);
    free(analysis);
    *ms = fmin(*ms, (double)(bench_cpu_ns() - began_ns) / 1e6); // the least is free of disturbances
    return error;
}

static int time_all(const struct mastered_tape *tape, float *samples)
{
    double ms[INPUT_COUNT];
    int error = 0;
    for (int i = 0; i < INPUT_COUNT; ++i)
        ms[i] = HUGE_VAL;
    for (int n = 0; n < ROUNDS * INPUT_COUNT && !error; ++n) {
        const int i = n % INPUT_COUNT;
        for (uint32_t s = 0; s < tape->frames * tape->format.channels; ++s)
            samples[s] = INPUTS[i].sample(tape->interleaved[s], s);
        error = time_analysis(tape, samples, &ms[i]);
    }
    for (int i = 0; i < INPUT_COUNT && !error; ++i)
        printf("inputs name=%s cpu_ms=%.1f over_music=%.2f\n", INPUTS[i].name, ms[i],
               ms[i] / ms[0]);
    return error;
}

int bench_inputs(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct mastered_tape tape;
    const struct mastering_excerpt excerpt = {
        .path = argv[1], .seconds = SECONDS, .rate_hz = RATE_HZ};
    int error = mastering_audio_load(&tape, &excerpt);
    float *samples =
        error ? NULL : malloc((size_t)tape.frames * tape.format.channels * sizeof *samples);
    if (!error)
        error = samples ? time_all(&tape, samples) : -ENOMEM;
    free(samples);
    mastering_audio_free(&tape);
    if (error)
        fprintf(stderr, "segue-bench: inputs: %s\n", strerror(-error));
    return error != 0;
}
