// SPDX-License-Identifier: MIT
#include "dsp/native_spectrum.h"
#include "dsp/cpu.h"
#include "dsp/fft.h"
#include "dsp/hann.h"
#include "dsp/shape_medians.h"
#include "dsp/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Rounding in single precision leaves up to 7e-16 of a frame's power in any bin (tones and constants,
// 4,096 to 65,536 points).
static const double ROUNDING_SHARE = 4e-15;

struct native_spectrum {
    // --- immutable after create
    struct fft *fft;
    struct spectral_grid grid;
    uint32_t size, hop;
    float *window; // interleaved, each value for both sides
    const struct spectrum_impl *kernels;
    // --- the frame under way: interleaved, left as real and right as imaginary part
    float *line;
    uint32_t fill;
    float *power, *magnitude; // scratch
    // --- results so far
    double *energy; // summed power, by bin
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
    shape_medians_init(&s->medians);
    const uint32_t bins = s->size / 2 + 1;
    s->window = malloc(2 * (size_t)s->size * sizeof *s->window);
    s->line = calloc((size_t)2 * s->size, sizeof *s->line);
    s->power = malloc(bins * sizeof *s->power);
    s->magnitude = malloc(bins * sizeof *s->magnitude);
    s->energy = calloc(bins, sizeof *s->energy);
    if (!s->window || !s->line || !s->power || !s->magnitude || !s->energy ||
        spectral_grid_init(&s->grid, bins, (double)rate_hz / s->size) ||
        fft_create(&s->fft, s->size)) {
        native_spectrum_destroy(&s);
        return -ENOMEM;
    }
    hann_fill(s->window, s->size);
    for (uint32_t i = s->size; i-- > 0;)
        s->window[2 * i] = s->window[2 * i + 1] = s->window[i];
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
    free(s->line);
    free(s->power);
    free(s->magnitude);
    free(s->energy);
    shape_medians_deinit(&s->medians);
    free(s);
    *spectrum = NULL;
}

// One complex transform carries both sides: with Z = L + iR, |L|^2 + |R|^2 at bin k is the mean of
// |Z[k]|^2 and |Z[-k]|^2.
static double transform(struct native_spectrum *s)
{
    s->kernels->multiply(fft_input(s->fft), s->line, s->window, 2 * s->size);
    return s->kernels->stereo_power(s->power, s->energy, fft_forward(s->fft), s->size);
}

// What the transform's rounding alone puts into a bin counts as nothing, and is taken back: a constant has no bands.
static void remove_rounding(struct native_spectrum *s, double sum)
{
    const float floor = (float)(ROUNDING_SHARE * sum);
    for (uint32_t k = 0; k <= s->size / 2; ++k) {
        if (s->power[k] > floor)
            continue;
        s->energy[k] -= (double)s->power[k];
        s->power[k] = 0.0F;
    }
}

static int measure_frame(struct native_spectrum *s)
{
    const double power = transform(s);
    remove_rounding(s, power);
    ++s->frames;
    if (power <= 0)
        return 0;
    struct spectral_shape shape;
    spectral_grid_measure(&s->grid, s->power, s->magnitude, &shape);
    return shape_medians_push(&s->medians, power, &shape);
}

static void interleave(float *restrict out, const float *restrict left, const float *restrict right,
                       uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        out[2 * i] = left[i];
        out[2 * i + 1] = right[i];
    }
}

int native_spectrum_feed(struct native_spectrum *s, const float *left, const float *right,
                         uint32_t frames)
{
    while (frames > 0) {
        const uint32_t room = s->size - s->fill, part = room < frames ? room : frames;
        interleave(s->line + 2 * (size_t)s->fill, left, right, part);
        left += part;
        right += part;
        frames -= part;
        s->fill += part;
        if (s->fill < s->size)
            break;
        const int error = measure_frame(s);
        if (error)
            return error;
        memcpy(s->line, s->line + 2 * (size_t)s->hop, 2 * (size_t)s->hop * sizeof(float));
        s->fill = s->hop;
    }
    return 0;
}

int native_spectrum_finish(struct native_spectrum *s, double bands[BAND_COUNT],
                           struct spectral_shape *median)
{
    *median = (struct spectral_shape){0};
    if (s->frames == 0 && s->fill > 0) { // shorter than one frame: zeros fill it up
        memset(s->line + 2 * (size_t)s->fill, 0, 2 * (size_t)(s->size - s->fill) * sizeof(float));
        const int error = measure_frame(s);
        if (error)
            return error;
    }
    spectral_grid_bands(&s->grid, s->energy, bands);
    return shape_medians_finish(&s->medians, median);
}
