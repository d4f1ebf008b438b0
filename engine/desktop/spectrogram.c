// SPDX-License-Identifier: MIT
#include "engine/desktop/spectrogram.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/fft.h"
#include "dsp/spectrum/hann.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE = 4096,
    BINS = SIZE / 2 + 1,
    LEAST_STEP = SIZE / 2,
    WINDOWS_A_COLUMN = 8, // at most
    ROWS = SPECTROGRAM_ROWS,
};
static const double HIGH_HZ = 20000.0;

struct spectrogram {
    // --- immutable after create
    uint64_t samples;
    uint32_t rate_hz, columns;
    uint64_t step; // samples from one window to the next
    double high_hz;
    const struct spectrum_impl *kernels;
    struct fft *fft;
    float window[SIZE];
    // --- the window that is being filled: pairs of first and second
    uint64_t start; // sample of its beginning
    uint64_t skip;  // samples to leave out before it goes on
    uint32_t fill;
    float line[2 * SIZE];
    // --- result
    float *power[SPECTROGRAM_SIGNALS]; // columns x ROWS
    uint32_t windows[SPECTROGRAM_COLUMNS_MOST];
};

static uint32_t columns_for(uint64_t samples)
{
    const uint64_t columns = (samples + LEAST_STEP - 1) / LEAST_STEP;
    return columns < SPECTROGRAM_COLUMNS_MOST ? (uint32_t)columns : SPECTROGRAM_COLUMNS_MOST;
}

static uint64_t step_for(uint64_t samples, uint32_t columns)
{
    const uint64_t step = samples / columns / WINDOWS_A_COLUMN;
    return step > LEAST_STEP ? step : LEAST_STEP;
}

int spectrogram_create(struct spectrogram **out, uint64_t samples, uint32_t rate_hz)
{
    assert(samples > 0 && rate_hz > 0);
    *out = NULL;
    struct spectrogram *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->samples = samples;
    s->rate_hz = rate_hz;
    s->columns = columns_for(samples);
    s->step = step_for(samples, s->columns);
    s->high_hz = fmin(HIGH_HZ, rate_hz / 2.0);
    s->kernels = spectrum_select(cpu_flags());
    hann_fill(s->window, SIZE);
    for (int i = 0; i < SPECTROGRAM_SIGNALS; ++i)
        s->power[i] = calloc((size_t)s->columns * ROWS, sizeof(float));
    if (!s->power[0] || !s->power[1] || fft_create(&s->fft, SIZE)) {
        spectrogram_destroy(&s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

void spectrogram_destroy(struct spectrogram **spectrogram)
{
    struct spectrogram *s = *spectrogram;
    if (!s)
        return;
    fft_destroy(&s->fft);
    free(s->power[0]);
    free(s->power[1]);
    free(s);
    *spectrogram = NULL;
}

double spectrogram_row_hz(const struct spectrogram *s, double row)
{
    return SPECTROGRAM_LOW_HZ * pow(s->high_hz / SPECTROGRAM_LOW_HZ, (row + 0.5) / ROWS);
}

// Power below `hz` from sums over whole bins, where bin k covers k - 1/2 .. k + 1/2.
static double power_below(const struct spectrogram *s, const double sums[BINS + 1], double hz)
{
    const double position = hz / s->rate_hz * SIZE + 0.5;
    const uint32_t bin = position < BINS ? (uint32_t)position : BINS - 1;
    const double part = fmin(position - bin, 1.0);
    return sums[bin] + part * (sums[bin + 1] - sums[bin]);
}

static void add_rows(const struct spectrogram *s, float *rows, const float power[BINS])
{
    // A sine's three bins hold 3/2 of its middle one, which is (SIZE / 4)².
    const double full_scale = 1.5 * (SIZE / 4.0) * (SIZE / 4.0);
    double sums[BINS + 1] = {0};
    for (uint32_t k = 0; k < BINS; ++k)
        sums[k + 1] = sums[k] + (double)power[k] / full_scale;
    double below = power_below(s, sums, spectrogram_row_hz(s, -0.5));
    for (uint32_t row = 0; row < ROWS; ++row) {
        const double next = power_below(s, sums, spectrogram_row_hz(s, row + 0.5));
        rows[row] += (float)(next - below);
        below = next;
    }
}

static void transform(struct spectrogram *s)
{
    float power[SPECTROGRAM_SIGNALS][BINS];
    float *in = fft_input(s->fft);
    for (uint32_t i = 0; i < SIZE; ++i) {
        in[2 * i] = s->line[2 * i] * s->window[i];
        in[2 * i + 1] = s->line[2 * i + 1] * s->window[i];
    }
    s->kernels->pair_power(power[0], power[1], fft_forward(s->fft), SIZE);
    const uint32_t column = (uint32_t)(s->start * s->columns / s->samples);
    for (int i = 0; i < SPECTROGRAM_SIGNALS; ++i)
        add_rows(s, s->power[i] + (size_t)column * ROWS, power[i]);
    ++s->windows[column];
}

static void next_window(struct spectrogram *s)
{
    s->start += s->step;
    const uint32_t kept = s->step < SIZE ? SIZE - (uint32_t)s->step : 0;
    memmove(s->line, s->line + 2 * (SIZE - kept), 2 * kept * sizeof(float));
    s->fill = kept;
    s->skip = s->step - (SIZE - kept);
}

void spectrogram_feed(struct spectrogram *s, const float *first, const float *second,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count && s->start < s->samples; ++i) {
        if (s->skip > 0) {
            --s->skip;
            continue;
        }
        s->line[2 * s->fill] = first[i];
        s->line[2 * s->fill + 1] = second[i];
        if (++s->fill == SIZE) {
            transform(s);
            next_window(s);
        }
    }
}

static void average(struct spectrogram *s)
{
    for (uint32_t c = 0; c < s->columns; ++c) {
        const float windows = s->windows[c] ? (float)s->windows[c] : 1.0F;
        for (uint32_t row = 0; row < ROWS; ++row)
            for (int i = 0; i < SPECTROGRAM_SIGNALS; ++i)
                s->power[i][(size_t)c * ROWS + row] /= windows;
    }
}

void spectrogram_finish(struct spectrogram *s)
{
    while (s->start < s->samples) {
        memset(s->line + 2 * (size_t)s->fill, 0, 2 * (SIZE - s->fill) * sizeof(float));
        transform(s);
        next_window(s);
    }
    average(s);
}

uint32_t spectrogram_columns(const struct spectrogram *s)
{
    return s->columns;
}

const float *spectrogram_column(const struct spectrogram *s, enum spectrogram_signal signal,
                                uint32_t column)
{
    assert(signal < SPECTROGRAM_SIGNALS && column < s->columns);
    return s->power[signal] + (size_t)column * ROWS;
}

double spectrogram_mean(const struct spectrogram *s, enum spectrogram_signal signal, uint32_t row)
{
    assert(signal < SPECTROGRAM_SIGNALS && row < ROWS);
    double sum = 0;
    for (uint32_t c = 0; c < s->columns; ++c)
        sum += (double)s->power[signal][(size_t)c * ROWS + row];
    return sum / s->columns;
}
