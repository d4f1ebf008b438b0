// SPDX-License-Identifier: MIT
#include "engine/desktop/demo_synth.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float tau = 6.28318530717958647692F;
static const float peak = 0.7F;
static const double tail_s = 1.5; // the last notes ring out

struct synth {
    float *out;
    int64_t frames;
    float rate;
    uint32_t noise; // xorshift's state
};

static float next_noise(struct synth *synth)
{
    synth->noise ^= synth->noise << 13;
    synth->noise ^= synth->noise >> 17;
    synth->noise ^= synth->noise << 5;
    return (float)synth->noise * 0x1p-31F - 1.0F;
}

static float note_hz(unsigned note)
{
    return 440.0F * exp2f(((float)note - 69.0F) / 12.0F);
}

// Add a sample at a place from -1 (left) to 1 (right), at constant power.
static void add(struct synth *synth, int64_t frame, float sample, float place)
{
    if (frame < 0 || frame >= synth->frames)
        return;
    synth->out[2 * frame] += sample * sqrtf(0.5F * (1 - place));
    synth->out[2 * frame + 1] += sample * sqrtf(0.5F * (1 + place));
}

static int64_t frames_of(const struct synth *synth, float seconds)
{
    return (int64_t)(seconds * synth->rate);
}

// Rises over `attack` and falls over `release` seconds at the ends of `length` seconds.
static float envelope(float t, float length, float attack, float release)
{
    const float rise = fminf(t / attack, 1), fall = fminf((length - t) / release, 1);
    return fmaxf(fminf(rise, fall), 0);
}

// A soft chord note: five partials, two voices a few cents apart on either side.
static void add_pad(struct synth *synth, int64_t at, float length, unsigned note, float level)
{
    const int64_t count = frames_of(synth, length);
    for (int voice = -1; voice <= 1; voice += 2) {
        const float hz = note_hz(note) * (1.0F + 0.0018F * (float)voice);
        for (int64_t i = 0; i < count; ++i) {
            const float t = (float)i / synth->rate, phase = tau * hz * t;
            const float shine = 0.5F + 0.3F * sinf(tau * 0.3F * t + (float)voice);
            const float sample =
                sinf(phase) +
                shine * (0.5F * sinf(2 * phase) + 0.25F * sinf(3 * phase) + 0.1F * sinf(5 * phase));
            add(synth, at + i, sample * level * envelope(t, length, 0.25F, 0.4F),
                0.6F * (float)voice);
        }
    }
}

// A bell-like melody note: a decaying carrier whose brightness decays faster (FM synthesis).
static void add_melody(struct synth *synth, int64_t at, float decay, unsigned note, float level,
                       float place)
{
    const float hz = note_hz(note), length = 5 * decay;
    const int64_t count = frames_of(synth, length);
    for (int64_t i = 0; i < count; ++i) {
        const float t = (float)i / synth->rate;
        const float index = 1.6F * expf(-4 * t / decay);
        const float sample = sinf(tau * hz * t + index * sinf(tau * 2 * hz * t));
        add(synth, at + i, sample * level * expf(-t / decay) * envelope(t, length, 0.004F, 0.05F),
            place);
    }
}

static void add_bass(struct synth *synth, int64_t at, float length, unsigned note, float level)
{
    const float hz = note_hz(note);
    const int64_t count = frames_of(synth, length);
    for (int64_t i = 0; i < count; ++i) {
        const float t = (float)i / synth->rate, phase = tau * hz * t;
        const float sample = tanhf(1.5F * (sinf(phase) + 0.4F * sinf(2 * phase)));
        add(synth, at + i, sample * level * envelope(t, length, 0.008F, 0.06F), 0);
    }
}

static void add_kick(struct synth *synth, int64_t at, float level)
{
    const int64_t count = frames_of(synth, 0.35F);
    float phase = 0;
    for (int64_t i = 0; i < count; ++i) {
        const float t = (float)i / synth->rate;
        phase += tau * (48 + 130 * expf(-t / 0.025F)) / synth->rate;
        add(synth, at + i,
            sinf(phase) * level * expf(-t / 0.11F) * envelope(t, 0.35F, 0.001F, 0.1F), 0);
    }
}

// A noise with `tone` Hz below it; the first difference takes its low end away.
static void add_noise(struct synth *synth, int64_t at, float decay, float tone, float level,
                      float place)
{
    const int64_t count = frames_of(synth, 5 * decay);
    float before = 0;
    for (int64_t i = 0; i < count; ++i) {
        const float t = (float)i / synth->rate, noise = next_noise(synth);
        const float sample = 0.5F * (noise - before) +
                             (tone > 0 ? 0.6F * sinf(tau * tone * t) * expf(-t / 0.06F) : 0);
        before = noise;
        add(synth, at + i,
            sample * level * expf(-t / decay) * envelope(t, 5 * decay, 0.001F, 0.02F), place);
    }
}

static float strength(char step)
{
    return step == 'x' ? 1.0F : step == 'o' ? 0.45F : 0.0F;
}

static void play_step(struct synth *synth, const struct demo_score *score,
                      const struct demo_bar *bar, unsigned step, int64_t at, float step_s)
{
    const float drums = score->drum_level;
    const float kick = strength(score->kick[step]), snare = strength(score->snare[step]);
    const float hat = strength(score->hat[step]), bass = strength(score->bass_rhythm[step]);
    if (kick * drums > 0)
        add_kick(synth, at, kick * drums);
    if (snare * drums > 0)
        add_noise(synth, at, 0.09F, 190, 0.5F * snare * drums, 0.1F);
    if (hat * drums > 0)
        add_noise(synth, at, 0.03F, 0, 0.25F * hat * drums, -0.35F);
    if (bass > 0)
        add_bass(synth, at, 1.9F * step_s, bar->bass, 0.5F * bass * score->bass_level);
    if (bar->melody[step])
        add_melody(synth, at, score->melody_decay_s, bar->melody[step], 0.4F * score->melody_level,
                   step % 8 < 4 ? -0.25F : 0.25F);
}

// Notes that still ring at the end are led to silence.
static void fade_out(struct synth *synth)
{
    const int64_t count = llround(tail_s * (double)synth->rate);
    for (int64_t i = 0; i < count; ++i) {
        const float gain = (float)i / (float)count;
        synth->out[2 * (synth->frames - 1 - i)] *= gain;
        synth->out[2 * (synth->frames - 1 - i) + 1] *= gain;
    }
}

static void normalise(struct synth *synth)
{
    float largest = 0;
    for (int64_t i = 0; i < 2 * synth->frames; ++i)
        largest = fmaxf(largest, fabsf(synth->out[i]));
    assert(largest > 0);
    for (int64_t i = 0; i < 2 * synth->frames; ++i)
        synth->out[i] *= peak / largest;
}

int64_t demo_synth_play(float **stereo, const struct demo_score *score)
{
    assert(stereo && score && score->bar_count <= SCORE_BARS_MOST);
    const double step_s = 60.0 / score->bpm / 4, rate = score->rate_hz;
    const int64_t frames = llround((score->bar_count * SCORE_STEPS * step_s + tail_s) * rate);
    struct synth synth = {.frames = frames, .rate = (float)rate, .noise = 0x5e90e};
    *stereo = synth.out = calloc((size_t)frames * 2, sizeof *synth.out);
    if (!synth.out)
        return -ENOMEM;
    for (unsigned b = 0; b < score->bar_count; ++b) {
        const struct demo_bar *bar = &score->bars[b];
        const int64_t start = llround(b * SCORE_STEPS * step_s * rate);
        for (unsigned n = 0; n < SCORE_CHORD_NOTES; ++n)
            add_pad(&synth, start, (float)(SCORE_STEPS * step_s) + 0.3F, bar->chord[n],
                    0.07F * score->pad_level);
        for (unsigned s = 0; s < SCORE_STEPS; ++s)
            play_step(&synth, score, bar, s, start + llround(s * step_s * rate), (float)step_s);
    }
    fade_out(&synth);
    normalise(&synth);
    return frames;
}
