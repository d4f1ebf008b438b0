// SPDX-License-Identifier: MIT
// What the suites of calibration share: a song in memory, its reader, a chain that renders it, a naive BS.1770.
#pragma once
#include "dsp/downmix.h"
#include "dsp/mastering/calibrate.h"
#include "dsp/mastering/chain.h"
#include "support/measure.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE_HZ = 48000, FRAMES = 5 * RATE_HZ };

/// Audio in memory as a reader, with faults to order.
struct tape {
    float *samples;
    uint32_t channels;
    uint32_t frames;
    uint32_t rounds;  // how often the samples are played; 0: once
    uint32_t rate_hz; // 0: RATE_HZ
    uint32_t at, round;
    int error; // reported where the audio ends
    uint32_t opens;
    uint32_t open_now; // opened and not closed yet
};

static inline int tape_open(void *context, struct pcm_format *format)
{
    struct tape *tape = context;
    tape->at = 0;
    ++tape->opens;
    tape->open_now = 1;
    *format = (struct pcm_format){.rate_hz = tape->rate_hz ? tape->rate_hz : RATE_HZ,
                                  .channels = tape->channels};
    tape->round = 0;
    return 0;
}

static inline int64_t tape_read(void *context, float *interleaved, uint32_t frames)
{
    struct tape *tape = context;
    if (tape->at == tape->frames && tape->round + 1 < tape->rounds) {
        tape->at = 0;
        ++tape->round;
    }
    uint32_t count = tape->frames - tape->at;
    if (count == 0)
        return tape->error;
    // Odd pieces, as a decoder gives them.
    count = count < frames ? count : frames;
    count = count > 111 ? 111 : count;
    memcpy(interleaved, tape->samples + (size_t)tape->at * tape->channels,
           (size_t)count * tape->channels * sizeof *interleaved);
    tape->at += count;
    return count;
}

static inline void tape_close(void *context)
{
    struct tape *tape = context;
    tape->open_now = 0;
}

static inline struct pcm_reader reader_of(struct tape *tape)
{
    return (struct pcm_reader){
        .context = tape, .open = tape_open, .read = tape_read, .close = tape_close};
}

/// A song of kick, bass, chords and hats, quieter in its middle.
static inline void compose(double *left, double *right)
{
    uint64_t seed = 23;
    for (uint32_t n = 0; n < FRAMES; ++n) {
        const double t = n / (double)RATE_HZ;
        const double part = t > 2 && t < 3 ? 0.3 : 1.0;
        const double kick = sin(2 * M_PI * 55 * t) * exp(-10 * fmod(t, 0.5));
        const double bass = sin(2 * M_PI * 82.4 * t + 0.4 * sin(2 * M_PI * 164.8 * t));
        const double chord =
            sin(2 * M_PI * 329.6 * t) + sin(2 * M_PI * 415.3 * t) + sin(2 * M_PI * 1976 * t) * 0.5;
        const double hat = measure_noise(&seed) * exp(-40 * fmod(t, 0.25));
        left[n] = part * (0.3 * kick + 0.2 * bass + 0.12 * chord + 0.15 * hat);
        right[n] = part * (0.3 * kick + 0.2 * bass + 0.1 * chord - 0.08 * hat);
    }
}

/// The song, composed once, as loud and for as many channels as wanted.
static inline struct tape song(double gain, uint32_t channels)
{
    static double sides[2][FRAMES];
    static int is_composed;
    if (!is_composed)
        compose(sides[0], sides[1]);
    is_composed = 1;
    struct tape tape = {.channels = channels, .frames = FRAMES};
    tape.samples = malloc((size_t)FRAMES * channels * sizeof *tape.samples);
    assert_non_null(tape.samples);
    for (uint32_t n = 0; n < FRAMES; ++n)
        for (uint32_t c = 0; c < channels; ++c)
            tape.samples[n * channels + c] = (float)(gain * sides[c % 2][n]);
    return tape;
}

/// Second-order section of BS.1770-5's table at 48 kHz, in place.
static inline void section(double *x, uint32_t frames, const double b[3], const double a[2])
{
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (uint32_t n = 0; n < frames; ++n) {
        const double y = b[0] * x[n] + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
        x2 = x1;
        x1 = x[n];
        y2 = y1;
        y1 = x[n] = y;
    }
}

/// Integrated loudness straight from the standard's text.
static inline double naive_lufs(const float *stereo, uint32_t frames)
{
    static const double shelf_b[3] = {1.53512485958697, -2.69169618940638, 1.19839281085285};
    static const double shelf_a[2] = {-1.69065929318241, 0.73248077421585};
    static const double pass_b[3] = {1, -2, 1};
    static const double pass_a[2] = {-1.99004745483398, 0.99007225036621};
    const uint32_t hop = RATE_HZ / 10, hops = frames / hop;
    double *x = malloc(frames * sizeof *x), *energy = calloc(hops, sizeof *energy);
    assert_non_null(x);
    assert_non_null(energy);
    for (uint32_t side = 0; side < 2; ++side) {
        for (uint32_t n = 0; n < frames; ++n)
            x[n] = (double)stereo[2 * n + side];
        section(x, frames, shelf_b, shelf_a);
        section(x, frames, pass_b, pass_a);
        for (uint32_t n = 0; n < hops * hop; ++n)
            energy[n / hop] += x[n] * x[n] / hop;
    }
    double gate = pow(10, (-70 + 0.691) / 10), mean = 0;
    for (int stage = 0; stage < 2; ++stage) {
        double sum = 0;
        uint32_t count = 0;
        for (uint32_t i = 0; i + 4 <= hops; ++i) {
            const double z = (energy[i] + energy[i + 1] + energy[i + 2] + energy[i + 3]) / 4;
            if (z > gate) {
                sum += z;
                ++count;
            }
        }
        mean = count ? sum / count : 1e-12;
        gate = fmax(gate, mean / 10);
    }
    free(x);
    free(energy);
    return -0.691 + 10 * log10(mean);
}

/// What the figures of the song above are, roughly; calibration must not depend on them.
static inline struct analysis *song_analysis(double lufs)
{
    struct analysis *a = analysis_create(0, 0);
    assert_non_null(a);
    double *fp = a->fingerprint;
    fp[FINGERPRINT_BASS_PCT] = 0.7;
    fp[FINGERPRINT_LOW_MID_PCT] = 0.15;
    fp[FINGERPRINT_MID_PCT] = 0.1;
    fp[FINGERPRINT_PRESENCE_PCT] = 0.03;
    fp[FINGERPRINT_AIR_PCT] = 0.02;
    fp[FINGERPRINT_LUFS] = lufs;
    fp[FINGERPRINT_CREST_DB] = 13;
    fp[FINGERPRINT_LOUDNESS_VARIATION_STD] = 1.5;
    fp[FINGERPRINT_SPECTRAL_CENTROID] = 0.1;
    fp[FINGERPRINT_STEREO_WIDTH] = 0.15;
    fp[FINGERPRINT_PHASE_CORRELATION] = 0.8;
    return a;
}

/// Render through the chain, delay compensated. The caller frees it.
static inline float *render(const struct tape *tape, const struct mastering_targets *targets)
{
    struct chain *chain;
    assert_int_equal(chain_create(&chain, RATE_HZ), 0);
    chain_reset(chain, targets);
    const uint32_t delay = chain_delay_frames(chain);
    float *x = calloc((size_t)tape->frames + delay, 2 * sizeof *x);
    assert_non_null(x);
    downmix_to_stereo(x, tape->samples, tape->frames, tape->channels);
    chain_process(chain, x, tape->frames + delay);
    memmove(x, x + (size_t)2 * delay, (size_t)tape->frames * 2 * sizeof *x);
    chain_destroy(&chain);
    return x;
}

static inline struct mastering_targets targets_for(const struct analysis *a,
                                                   enum mastering_preset preset,
                                                   enum loudness_goal goal, double target_lufs)
{
    struct mastering_settings settings = mastering_settings_default();
    settings.preset = preset;
    settings.goal = goal;
    settings.target_lufs = target_lufs;
    struct mastering_targets targets;
    mastering_targets_compute(&targets, a, &settings);
    return targets;
}
