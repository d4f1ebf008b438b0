// SPDX-License-Identifier: MIT
#include "dsp/true_peak.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { HISTORY = TRUE_PEAK_TAPS - 1, BEFORE = TRUE_PEAK_TAPS / 2 - 1 };

static double raised_cosine(double x)
{
    return fabs(x) < 1 ? 0.5 + 0.5 * cos(M_PI * x) : 0.0;
}

// Tap i of a phase weighs the sample i - BEFORE places after the one left of the wanted point.
static void design_phase(float taps[TRUE_PEAK_TAPS], double fraction, float *bound)
{
    double exact[TRUE_PEAK_TAPS], sum = 0, magnitude = 0;
    for (int i = 0; i < TRUE_PEAK_TAPS; ++i) {
        const double x = i - BEFORE - fraction;
        exact[i] = sin(M_PI * x) / (M_PI * x) * raised_cosine(x / (TRUE_PEAK_TAPS / 2));
        sum += exact[i];
    }
    for (int i = 0; i < TRUE_PEAK_TAPS; ++i) {
        taps[i] = (float)(exact[i] / sum);
        magnitude += fabs(exact[i] / sum);
    }
    *bound = fmaxf(*bound, (float)(magnitude * 1.00001)); // covers the rounding of its sums
}

void true_peak_init(struct true_peak *meter, uint32_t rate_hz)
{
    assert(rate_hz > 0);
    memset(meter, 0, sizeof *meter);
    const uint32_t factor = rate_hz >= 192000 ? 1 : rate_hz >= 96000 ? 2 : 4;
    meter->phases = factor - 1;
    meter->gain_bound = 1.0F;
    for (uint32_t p = 0; p < meter->phases; ++p)
        design_phase(meter->taps[p], (p + 1.0) / factor, &meter->gain_bound);
}

static float largest(const float *samples, uint32_t count)
{
    float peak = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const float magnitude = fabsf(samples[i]);
        peak = peak > magnitude ? peak : magnitude;
    }
    return peak;
}

static float interpolated_peak(const float taps[TRUE_PEAK_TAPS], const float *line)
{
    float out[TRUE_PEAK_BLOCK_FRAMES] = {0};
    for (uint32_t t = 0; t < TRUE_PEAK_TAPS; ++t)
        for (uint32_t i = 0; i < TRUE_PEAK_BLOCK_FRAMES; ++i)
            out[i] += taps[t] * line[i + t];
    return largest(out, TRUE_PEAK_BLOCK_FRAMES);
}

// line[HISTORY ..] holds a whole block of new samples.
static void measure(struct true_peak *meter)
{
    meter->peak = fmaxf(meter->peak, largest(meter->line + HISTORY, TRUE_PEAK_BLOCK_FRAMES));
    if (largest(meter->line, HISTORY + TRUE_PEAK_BLOCK_FRAMES) * meter->gain_bound > meter->peak)
        for (uint32_t p = 0; p < meter->phases; ++p)
            meter->peak = fmaxf(meter->peak, interpolated_peak(meter->taps[p], meter->line));
    memmove(meter->line, meter->line + TRUE_PEAK_BLOCK_FRAMES, HISTORY * sizeof(float));
    meter->fill = 0;
}

void true_peak_feed(struct true_peak *meter, const float *samples, uint32_t stride, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        meter->line[HISTORY + meter->fill++] = samples[(size_t)i * stride];
        if (meter->fill == TRUE_PEAK_BLOCK_FRAMES)
            measure(meter);
    }
}

float true_peak_finish(struct true_peak *meter)
{
    static const float silence[TRUE_PEAK_BLOCK_FRAMES + HISTORY] = {0};
    true_peak_feed(meter, silence, 1, TRUE_PEAK_BLOCK_FRAMES + HISTORY);
    return meter->peak;
}
