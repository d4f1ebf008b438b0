// SPDX-License-Identifier: MIT
#include "support/stft.h"
#include <math.h>
#include <string.h>

size_t stft_frames(size_t count)
{
    return 1 + count / STFT_HOP;
}

/// What every frame needs anew, in plain doubles: suites spend most of their time here, unoptimised.
struct tables {
    double window[STFT_WINDOW];
    double turn_re[STFT_WINDOW / 2], turn_im[STFT_WINDOW / 2];
};

static const struct tables *fill_tables(void)
{
    static struct tables tables;
    if (tables.turn_re[0] == 1.0)
        return &tables;
    for (size_t i = 0; i < STFT_WINDOW; i++)
        tables.window[i] = 0.5 - 0.5 * cos(2.0 * M_PI * (double)i / STFT_WINDOW);
    for (size_t k = 0; k < STFT_WINDOW / 2; k++) {
        tables.turn_re[k] = cos(2.0 * M_PI * (double)k / STFT_WINDOW);
        tables.turn_im[k] = -sin(2.0 * M_PI * (double)k / STFT_WINDOW);
    }
    return &tables;
}

/// Decimation in time, out of place: `stride` picks every stride-th input.
static void transform(const struct tables *tables, const double *in, double *re, double *im,
                      size_t count, size_t stride)
{
    const size_t half = count / 2;
    if (half == 1) {
        re[0] = in[0] + in[stride];
        re[1] = in[0] - in[stride];
        im[0] = im[1] = 0.0;
        return;
    }
    transform(tables, in, re, im, half, 2 * stride);
    transform(tables, in + stride, re + half, im + half, half, 2 * stride);
    for (size_t k = 0; k < half; k++) {
        const double c = tables->turn_re[k * stride], s = tables->turn_im[k * stride];
        const double odd_re = c * re[k + half] - s * im[k + half];
        const double odd_im = c * im[k + half] + s * re[k + half];
        re[k + half] = re[k] - odd_re;
        im[k + half] = im[k] - odd_im;
        re[k] += odd_re;
        im[k] += odd_im;
    }
}

void stft_power(const float *signal, size_t count, size_t frame, float power[STFT_BINS])
{
    double windowed[STFT_WINDOW], loudest = 0.0;
    double re[STFT_WINDOW], im[STFT_WINDOW];
    const struct tables *tables = fill_tables();
    for (size_t i = 0; i < STFT_WINDOW; i++) {
        const size_t place = frame * STFT_HOP + i;
        const int inside = place >= STFT_WINDOW / 2 && place - STFT_WINDOW / 2 < count;
        windowed[i] = inside ? tables->window[i] * (double)signal[place - STFT_WINDOW / 2] : 0.0;
        loudest = fmax(loudest, fabs(windowed[i]));
    }
    if (loudest == 0.0) { // spares most of the work for clicks
        memset(power, 0, STFT_BINS * sizeof(*power));
        return;
    }
    transform(tables, windowed, re, im, STFT_WINDOW, 1);
    for (size_t k = 0; k < STFT_BINS; k++)
        power[k] = (float)(re[k] * re[k] + im[k] * im[k]);
}
