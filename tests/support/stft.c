// SPDX-License-Identifier: MIT
#include "support/stft.h"
#include <complex.h>
#include <math.h>
#include <string.h>

size_t stft_frames(size_t count)
{
    return 1 + count / STFT_HOP;
}

/// Decimation in time, out of place: `stride` picks every stride-th input.
static void transform(const double *in, double complex *out, size_t count, size_t stride)
{
    if (count == 1) {
        out[0] = in[0];
        return;
    }
    const size_t half = count / 2;
    transform(in, out, half, 2 * stride);
    transform(in + stride, out + half, half, 2 * stride);
    const double complex step = cexp(-2.0 * M_PI * I / (double)count);
    double complex turn = 1.0;
    for (size_t k = 0; k < half; k++) {
        const double complex even = out[k], odd = turn * out[k + half];
        out[k] = even + odd;
        out[k + half] = even - odd;
        turn *= step;
    }
}

void stft_power(const float *signal, size_t count, size_t frame, float power[STFT_BINS])
{
    double windowed[STFT_WINDOW], loudest = 0.0;
    double complex spectrum[STFT_WINDOW];
    for (size_t i = 0; i < STFT_WINDOW; i++) {
        const size_t place = frame * STFT_HOP + i;
        const int inside = place >= STFT_WINDOW / 2 && place - STFT_WINDOW / 2 < count;
        const double hann = 0.5 - 0.5 * cos(2.0 * M_PI * (double)i / STFT_WINDOW);
        windowed[i] = inside ? hann * (double)signal[place - STFT_WINDOW / 2] : 0.0;
        loudest = fmax(loudest, fabs(windowed[i]));
    }
    if (loudest == 0.0) { // spares most of the work for clicks
        memset(power, 0, STFT_BINS * sizeof(*power));
        return;
    }
    transform(windowed, spectrum, STFT_WINDOW, 1);
    for (size_t k = 0; k < STFT_BINS; k++)
        power[k] = (float)(creal(spectrum[k]) * creal(spectrum[k]) +
                           cimag(spectrum[k]) * cimag(spectrum[k]));
}
