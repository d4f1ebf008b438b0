// SPDX-License-Identifier: MIT
#include "dsp/level/true_peak.h"
#include "dsp/cpu.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { TAPS = INTERPOLATE_TAPS, HISTORY = TAPS - 1, BEFORE = TAPS / 2 - 1 };
enum { BLOCK = INTERPOLATE_FRAMES };

static double raised_cosine(double x)
{
    return fabs(x) < 1 ? 0.5 + 0.5 * cos(M_PI * x) : 0.0;
}

// Tap i of a phase weighs the sample i - BEFORE places after the one left of the wanted point.
// @return the largest gain of the phase.
static double design_phase(double taps[TAPS], double fraction)
{
    double sum = 0, magnitude = 0;
    for (int i = 0; i < TAPS; ++i) {
        const double x = i - BEFORE - fraction;
        taps[i] = sin(M_PI * x) / (M_PI * x) * raised_cosine(x / (TAPS / 2));
        sum += taps[i];
    }
    for (int i = 0; i < TAPS; ++i) {
        taps[i] /= sum;
        magnitude += fabs(taps[i]);
    }
    return magnitude;
}

static void design(struct true_peak *meter)
{
    struct interpolate_bank *bank = &meter->bank;
    double quarter[TAPS], middle[TAPS];
    double bound = design_phase(middle, 0.5);
    if (bank->with_quarters)
        bound = fmax(bound, design_phase(quarter, 0.25));
    for (int k = 0; k < TAPS / 2; ++k) {
        bank->middle[k] = (float)middle[k];
        if (bank->with_quarters) {
            bank->even[k] = (float)(0.5 * (quarter[k] + quarter[TAPS - 1 - k]));
            bank->odd[k] = (float)(0.5 * (quarter[k] - quarter[TAPS - 1 - k]));
        }
    }
    meter->gain_bound = (float)(bound * 1.00001); // covers the rounding of its sums
}

void true_peak_init(struct true_peak *meter, uint32_t rate_hz)
{
    assert(rate_hz > 0);
    memset(meter, 0, sizeof *meter);
    meter->kernel = interpolate_select(cpu_flags());
    meter->gain_bound = 1.0F;
    meter->phases = rate_hz >= 192000 ? 0 : rate_hz >= 96000 ? 1 : 3;
    meter->bank.with_quarters = meter->phases > 1;
    if (meter->phases > 0)
        design(meter);
}

// line[HISTORY ..] is a whole block of new samples.
static void measure(struct true_peak *meter, const float *line)
{
    const float newest = meter->kernel->sample_peak(line + HISTORY, BLOCK);
    const float nearby = newest > meter->history_peak ? newest : meter->history_peak;
    meter->peak = newest > meter->peak ? newest : meter->peak;
    if (nearby * meter->gain_bound > meter->peak) {
        const float between = meter->kernel->peak(&meter->bank, line);
        meter->peak = between > meter->peak ? between : meter->peak;
    }
    // At least that of the samples kept, which are but the latest of the block.
    meter->history_peak = newest;
}

static void measure_line(struct true_peak *meter)
{
    measure(meter, meter->line);
    memmove(meter->line, meter->line + BLOCK, HISTORY * sizeof(float));
    meter->fill = 0;
}

// Pass over the blocks that cannot reach the peak so far. @return how many samples they have.
static uint32_t skip_quiet(struct true_peak *meter, const float *samples, uint32_t blocks)
{
    const float limit = meter->peak / meter->gain_bound;
    if (meter->history_peak > limit)
        return 0;
    const uint32_t quiet = meter->kernel->quiet(samples, blocks, limit);
    if (quiet > 0)
        meter->history_peak = limit;
    return quiet * BLOCK;
}

// Measure whole blocks where they lie, `samples` being the history before the first. @return samples taken.
static uint32_t measure_in_place(struct true_peak *meter, const float *samples, uint32_t count)
{
    uint32_t done = 0;
    while (done + BLOCK <= count) {
        done += skip_quiet(meter, samples + HISTORY + done, (count - done) / BLOCK);
        if (done + BLOCK <= count) {
            measure(meter, samples + done);
            done += BLOCK;
        }
    }
    if (done > 0)
        memcpy(meter->line, samples + done, HISTORY * sizeof(float));
    return done;
}

static void copy(float *restrict out, const float *restrict in, uint32_t stride, uint32_t count)
{
    if (stride == 1)
        memcpy(out, in, count * sizeof *out);
    else
        for (uint32_t i = 0; i < count; ++i)
            out[i] = in[(size_t)i * stride];
}

void true_peak_feed(struct true_peak *meter, const float *samples, uint32_t stride, uint32_t frames)
{
    while (frames > 0) {
        const uint32_t room = BLOCK - meter->fill, part = room < frames ? room : frames;
        copy(meter->line + HISTORY + meter->fill, samples, stride, part);
        meter->fill += part;
        samples += (size_t)part * stride;
        frames -= part;
        if (meter->fill == BLOCK)
            measure_line(meter);
        if (meter->fill == 0 && stride == 1 && part >= HISTORY) { // what came before is there too
            const uint32_t taken = measure_in_place(meter, samples - HISTORY, frames);
            samples += taken;
            frames -= taken;
        }
    }
}

float true_peak_finish(struct true_peak *meter)
{
    static const float silence[BLOCK + HISTORY] = {0};
    true_peak_feed(meter, silence, 1, BLOCK + HISTORY);
    return meter->peak;
}
