// SPDX-License-Identifier: MIT
#include "dsp/level/decimator.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/level/half_band.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CENTER = HALF_BAND_CENTER, // odd, so that the outer taps are not wasted on zeros
    PAIRS = HALF_BAND_PAIRS,
    FILL = DECIMATOR_TAPS - 1 + DECIMATOR_MAX_FRAMES + 2,
    LINE = FILL + 2 * HALF_BAND_LANES + 2, // what the filter reads beyond
};
static_assert(CENTER == DECIMATOR_TAPS / 2, "the filter has the taps that the header promises");

// line[0] stands CENTER samples before the next output, so an output takes line[0 .. TAPS - 1].
struct half_band {
    uint64_t input_samples, output_samples;
    uint32_t fill;
    alignas(ALIGNED_BYTES) float line[LINE];
};

struct decimator {
    const struct half_band_impl *kernel;
    float taps[PAIRS]; // of the samples 31, 29 .. 1 away from the centre
    uint32_t stage_count;
    alignas(ALIGNED_BYTES) float scratch[2][DECIMATOR_MAX_FRAMES + HALF_BAND_LANES];
    alignas(ALIGNED_BYTES) float even[LINE / 2 + HALF_BAND_LANES];
    struct half_band stages[DECIMATOR_MAX_STAGES];
};

static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 40; ++k) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

// A Kaiser window (beta 9.3: 92 dB) on the ideal half-band response, scaled to unity gain at 0 Hz.
static void design(float taps[PAIRS])
{
    double exact[PAIRS], sum = 0;
    for (int i = 0; i < PAIRS; ++i) {
        const double distance = CENTER - 2 * i;
        const double x = distance / (CENTER + 1);
        exact[i] = sin(M_PI / 2 * distance) / (M_PI * distance) * bessel_i0(9.3 * sqrt(1 - x * x)) /
                   bessel_i0(9.3);
        sum += 2 * exact[i];
    }
    for (int i = 0; i < PAIRS; ++i)
        taps[i] = (float)(exact[i] * 0.5 / sum);
}

uint32_t decimator_stages_for(uint32_t rate_hz)
{
    uint32_t stages = 0;
    while (stages < DECIMATOR_MAX_STAGES && rate_hz >> (stages + 1) >= 22050)
        ++stages;
    return stages;
}

int decimator_create(struct decimator **out, uint32_t stages)
{
    assert(stages <= DECIMATOR_MAX_STAGES);
    *out = aligned_zeroed(sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->stage_count = stages;
    (*out)->kernel = half_band_select(cpu_flags());
    design((*out)->taps);
    for (uint32_t s = 0; s < stages; ++s)
        (*out)->stages[s].fill = CENTER; // the zeros before the first sample
    return 0;
}

void decimator_destroy(struct decimator **decimator)
{
    free(*decimator);
    *decimator = NULL;
}

static uint32_t filter_line(struct decimator *d, struct half_band *stage, float *restrict out)
{
    if (stage->fill < DECIMATOR_TAPS)
        return 0;
    const uint32_t outputs = (stage->fill - DECIMATOR_TAPS) / 2 + 1;
    d->kernel->filter(out, stage->line, d->taps, d->even, outputs);
    stage->fill -= 2 * outputs;
    memmove(stage->line, stage->line + (size_t)2 * outputs, stage->fill * sizeof(float));
    return outputs;
}

static uint32_t push_stage(struct decimator *d, struct half_band *stage, float *out,
                           const float *in, uint32_t count)
{
    assert(stage->fill + count <= FILL);
    memcpy(stage->line + stage->fill, in, count * sizeof(float));
    stage->fill += count;
    stage->input_samples += count;
    const uint32_t outputs = filter_line(d, stage, out);
    stage->output_samples += outputs;
    return outputs;
}

static uint32_t finish_stage(struct decimator *d, struct half_band *stage, float *out)
{
    memset(stage->line + stage->fill, 0, CENTER * sizeof(float));
    stage->fill += CENTER;
    const uint32_t outputs = filter_line(d, stage, out);
    const uint64_t due = (stage->input_samples + 1) / 2 - stage->output_samples;
    assert(outputs >= due);
    stage->output_samples += due;
    return (uint32_t)due;
}

// Run the stages from `first` on, and copy what they leave to `out`: a filter writes whole groups of outputs. `in` may
// be scratch[0].
static uint32_t run_stages(struct decimator *d, uint32_t first, float *out, const float *in,
                           uint32_t count)
{
    for (uint32_t s = first; s < d->stage_count; ++s) {
        float *to = d->scratch[in == d->scratch[0] ? 1 : 0];
        count = push_stage(d, &d->stages[s], to, in, count);
        in = to;
    }
    memcpy(out, in, count * sizeof(float));
    return count;
}

uint32_t decimator_push(struct decimator *decimator, float *out, const float *in, uint32_t count)
{
    assert(count <= DECIMATOR_MAX_FRAMES);
    return run_stages(decimator, 0, out, in, count);
}

uint32_t decimator_finish(struct decimator *decimator, float *out)
{
    uint32_t written = 0;
    for (uint32_t s = 0; s < decimator->stage_count; ++s) {
        const uint32_t count =
            finish_stage(decimator, &decimator->stages[s], decimator->scratch[0]);
        written += run_stages(decimator, s + 1, out + written, decimator->scratch[0], count);
    }
    return written;
}
