// SPDX-License-Identifier: MIT
#include "dsp/spectrum/native_spectrum.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/fft.h"
#include "dsp/spectrum/hann.h"
#include "dsp/spectrum/shape_medians.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Rounding in single precision leaves up to 7e-16 of a frame's power in any bin (tones and constants,
// 4,096 to 65,536 points).
enum { TOGETHER = 16 }; // frames whose powers are summed in single precision, before double
static const double ROUNDING_SHARE = 4e-15;

struct native_spectrum {
    // --- immutable after create
    struct fft *fft;
    struct spectral_grid grid;
    uint32_t size, hop;
    float *window;
    const struct spectrum_impl *kernels;
    // --- the frame under way: hops of the left and of the right side in turn, hop h at h % 2
    float *hops[2];
    uint32_t fill;   // of the newest hop
    uint64_t newest; // its number
    float *power;    // scratch
    // --- results so far
    float *recent;  // summed power of the latest frames, by bin
    double *energy; // of those before
    uint64_t frames;
    struct shape_medians medians;
};

int native_spectrum_create(struct native_spectrum **out, uint32_t rate_hz)
{
    *out = NULL;
    struct native_spectrum *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->size = 4096;
    while ((uint64_t)48000 * (s->size / 4096) < rate_hz)
        s->size *= 2;
    s->hop = s->size / 2;
    const uint32_t bins = s->size / 2 + 1;
    s->window = aligned_zeroed(s->size * sizeof *s->window);
    for (int side = 0; side < 2; ++side)
        s->hops[side] = aligned_zeroed(s->size * sizeof *s->hops[side]);
    s->power = aligned_zeroed(bins * sizeof *s->power);
    s->recent = aligned_zeroed(bins * sizeof *s->recent);
    s->energy = aligned_zeroed(bins * sizeof *s->energy);
    if (!s->window || !s->hops[0] || !s->hops[1] || !s->power || !s->recent || !s->energy ||
        spectral_grid_init(&s->grid, bins, (double)rate_hz / s->size) ||
        fft_create(&s->fft, s->size) || shape_medians_init(&s->medians)) {
        native_spectrum_destroy(&s);
        return -ENOMEM;
    }
    hann_fill(s->window, s->size);
    s->kernels = spectrum_select(cpu_flags());
    *out = s;
    return 0;
}

void native_spectrum_destroy(struct native_spectrum **spectrum)
{
    struct native_spectrum *s = *spectrum;
    if (!s)
        return;
    fft_destroy(&s->fft);
    spectral_grid_deinit(&s->grid);
    free(s->window);
    free(s->hops[0]);
    free(s->hops[1]);
    free(s->power);
    free(s->recent);
    free(s->energy);
    shape_medians_deinit(&s->medians);
    free(s);
    *spectrum = NULL;
}

static double transform(struct native_spectrum *s)
{
    const size_t hop = s->hop, older = (s->newest + 1) % 2 * hop, newer = s->newest % 2 * hop;
    const struct fft_pair sides = {
        .first = {s->hops[0] + older, s->hops[0] + newer},
        .second = {s->hops[1] + older, s->hops[1] + newer},
        .window = s->window,
    };
    return fft_pair_power(s->fft, s->power, &sides);
}

static void add_recent(struct native_spectrum *s)
{
    const uint32_t bins = s->size / 2 + 1;
    for (uint32_t k = 0; k < bins; ++k)
        s->energy[k] += (double)s->recent[k];
    memset(s->recent, 0, bins * sizeof *s->recent);
}

static void measure_frame(struct native_spectrum *s)
{
    const double power = transform(s);
    // What the transform's rounding alone puts into a bin counts as nothing: a constant has no bands.
    s->kernels->settle(s->power, s->recent, (float)(ROUNDING_SHARE * power), s->size / 2 + 1);
    if (++s->frames % TOGETHER == 0)
        add_recent(s);
    if (power <= 0)
        return;
    struct spectral_shape shape;
    spectral_grid_measure(&s->grid, s->power, &shape);
    shape_medians_push(&s->medians, power, &shape);
}

// The newest hop is whole: it ends a frame unless it is the first. Start the next.
static void end_hop(struct native_spectrum *s)
{
    if (s->newest > 0)
        measure_frame(s);
    ++s->newest;
    s->fill = 0;
}

void native_spectrum_feed(struct native_spectrum *s, const float *left, const float *right,
                          uint32_t frames)
{
    while (frames > 0) {
        const uint32_t room = s->hop - s->fill, part = room < frames ? room : frames;
        const size_t place = s->newest % 2 * s->hop + s->fill;
        memcpy(s->hops[0] + place, left, part * sizeof *left);
        memcpy(s->hops[1] + place, right, part * sizeof *right);
        left += part;
        right += part;
        frames -= part;
        s->fill += part;
        if (s->fill == s->hop)
            end_hop(s);
    }
}

void native_spectrum_finish(struct native_spectrum *s, double bands[BAND_COUNT],
                            struct spectral_shape *median)
{
    *median = (struct spectral_shape){0};
    // What is shorter than one frame is filled up with zeros, which the rest of the hops still is.
    if (s->frames == 0 && (s->newest > 0 || s->fill > 0)) {
        s->newest = 1;
        measure_frame(s);
    }
    add_recent(s);
    spectral_grid_bands(&s->grid, s->energy, bands);
    shape_medians_finish(&s->medians, median);
}
