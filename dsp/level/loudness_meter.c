// SPDX-License-Identifier: MIT
#include "dsp/level/loudness_meter.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/downmix.h"
#include "dsp/level/k_slice.h"
#include "dsp/level/lufs.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICES_PER_SECOND = 100, // the grid of the maxima
    SLICES_PER_STEP = 10,    // the grid of the gated figures: 100 ms
    MOMENTARY_SLICES = 40,   // 400 ms
    SHORT_TERM_SLICES = 300, // 3 s
    GROUP = 20,              // slices that are summed once
    GROUPS = SHORT_TERM_SLICES / GROUP + 1,
};

// A mean over the latest slices, of which there are whole groups and parts of two: the groups are summed
// when the newest begins, and so is what is left of the oldest after each of its slices.
struct window {
    uint32_t groups;
    double whole, oldest[GROUP];
    double max; // mean power; negative before the first window
};

struct loudness_meter {
    // --- immutable after create
    struct k_slice_plan plan;
    const struct k_slice_impl *kernel;
    uint32_t rate_hz, channels;
    double weights[PCM_MAX_CHANNELS];
    // --- the slice under way: [slice_start, slice_end) in frames
    struct k_slice_state states[PCM_MAX_CHANNELS];
    float *slice; // interleaved pairs of channels, one pair after the other
    uint32_t slice_stride;
    float *scratch; // of a pair
    uint64_t frame, slice_index, slice_start, slice_end;
    // --- energies of the last slices, in groups: of group g at g % GROUPS
    double slices[GROUPS][GROUP], newest; // the newest group's sum so far
    double sums[GROUPS];
    struct window momentary, short_term;
    // --- mean powers of every 100 ms
    double step_energy;
    struct loudness_list list;
};

// ITU-R BS.1770-5, table 4, for the layouts of downmix.h: surrounds 1.41, no LFE. A mono file is
// heard from both loudspeakers, so its power counts twice.
static void fill_weights(double weights[PCM_MAX_CHANNELS], uint32_t channels)
{
    const uint32_t fronts = channels == 3 || channels >= 5 ? 3 : 2;
    for (uint32_t c = 0; c < channels; ++c)
        weights[c] = c < fronts ? 1.0 : 1.41;
    if (downmix_lfe(channels) < channels)
        weights[downmix_lfe(channels)] = 0.0;
    if (channels == 1)
        weights[0] = 2.0;
}

// Slices start at the frame nearest to a multiple of 10 ms, so they never drift at odd rates.
static uint64_t slice_start_of(const struct loudness_meter *meter, uint64_t index)
{
    return (index * meter->rate_hz + SLICES_PER_SECOND / 2) / SLICES_PER_SECOND;
}

int loudness_meter_create(struct loudness_meter **out, const struct pcm_format *format)
{
    assert(format->channels >= 1 && format->channels <= PCM_MAX_CHANNELS);
    *out = NULL;
    struct loudness_meter *meter = calloc(1, sizeof *meter);
    if (!meter)
        return -ENOMEM;
    loudness_list_init(&meter->list);
    meter->rate_hz = format->rate_hz;
    meter->channels = format->channels;
    meter->momentary = (struct window){.groups = MOMENTARY_SLICES / GROUP, .max = -1.0};
    meter->short_term = (struct window){.groups = SHORT_TERM_SLICES / GROUP, .max = -1.0};
    meter->slice_end = slice_start_of(meter, 1);
    fill_weights(meter->weights, format->channels);
    meter->slice_stride = 2 * (format->rate_hz / SLICES_PER_SECOND + 1);
    meter->slice =
        calloc((size_t)(format->channels + 1) / 2 * meter->slice_stride, sizeof *meter->slice);
    meter->scratch = aligned_zeroed(meter->slice_stride * sizeof *meter->scratch);
    meter->kernel = k_slice_select(cpu_flags());
    if (!meter->slice || !meter->scratch ||
        k_slice_plan_init(&meter->plan, meter->kernel, format->rate_hz,
                          format->rate_hz / SLICES_PER_SECOND)) {
        loudness_meter_destroy(&meter);
        return -ENOMEM;
    }
    *out = meter;
    return 0;
}

int loudness_meter_reserve(struct loudness_meter *meter)
{
    return loudness_list_reserve(&meter->list);
}

void loudness_meter_destroy(struct loudness_meter **meter)
{
    if (*meter) {
        loudness_list_deinit(&(*meter)->list);
        free((*meter)->slice);
        free((*meter)->scratch);
        k_slice_plan_deinit(&(*meter)->plan);
    }
    free(*meter);
    *meter = NULL;
}

// Raise the maximum by the window that ends with the newest slice.
static void raise_max(const struct loudness_meter *meter, struct window *window)
{
    const uint32_t slices = window->groups * GROUP;
    if (meter->slice_index < slices)
        return;
    const uint32_t taken =
        (uint32_t)(meter->slice_index % GROUP); // of the newest group; 0: all of it
    const double sum = taken ? window->whole + window->oldest[taken] + meter->newest
                             : window->whole + meter->newest;
    const uint64_t start = slice_start_of(meter, meter->slice_index - slices);
    const double power = sum / (double)(meter->slice_start - start);
    window->max = power > window->max ? power : window->max;
}

// A group begins: sum the whole ones before it, and the oldest, which leaves slice by slice.
static void begin_group(const struct loudness_meter *meter, struct window *window)
{
    const uint64_t group = meter->slice_index / GROUP;
    const uint32_t groups = window->groups;
    window->whole = 0;
    for (uint64_t g = group >= groups ? group - groups + 1 : 0; g < group; ++g)
        window->whole += meter->sums[g % GROUPS];
    if (group < groups)
        return;
    const double *oldest = meter->slices[(group - groups) % GROUPS];
    double sum = 0;
    for (uint32_t i = GROUP; i-- > 0;)
        window->oldest[i] = sum += oldest[i];
}

static void note_slice(struct loudness_meter *meter, double energy)
{
    if (meter->slice_index % GROUP == 0) {
        meter->newest = 0;
        begin_group(meter, &meter->momentary);
        begin_group(meter, &meter->short_term);
    }
    const uint64_t group = meter->slice_index / GROUP % GROUPS;
    meter->slices[group][meter->slice_index++ % GROUP] = energy;
    meter->newest += energy;
    meter->sums[group] = meter->newest;
    meter->step_energy += energy;
    meter->slice_start = meter->slice_end;
    meter->slice_end = slice_start_of(meter, meter->slice_index + 1);
    raise_max(meter, &meter->momentary);
    raise_max(meter, &meter->short_term);
}

// Weighted energy of a whole slice: of the one that was gathered, or of stereo where it lies.
static double slice_energy(struct loudness_meter *meter, const float *slice)
{
    const uint32_t frames = (uint32_t)(meter->slice_end - meter->slice_start);
    double energy = 0;
    for (uint32_t c = 0; c < meter->channels; c += 2) {
        double energies[2];
        meter->kernel->energies(&meter->plan, &meter->states[c],
                                slice + (size_t)(c / 2) * meter->slice_stride, frames,
                                meter->scratch, energies);
        for (uint32_t i = 0; i < 2; ++i)
            if (meter->weights[c + i] > 0)
                energy += meter->weights[c + i] * energies[i];
    }
    return energy;
}

static int end_slice(struct loudness_meter *meter, const float *slice)
{
    note_slice(meter, slice_energy(meter, slice));
    if (meter->slice_index % SLICES_PER_STEP)
        return 0;
    const uint64_t start = slice_start_of(meter, meter->slice_index - SLICES_PER_STEP);
    const double power = meter->step_energy / (double)(meter->slice_start - start);
    meter->step_energy = 0;
    return loudness_list_add(&meter->list, power);
}

// Add frames to the slice under way.
static void fill_slice(struct loudness_meter *meter, const float *interleaved, uint32_t frames)
{
    const uint32_t channels = meter->channels;
    const size_t done = (size_t)(meter->frame - meter->slice_start);
    if (channels == 2) {
        memcpy(meter->slice + 2 * done, interleaved, 2 * (size_t)frames * sizeof *interleaved);
        return;
    }
    for (uint32_t c = 0; c < channels; ++c) {
        float *out = meter->slice + (size_t)(c / 2) * meter->slice_stride + 2 * done + c % 2;
        for (uint32_t i = 0; i < frames; ++i)
            out[2 * (size_t)i] = interleaved[(size_t)i * channels + c];
    }
}

int loudness_meter_feed(struct loudness_meter *meter, const float *interleaved, uint32_t frames)
{
    while (frames > 0) {
        const uint64_t left = meter->slice_end - meter->frame;
        const uint32_t count = left < frames ? (uint32_t)left : frames;
        const int lies_whole =
            meter->channels == 2 && meter->frame == meter->slice_start && left <= frames;
        if (!lies_whole)
            fill_slice(meter, interleaved, count);
        meter->frame += count;
        const float *slice = lies_whole ? interleaved : meter->slice;
        interleaved += (size_t)count * meter->channels;
        frames -= count;
        if (meter->frame == meter->slice_end) {
            const int error = end_slice(meter, slice);
            if (error)
                return error;
        }
    }
    return 0;
}

const struct loudness_list *loudness_meter_list(const struct loudness_meter *meter)
{
    return &meter->list;
}

double loudness_meter_integrated_lufs(const struct loudness_meter *meter)
{
    const struct loudness_steps steps = loudness_list_steps(&meter->list);
    return loudness_steps_integrated_lufs(&steps, 1);
}

double loudness_meter_momentary_max_lufs(const struct loudness_meter *meter)
{
    return meter->momentary.max > 0 ? lufs_of_power(meter->momentary.max) : (double)NAN;
}

double loudness_meter_short_term_max_lufs(const struct loudness_meter *meter)
{
    return meter->short_term.max > 0 ? lufs_of_power(meter->short_term.max) : (double)NAN;
}
